"""Runs the marked blocks of a page as one shell session, the way a reader would type them."""

import os
import shlex
import signal
import subprocess
import sys
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from types import MappingProxyType

from tests.docs.markdown import Block, marked_blocks, unmatched

TIMEOUT = 300
"""Seconds that one page may take."""

STARTS = "=== block "
"""Begins the line that the session prints before each block."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Transcript:
    """What a session did.

    Attributes:
        returncode: of the shell; 0 when every block succeeded.
        text: everything it printed, for the message of a failed test.
        printed: line of a block to what that block printed.
    """

    returncode: int
    text: str
    printed: dict[int, str]


def script(blocks: list[Block], scratch: Path) -> str:
    """Return the shell script of a page; the texts of its blocks are put under ``scratch``."""
    lines = ["set -euo pipefail"]
    for block in blocks:
        kept = scratch / f"line_{block.line}"
        if block.mark == "prints":
            continue
        kept.write_text(block.text)
        lines.append(f"printf '\\n{STARTS}%s\\n' {block.line}")
        if block.mark == "file":
            target = shlex.quote(block.path)
            lines.append(f'mkdir -p "$(dirname {target})" && cp {shlex.quote(str(kept))} {target}')
        elif block.language == "python":
            lines.append(f"python {shlex.quote(str(kept))}")
        else:
            lines.append(block.text)
    return "\n".join(lines)


def run(blocks: list[Block], folder: Path, variables: Mapping[str, str] = MappingProxyType({})) -> Transcript:
    """Run ``blocks`` in ``folder``, with more ``variables``; whatever they leave running is ended with it."""
    scratch, home = folder / "blocks", folder / "home"
    scratch.mkdir()
    home.mkdir()
    environment = os.environ | {
        "PATH": f"{Path(sys.executable).parent}{os.pathsep}{os.environ['PATH']}",
        "HOME": str(home),
        "COLUMNS": "120",
        "NO_COLOR": "1",
        **variables,
    }
    output = folder / "output"
    with output.open("wb") as sink:
        shell = subprocess.Popen(
            ["bash", "-c", script(blocks, scratch)],
            cwd=home, env=environment, stdin=subprocess.DEVNULL, stdout=sink, stderr=subprocess.STDOUT,
            start_new_session=True,
        )  # fmt: skip
        try:
            returncode = shell.wait(TIMEOUT)
        finally:
            end_session(shell)
    text = output.read_text(errors="replace")
    parts = text.split(f"\n{STARTS}")[1:]
    printed = {int(head): body for head, _, body in (part.partition("\n") for part in parts)}
    return Transcript(returncode=returncode, text=text, printed=printed)


def require_as_shown(page: Path, folder: Path, variables: Mapping[str, str] = MappingProxyType({})) -> None:
    """Assert that the blocks of a page succeed in order, in an empty folder, and print what the page shows."""
    blocks = marked_blocks(page)
    transcript = run(blocks, folder, variables)
    assert transcript.returncode == 0, transcript.text
    before = 0
    for block in blocks:
        if block.mark == "prints":
            missing = unmatched(block.text, transcript.printed[before])
            assert missing is None, f"{page.name}:{block.line}: not printed: {missing}\n{transcript.printed[before]}"
        else:
            before = block.line


def end_session(shell: subprocess.Popen[bytes]) -> None:
    """End every process of the shell's group, in the background or not."""
    try:
        os.killpg(shell.pid, signal.SIGKILL)
    except ProcessLookupError:
        return
    shell.wait()
