"""`trigger check --fix`, `--diff` and `--add-ignore`: what is written, and what is left alone."""

import ast
import subprocess
from pathlib import Path

import pytest

from tests.trigger_cli.commands.conftest import BAD, CLEAN, RATES, MakeProject
from tests.trigger_cli.ended import Trigger
from trigger_cli.checking.source_file import SourceFile
from trigger_cli.errors import FileNotWritten

SLEEPS = """\
import time

from trigger_sdk import job, sleep


@job(id="sleeps")
async def sleeps() -> None:
    time.sleep(1)
"""


def test_fix_writes_what_is_safe(bad_project: Path, trigger_process: Trigger) -> None:
    """The fix is made, the rest is reported with exit code 1, and a second time nothing changes."""
    ended = trigger_process("check", "--fix", cwd=bad_project)
    text = (bad_project / "jobs" / "bad.py").read_text()
    assert "    await sleep(3)\n" in text
    assert ended.code == 1
    assert "Fixed 1 finding in 1 file." in ended.err
    assert "Found 1 error" in ended.out
    assert "Fixed" not in trigger_process("check", "--fix", cwd=bad_project).err
    assert (bad_project / "jobs" / "bad.py").read_text() == text


def test_unsafe_fixes_leave_nothing(bad_project: Path, trigger_process: Trigger) -> None:
    """With them, the project comes out clean."""
    ended = trigger_process("check", "--fix", "--unsafe-fixes", cwd=bad_project)
    assert ended.code == 0, ended.out
    assert trigger_process("check", cwd=bad_project).code == 0


def test_diff_changes_nothing(bad_project: Path, trigger_process: Trigger) -> None:
    """A unified difference that `patch` understands, and exit code 1; 0 when there is nothing to fix."""
    ended = trigger_process("check", "--diff", cwd=bad_project)
    assert ended.code == 1
    assert (bad_project / "jobs" / "bad.py").read_text() == BAD
    assert ended.out.startswith("--- jobs/bad.py\n+++ jobs/bad.py\n@@ ")
    assert "\n-    time.sleep(3)\n+    await sleep(3)\n" in ended.out
    assert "Would fix 1 finding in 1 file." in ended.err
    subprocess.run(["git", "apply", "-p0"], cwd=bad_project, input=ended.out, text=True, check=True, timeout=60)
    again = trigger_process("check", "--diff", cwd=bad_project)
    assert (again.code, again.out) == (0, "")


def test_standard_input_is_fixed_to_standard_output(bad_project: Path, trigger_process: Trigger) -> None:
    """The text alone on standard output, findings on standard error, nothing on disk."""
    ended = trigger_process("check", "--fix", "--stdin-filename", "jobs/bad.py", cwd=bad_project, stdin=BAD)
    assert ended.code == 1
    assert "await sleep(3)" in ended.out
    ast.parse(ended.out)
    assert "Found 1 error" in ended.err
    assert (bad_project / "jobs" / "bad.py").read_text() == BAD
    unchanged = trigger_process("check", "--fix", "--stdin-filename", "jobs/x.py", cwd=bad_project, stdin="x  =  1")
    assert (unchanged.code, unchanged.out) == (0, "x  =  1")


@pytest.mark.parametrize(
    ("before", "after"),
    [
        (SLEEPS.replace("\n", "\r\n").encode(), b"    await sleep(1)\r\n"),
        (b"\xef\xbb\xbf" + SLEEPS.encode(), b"    await sleep(1)\n"),
        (SLEEPS.rstrip("\n").encode(), b"    await sleep(1)"),
        (SLEEPS.replace("time\n", "time  # \x0c é\n", 1).encode(), b"    await sleep(1)\n"),
    ],
    ids=["crlf", "bom", "no-newline", "form-feed"],
)
def test_bytes_around_the_fix_stay(
    make_project: MakeProject, trigger_process: Trigger, before: bytes, after: bytes
) -> None:
    """Line ends, byte order mark, the missing end of the last line; and the mode of the file."""
    root = make_project({"jobs/sleeps.py": before})
    file = root / "jobs" / "sleeps.py"
    file.chmod(0o750)
    ended = trigger_process("check", "--fix", cwd=root)
    assert ended.code == 0, ended.out
    written = file.read_bytes()
    assert written.endswith(after)
    assert written.startswith(before[:3])
    assert written.count(b"\r\n") == before.count(b"\r\n")
    assert file.stat().st_mode & 0o777 == 0o750
    assert [path.name for path in file.parent.iterdir()] == ["sleeps.py"]


def test_read_only_file_is_told_and_left(make_project: MakeProject, trigger_process: Trigger) -> None:
    """Exit code 2; the file stays as it is, the others are fixed, and the report tells what is left."""
    root = make_project({"jobs/sleeps.py": SLEEPS, "jobs/more.py": SLEEPS.replace('"sleeps"', '"more"')})
    file = root / "jobs" / "sleeps.py"
    file.chmod(0o444)
    ended = trigger_process("check", "--fix", cwd=root)
    assert ended.code == 2
    assert "error: file-not-written:" in ended.err
    assert "sleeps.py is read-only" in ended.err
    assert file.read_text() == SLEEPS
    assert "await sleep(1)" in (root / "jobs" / "more.py").read_text()
    assert "Found 1 error" in ended.out


def test_file_in_another_encoding_is_fixed_and_keeps_it(make_project: MakeProject, trigger_process: Trigger) -> None:
    """Its coding comment says which; the fix is known where only the check is asked, too."""
    written = f"# coding: latin-1\nname = 'é'\n{SLEEPS}".encode("latin-1")
    root = make_project({"jobs/sleeps.py": written})
    assert "[fix available]" in trigger_process("check", cwd=root).out
    assert trigger_process("check", "--fix", cwd=root).code == 0
    assert (root / "jobs" / "sleeps.py").read_bytes() == written.replace(b"time.sleep(1)", b"await sleep(1)")


def test_text_that_its_encoding_lacks_is_refused(tmp_path: Path) -> None:
    """A character that latin-1 has not: the file stays as it is."""
    file = tmp_path / "a.py"
    file.write_bytes(b"# coding: latin-1\nx = '\xe9'\n")
    source = SourceFile.read(file)
    assert source.text.endswith("é'\n")
    with pytest.raises(FileNotWritten, match="no character '→'"):
        source.write(f"{source.text}# →\n")
    source.write(f"{source.text}# é\n")
    assert file.read_bytes().endswith(b"\xe9'\n# \xe9\n")


AWKWARD = '''\
"""Places where a comment is not simply put behind."""
import requests
from trigger_sdk import job

from rates import fetch


@job(id="awkward")
def awkward(
    name: str,
) -> str:
    plain = fetch(name)
    noted = fetch(name)  # noqa: E501
    known = fetch(name)  # trigger: ignore[TRG102] kept
    several = [
        name,
        fetch(name),
        fetch(
            name
        ),
    ]
    text = f"""
      {fetch(name)} # no comment
    """
    joined = fetch(name) + \\
        fetch(name) + \\
        fetch(name)
    if fetch(name): return fetch(name)
    # trigger: ignore[TRG103] above
    also = fetch(name)
    raw = fetch("""
    # text
    """)
    with open(name) as file: one = fetch(name); two = file.read()
    return "".join([plain, noted, known, text, joined, *several, also, raw, one, two])


def other() -> None: requests.get("never called")
'''


@pytest.mark.parametrize("newline", ["\n", "\r\n"])
def test_add_ignore_silences_all_and_breaks_nothing(
    make_project: MakeProject, trigger_process: Trigger, newline: str
) -> None:
    """In calls over lines, texts, continued lines, beside other comments: the code is the same, the check clean."""
    root = make_project({"jobs/awkward.py": AWKWARD.replace("\n", newline), "rates.py": RATES})
    ended = trigger_process("check", "--add-ignore", "legacy, see #12", cwd=root)
    text = (root / "jobs" / "awkward.py").read_bytes().decode()
    left = trigger_process("check", "--ignore", "TRG9", cwd=root)
    assert (left.code, "No findings" in left.out) == (0, True), f"{text}\n{left.out}"
    assert ended.out == "" or "TRG902" in ended.out
    assert ast.dump(ast.parse(text)) == ast.dump(ast.parse(AWKWARD))
    assert "# noqa: E501  # trigger: ignore[TRG101] legacy, see #12" in text
    assert "# trigger: ignore[TRG102, TRG101] kept" in text
    assert "# trigger: ignore[TRG103, TRG101] above" in text
    assert text.count("\r\n") == (text.count("\n") if newline == "\r\n" else 0)


def test_add_ignore_leaves_syntax_errors_and_hints(make_project: MakeProject, trigger_process: Trigger) -> None:
    """They are not silenced: the first cannot be, the second needs not."""
    hint = CLEAN.replace("    return await", "    uuid.uuid4()\n    return await").replace(
        "from", "import uuid\nfrom", 1
    )
    root = make_project({"jobs/clean.py": hint, "jobs/broken.py": "x = (\n"})
    ended = trigger_process("check", "--add-ignore", "why", cwd=root)
    assert ended.code == 1
    assert "Added or extended 0 comments" in ended.err
    assert (root / "jobs" / "clean.py").read_text() == hint
    assert (root / "jobs" / "broken.py").read_text() == "x = (\n"
