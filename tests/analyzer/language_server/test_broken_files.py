"""While a line is half typed, the rest stays known."""

from pathlib import Path

from lsprotocol import types

from tests.fakes.checked_project import CheckedProject
from tests.fakes.editor import Editor

TWO_JOBS = """\
import time

from trigger_sdk import job


@job(id="first")
async def first(x: int) -> None:
    time.sleep(1)


@job(id="second")
async def second(x: int) -> None:
    time.sleep(2)
"""
CALLER = (
    "from jobs.two import pause\nfrom trigger_sdk import job\n\n\n"
    '@job(id="third")\nasync def third(x: int) -> None:\n    pause()\n'
)


def rows(found: list[types.Diagnostic], code: str) -> list[int]:
    """Return the lines of findings, from 0."""
    return [diagnostic.range.start.line for diagnostic in found if diagnostic.code == code]


async def test_syntax_error_and_recovery(editor: Editor, project: CheckedProject) -> None:
    """The mistake is told of; what was found above and below it stays at its place; the right text has all again."""
    project.write({"jobs/two.py": TWO_JOBS})
    uri = editor.open(project.root / "jobs/two.py")
    await editor.diagnostics(uri, ["TRG107", "TRG107"])
    editor.type(uri, "    time.sleep(1)\n", "    time.sleep(1)\n    print((\n\n")
    found = await editor.diagnostics(uri, ["TRG107", "TRG107", "TRG901"])
    assert rows(found, "TRG107") == [7, 14]
    editor.type(uri, "    print((\n\n", "")
    assert rows(await editor.diagnostics(uri, ["TRG107", "TRG107"]), "TRG107") == [7, 12]


async def test_line_that_is_typed_loses_its_finding(editor: Editor, project: CheckedProject) -> None:
    """What stood on the broken line itself is gone until it is whole."""
    project.write({"jobs/two.py": TWO_JOBS})
    uri = editor.open(project.root / "jobs/two.py")
    await editor.diagnostics(uri, ["TRG107", "TRG107"])
    editor.type(uri, "time.sleep(1)", "time.sleep(1, ")
    assert rows(await editor.diagnostics(uri, ["TRG107", "TRG901"]), "TRG107") == [12]
    editor.type(uri, "time.sleep(1, ", "time.sleep(1)")
    await editor.diagnostics(uri, ["TRG107", "TRG107"])


async def test_other_files_keep_what_leads_through_the_broken_one(editor: Editor, project: CheckedProject) -> None:
    """A job that calls into a file that is half typed does not lose its finding meanwhile."""
    helper = "import time\n\n\ndef pause() -> None:\n    time.sleep(1)\n"
    project.write({"jobs/two.py": helper, "jobs/third.py": CALLER})
    uri = editor.open(project.root / "jobs/third.py")
    await editor.diagnostics(uri, ["TRG107"])
    other = editor.open(project.root / "jobs/two.py")
    await editor.quiet(other)
    editor.replace(other, helper + "def more(")
    await editor.diagnostics(other, ["TRG901"])
    await editor.diagnostics(uri, ["TRG107"])
    editor.replace(other, "def pause() -> None:\n    print(1)\n")
    await editor.diagnostics(other, [])
    await editor.diagnostics(uri, [])


async def test_unused_suppressions_do_not_flicker(editor: Editor, project: CheckedProject) -> None:
    """That a suppression silences nothing only seems so while the file that has the effect is broken."""
    helper = "import time\n\n\ndef pause() -> None:\n    time.sleep(1)\n"
    caller = CALLER.replace("pause()\n", "pause()  # trigger: ignore[TRG]\n")
    project.write({"jobs/two.py": helper, "jobs/third.py": caller})
    uri = editor.open(project.root / "jobs/third.py")
    await editor.diagnostics(uri, [])
    other = editor.open(project.root / "jobs/two.py")
    editor.replace(other, helper + "def more(")
    await editor.diagnostics(other, ["TRG901"])
    await editor.diagnostics(uri, [])
    editor.replace(other, helper.replace("time.sleep(1)", "print(1)"))
    await editor.diagnostics(uri, ["TRG902"])


async def test_file_that_is_broken_from_the_start(editor: Editor, project: CheckedProject) -> None:
    """It has one diagnostic; the other files are checked."""
    project.write({"jobs/two.py": TWO_JOBS, "jobs/broken.py": "def f(:\n"})
    broken = editor.open(project.root / "jobs/broken.py")
    await editor.diagnostics(broken, ["TRG901"])
    await editor.diagnostics((project.root / "jobs/two.py").as_uri(), ["TRG107", "TRG107"])


async def test_bytes_that_are_no_text_are_one_diagnostic(editor: Editor, project: CheckedProject) -> None:
    """A file on disk that is not UTF-8 is told of, and hurts nothing."""
    project.write({"jobs/two.py": TWO_JOBS, "jobs/latin.py": b"x = '\xe9'\n"})
    uri = editor.open(project.root / "jobs/two.py")
    await editor.diagnostics(uri, ["TRG107", "TRG107"])
    await editor.diagnostics((project.root / "jobs/latin.py").as_uri(), ["TRG901"])


async def test_windows_line_ends(editor: Editor, project: CheckedProject) -> None:
    """Ranges, edits and suppressions fit a text whose lines end with carriage returns."""
    project.write({"jobs/two.py": TWO_JOBS.replace("\n", "\r\n")})
    path: Path = project.root / "jobs/two.py"
    uri = editor.open(path)
    first, _ = await editor.diagnostics(uri, ["TRG107", "TRG107"])
    assert editor.text_in(uri, first.range) == "time.sleep(1)"
    actions = await editor.actions(uri, "time.sleep(1)")
    silence = next(action for action in actions if "in first()" in action["title"])
    editor.apply(editor.edit_of(silence))
    assert '# trigger: ignore[TRG107]\r\n@job(id="first")\r\n' in editor.texts[uri]
    assert editor.texts[uri].count("\n") == editor.texts[uri].count("\r\n")
    await editor.diagnostics(uri, ["TRG107"])
