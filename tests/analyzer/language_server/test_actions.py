"""Code actions: what they offer, and that what they do makes the finding go."""

from collections.abc import Callable

import pytest
from lsprotocol import types

from tests.analyzer.language_server.conftest import StartEditor
from tests.fakes.checked_project import CheckedProject
from tests.fakes.editor import Editor
from tests.fakes.editor_protocol import capabilities

JOB = """\
import time

import requests
from trigger_sdk import job, task


def rates() -> dict:
    return requests.get("https://rates.example").json()


@task
async def charge(amount: float) -> None:
    print(amount)


@job(id="convert")
async def convert(amount: float) -> float:
    time.sleep(3)
    charge(amount)
    return amount * rates()["usd"]
"""
CODES = ["TRG101", "TRG107", "TRG401"]


@pytest.fixture
async def uri(editor: Editor, project: CheckedProject) -> str:
    """Return an open job with three findings."""
    project.write({"jobs/a.py": JOB})
    opened = editor.open(project.root / "jobs/a.py")
    await editor.diagnostics(opened, CODES)
    return opened


async def test_fix_makes_the_finding_go(editor: Editor, uri: str) -> None:
    """The preferred action of a missing await adds it, for the version that is open."""
    actions = await editor.actions(uri, "charge(amount)")
    fix = next(action for action in actions if action.get("isPreferred"))
    assert fix["kind"] == "quickfix"
    assert [diagnostic["code"] for diagnostic in fix["diagnostics"]] == ["TRG401"]
    editor.apply(editor.edit_of(fix))
    assert "    await charge(amount)\n" in editor.texts[uri]
    await editor.diagnostics(uri, ["TRG101", "TRG107"])


async def test_fixes_one_after_the_other_end_clean(editor: Editor, uri: str) -> None:
    """What is applied by the client, action for action, leads to a file without findings."""
    remaining = list(CODES)
    for at in ("charge(amount)", "time.sleep(3)", "rates()["):
        fix = next(action for action in await editor.actions(uri, at) if "edit" in action)
        code = fix["diagnostics"][0]["code"]
        assert "trigger: ignore" not in fix["title"]
        editor.apply(editor.edit_of(fix))
        remaining.remove(code)
        await editor.diagnostics(uri, remaining)


async def test_block_with_all_that_uses_a_handle_is_lifted(editor: Editor, project: CheckedProject) -> None:
    """What a call gives that cannot be stored goes into the task with its uses, as on the command line."""
    text = (
        "import sqlite3\n\nfrom trigger_sdk import job\n\n\n@job(id='b')\nasync def b(name: str) -> int:\n"
        "    base = sqlite3.connect(name)\n    rows = base.execute('select 1').fetchall()\n    return len(rows)\n"
    )
    project.write({"jobs/b.py": text})
    uri = editor.open(project.root / "jobs/b.py")
    await editor.diagnostics(uri, ["TRG103", "TRG103"])
    fix = next(action for action in await editor.actions(uri, "sqlite3.connect") if "edit" in action)
    assert fix["title"] == "Lift the block into a task, load_rows (look it over)"
    editor.apply(editor.edit_of(fix))
    assert "    rows = await load_rows(name)\n    return len(rows)\n" in editor.texts[uri]
    await editor.diagnostics(uri, [])


@pytest.mark.parametrize(
    ("title", "at", "written", "left"),
    [
        ("on this line", "rates()[", 'rates()["usd"]  # trigger: ignore[TRG101]\n', ["TRG107", "TRG401"]),
        ("in convert()", "time.sleep", '# trigger: ignore[TRG107]\n@job(id="convert")', ["TRG101", "TRG401"]),
    ],
    ids=["at the line's end", "above the decorator, for the whole body"],
)
async def test_suppression_makes_the_finding_go(
    title: str, at: str, written: str, left: list[str], editor: Editor, uri: str
) -> None:
    """The comment is written where it counts, and the others stay."""
    silence = next(action for action in await editor.actions(uri, at) if title in action["title"])
    editor.apply(editor.edit_of(silence))
    assert written in editor.texts[uri]
    await editor.diagnostics(uri, left)


async def test_suppression_where_the_effect_is(editor: Editor, project: CheckedProject) -> None:
    """In a helper of another file it silences everybody who calls it; the edit reaches that file."""
    project.write(
        {
            "jobs/rates.py": JOB[: JOB.index("@task")],
            "jobs/b.py": 'from jobs.rates import rates\nfrom trigger_sdk import job\n\n\n@job(id="b")\n'
            "async def b(x: int) -> object:\n    return rates()\n",
        }
    )
    uri = editor.open(project.root / "jobs/b.py")
    await editor.diagnostics(uri, ["TRG101"])
    actions = await editor.actions(uri, "rates()\n")
    silence = next(action for action in actions if "where the effect is" in action["title"])
    editor.apply(editor.edit_of(silence))
    helper = project.root / "jobs/rates.py"
    assert "# trigger: ignore[TRG101]\ndef rates()" in helper.read_text()
    editor.changed_on_disk(helper)
    await editor.diagnostics(uri, [])


async def test_fix_all_makes_the_safe_fixes(editor: Editor, uri: str) -> None:
    """`source.fixAll` is asked for alone, resolved lazily, and leaves what wants a look."""
    (action,) = await editor.actions(uri, "import time", only=["source.fixAll"])
    assert action["kind"] == "source.fixAll.trigger"
    assert "edit" not in action
    resolved = await editor.resolve(action)
    assert resolved.edit is not None
    editor.apply(resolved.edit)
    assert "await charge(amount)" in editor.texts[uri]
    assert "requests.get" in editor.texts[uri]


async def test_fix_all_comes_whole_to_clients_that_do_not_resolve(
    start_editor: StartEditor, project: CheckedProject
) -> None:
    """They get the edit with the action, when they ask for its kind, and plain changes."""
    project.write({"jobs/a.py": JOB})
    editor = await start_editor(can=capabilities(rich=False))
    uri = editor.open(project.root / "jobs/a.py")
    await editor.diagnostics(uri, CODES)
    (action,) = await editor.actions(uri, "import time", only=["source.fixAll.trigger"])
    edit = editor.edit_of(action)
    assert edit.document_changes is None
    editor.apply(edit)
    assert "await charge(amount)" in editor.texts[uri]


async def test_kinds_that_are_not_asked_for_stay_away(editor: Editor, uri: str) -> None:
    """A client that organizes imports gets nothing from us."""
    assert await editor.actions(uri, "charge(amount)", only=["source.organizeImports"]) == []
    kinds = {action["kind"] for action in await editor.actions(uri, "charge(amount)", only=["quickfix"])}
    assert kinds == {"quickfix"}


async def test_go_to_the_effect_shows_it(editor: Editor, uri: str) -> None:
    """The action asks the client to show where the network is reached."""
    actions = await editor.actions(uri, "rates()[")
    go = next(action for action in actions if action["title"].startswith("Go to the effect"))
    assert go["title"] == "Go to the effect: calls requests.get (a.py:8)"
    await editor.run(go["command"])
    await editor.until(lambda: editor.shown)
    shown = editor.shown[0]
    assert shown.uri == uri
    assert shown.selection is not None
    assert editor.text_in(uri, shown.selection).startswith("requests.get(")


async def test_rule_is_explained(editor: Editor, uri: str, read: Callable[[str], str]) -> None:
    """The action opens a page with the rule's explanation."""
    actions = await editor.actions(uri, "time.sleep")
    explain = next(action for action in actions if action["title"].startswith("Explain"))
    await editor.run(explain["command"])
    await editor.until(lambda: editor.shown)
    page = read(editor.shown[0].uri)
    assert page.startswith("# TRG107")
    assert "## Why it matters" in page


async def test_rule_is_explained_to_clients_that_show_nothing(
    start_editor: StartEditor, project: CheckedProject
) -> None:
    """A message says what the rule is, and how to read more."""
    project.write({"jobs/a.py": JOB})
    editor = await start_editor(can=capabilities(rich=False))
    uri = editor.open(project.root / "jobs/a.py")
    await editor.diagnostics(uri, CODES)
    actions = await editor.actions(uri, "time.sleep")
    assert not [action for action in actions if action["title"].startswith("Go to")]
    explain = next(action for action in actions if action["title"].startswith("Explain"))
    await editor.run(explain["command"])
    (message,) = await editor.until(lambda: editor.told)
    assert "`trigger rule TRG107`" in message


async def test_actions_are_about_the_newest_text(editor: Editor, uri: str) -> None:
    """Asked right after an edit, the answer waits for the check of it."""
    editor.replace(uri, "\n\n" + editor.texts[uri])
    fix = next(action for action in await editor.actions(uri, "charge(amount)") if action.get("isPreferred"))
    edit = editor.edit_of(fix)
    assert edit.document_changes is not None
    first = edit.document_changes[0]
    assert isinstance(first, types.TextDocumentEdit)
    assert first.text_document.version == 2
    editor.apply(edit)
    assert "    await charge(amount)\n" in editor.texts[uri]
