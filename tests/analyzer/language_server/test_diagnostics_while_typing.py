"""Diagnostics follow what is typed, in this file and in others."""

import pytest
from lsprotocol import types

from tests.fakes.checked_project import CheckedProject
from tests.fakes.editor import Editor

RATES = """\
import requests


def rates() -> dict:
    return requests.get("https://rates.example").json()
"""

CONVERT = """\
from trigger_sdk import job

from jobs.rates import rates


@job(id="convert")
async def convert(amount: float) -> float:
    return amount * rates()["usd"]
"""

PURE = 'def rates() -> dict:\n    return {"usd": 1.1}\n'


@pytest.fixture
def shop(project: CheckedProject) -> CheckedProject:
    """Return a project whose job leads to the network through another file."""
    project.write({"jobs/rates.py": RATES, "jobs/convert.py": CONVERT})
    return project


async def test_open_file_gets_diagnostics(editor: Editor, shop: CheckedProject) -> None:
    """A finding has its code, severity, source, range, version and the way down to the effect."""
    uri = editor.open(shop.root / "jobs/convert.py")
    (found,) = await editor.diagnostics(uri, ["TRG101"])
    assert found.severity is types.DiagnosticSeverity.Error
    assert found.source == "trigger"
    assert editor.text_in(uri, found.range) == "rates()"
    (link,) = found.related_information or ()
    assert link.message == "calls requests.get"
    assert link.location.uri == (shop.root / "jobs/rates.py").as_uri()
    assert (link.location.range.start.line, link.location.range.start.character) == (4, 11)
    assert editor.published[uri][-1].version == 1


async def test_edit_changes_diagnostics(editor: Editor, shop: CheckedProject) -> None:
    """What is typed is checked before it is saved, and published with its version."""
    uri = editor.open(shop.root / "jobs/convert.py")
    await editor.diagnostics(uri, ["TRG101"])
    editor.type(uri, 'rates()["usd"]', "2")
    assert await editor.diagnostics(uri, []) == []
    editor.type(uri, "amount * 2", "amount * rates()")
    await editor.diagnostics(uri, ["TRG101"])
    assert [published.version for published in editor.published[uri]] == [1, 2, 3]


async def test_unsaved_text_of_another_file_counts(editor: Editor, shop: CheckedProject) -> None:
    """A helper that is changed in its own tab changes the findings in the job's."""
    job = editor.open(shop.root / "jobs/convert.py")
    await editor.diagnostics(job, ["TRG101"])
    helper = editor.open(shop.root / "jobs/rates.py")
    editor.replace(helper, PURE)
    await editor.diagnostics(job, [])
    editor.replace(helper, RATES)
    await editor.diagnostics(job, ["TRG101"])
    editor.replace(helper, PURE)
    await editor.diagnostics(job, [])
    editor.close(helper)  # not saved: what is on disk counts again
    await editor.diagnostics(job, ["TRG101"])


async def test_file_that_is_not_open_gets_diagnostics(editor: Editor, shop: CheckedProject) -> None:
    """Editing a helper tells of the job that it breaks, though nobody has that open."""
    helper = editor.open(shop.root / "jobs/rates.py")
    job = (shop.root / "jobs/convert.py").as_uri()
    await editor.diagnostics(job, ["TRG101"])
    assert editor.published[job][-1].version is None
    editor.replace(helper, PURE)
    await editor.diagnostics(job, [])


async def test_many_edits_end_in_the_right_state(editor: Editor, shop: CheckedProject) -> None:
    """Fifty edits without a pause: the last text's findings are the last published, and no version goes back."""
    uri = editor.open(shop.root / "jobs/convert.py")
    for number in range(50):
        editor.replace(uri, CONVERT if number % 2 else CONVERT.replace("rates()", "{'usd': 1}"))
    await editor.diagnostics(uri, ["TRG101"], version=51)
    await editor.quiet(uri)
    versions = [published.version for published in editor.published[uri] if published.version is not None]
    assert versions == sorted(versions)
    assert len(versions) < 51
    assert editor.published[uri][-1].version == 51


async def test_edits_at_positions_add_up(editor: Editor, project: CheckedProject) -> None:
    """Text that is typed character by character, over lines with form feeds, is what the check sees."""
    project.write({"jobs/a.py": 'PAGE = "\x0c\u2028"\nfrom trigger_sdk import job\n#end\n'})
    uri = editor.open(project.root / "jobs/a.py")
    await editor.diagnostics(uri, [])
    body = 'import time\n\n\n@job(id="a")\nasync def a(x: int) -> None:\n    time.sleep(1)\n'
    for index in range(len(body)):
        editor.type(uri, "#end", body[index] + "#end")
    (found,) = await editor.diagnostics(uri, ["TRG107"])
    assert editor.text_in(uri, found.range) == "time.sleep(1)"


async def test_new_file_is_checked_before_it_is_saved(editor: Editor, project: CheckedProject) -> None:
    """A file that the editor has and the disk has not is a file of jobs all the same."""
    project.write({"jobs/rates.py": RATES})
    uri = editor.open(project.root / "jobs/new.py", CONVERT)
    await editor.diagnostics(uri, ["TRG101"])


async def test_hints_are_seen_and_do_not_alarm(editor: Editor, project: CheckedProject) -> None:
    """A recorded call is a hint; a hint that wants action is information; a comment too many is unnecessary."""
    text = (
        "from datetime import datetime\n\nfrom trigger_sdk import job, send_event, wait_for_event\n\n\n"
        '@job(id="a")\nasync def a(x: int) -> None:\n    print(datetime.now())\n'
        '    await wait_for_event("order.piad")\n    print(1)  # trigger: ignore[TRG101]\n'
        '    await send_event("order.paid", {})\n'
    )
    project.write({"jobs/a.py": text})
    uri = editor.open(project.root / "jobs/a.py")
    found = await editor.diagnostics(uri, ["TRG201", "TRG507", "TRG902"])
    by_code = {diagnostic.code: diagnostic for diagnostic in found}
    assert by_code["TRG201"].severity is types.DiagnosticSeverity.Hint
    assert by_code["TRG507"].severity is types.DiagnosticSeverity.Information
    assert list(by_code["TRG902"].tags or ()) == [types.DiagnosticTag.Unnecessary]
