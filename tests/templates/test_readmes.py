"""What a template's README tells its user to type works, and prints what it says."""

from pathlib import Path

import pytest

from tests.docs.markdown import Block, marked_blocks, unmatched
from tests.docs.session import TIMEOUT, run
from tests.fakes.dev_process import free_port
from tests.fakes.template_project import init_project

CURL = """
import argparse, pathlib, sys, urllib.request

parser = argparse.ArgumentParser()
parser.add_argument("--silent", action="store_true")
parser.add_argument("--upload-file", type=pathlib.Path)
parser.add_argument("-d", dest="data")
parser.add_argument("url")
asked = parser.parse_args()
method = "PUT" if asked.upload_file else "POST" if asked.data else "GET"
content = asked.upload_file.read_bytes() if asked.upload_file else asked.data.encode() if asked.data else None
request = urllib.request.Request(asked.url, data=content, method=method)
opener = urllib.request.build_opener(urllib.request.ProxyHandler({}))
sys.stdout.write(opener.open(request).read().decode())
"""
"""What the pages use of curl."""

READER = r"""
unset VIRTUAL_ENV TRIGGER_API_URL
export SERVICES_PORT={port} SERVICES_URL=http://127.0.0.1:{port}
trigger() {{
    if [ "$1" = dev ]; then command trigger dev --port 0 > dev.log 2>&1; return; fi
    local tries=0
    until command trigger jobs list --json 2>&1 | grep -q '"id"'; do
        tries=$((tries + 1)); [ $tries -lt 200 ] || return 1; sleep 0.1
    done
    command trigger "$@"
}}
python() {{
    if [ "$*" = "-m services" ]; then command python -m services > services.log 2>&1; return; fi
    command python "$@"
}}
curl() {{ command python {curl} "${{@/localhost:8735/http:\/\/127.0.0.1:{port}}}"; }}
cd {folder}
"""
"""What goes before the page's own commands.

The ports of the text may be taken here, and a fresh machine has no curl. Where the reader has a terminal for each, the
output goes to a file; where he waits until `trigger dev` says that it is ready, the first command does.
"""


@pytest.mark.timeout(TIMEOUT + 30)
@pytest.mark.parametrize("name", ["checkout", "contacts", "orders", "ticket"])
def test_commands_of_the_readme_run(name: str, tmp_path: Path) -> None:
    """In order, in a project that `trigger init` made."""
    folder = init_project(name, tmp_path / name)
    blocks = marked_blocks(folder / "README.md")
    assert len(blocks) > 3
    (tmp_path / "curl.py").write_text(CURL)
    text = READER.format(port=free_port(), folder=folder, curl=tmp_path / "curl.py")
    transcript = run([Block(line=0, mark="runs", path="", language="sh", text=text), *blocks], tmp_path)
    assert transcript.returncode == 0, transcript.text
    before = 0
    for block in blocks:
        if block.mark == "prints":
            missing = unmatched(block.text, transcript.printed[before])
            assert missing is None, f"{name}:{block.line}: not printed: {missing}\n{transcript.printed[before]}"
        else:
            before = block.line
