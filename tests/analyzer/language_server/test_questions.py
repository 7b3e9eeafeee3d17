"""Hover, inlay hints, the way to the effect."""

import pytest
from lsprotocol import types

from tests.analyzer.language_server.conftest import StartEditor
from tests.fakes.checked_project import CheckedProject
from tests.fakes.editor import Editor
from tests.fakes.editor_protocol import capabilities

JOB = """\
import requests
from datetime import datetime
from trigger_sdk import Queue, job, sleep, task


def rates() -> dict:
    return requests.get("https://rates.example").json()


@task(name="charge")
async def charge(amount: float) -> None:
    print(amount)


@job(
    id="convert",
    queue=Queue("money", concurrency=1),
)
async def convert(amount: float) -> float:
    started = datetime.now()
    await charge(amount)
    await sleep(60)
    print(started)
    return amount * rates()["usd"]


async def other() -> None:
    print(datetime.now())
"""


@pytest.fixture
async def uri(editor: Editor, project: CheckedProject) -> str:
    """Return an open job."""
    project.write({"jobs/a.py": JOB})
    opened = editor.open(project.root / "jobs/a.py")
    await editor.diagnostics(opened, ["TRG101", "TRG201"])
    return opened


@pytest.mark.parametrize("at", ["convert(amount", "@job(", 'id="convert"', "queue="])
async def test_hover_on_a_job(editor: Editor, uri: str, at: str) -> None:
    """Its decorator and its name tell the id, the queue, the steps in order, and what was found."""
    shown = await editor.hover(uri, at, inside=1)
    assert shown.startswith("**job** `convert`")
    assert "queue `money`" in shown
    assert shown.index("`charge`") < shown.index("sleep")
    assert "TRG101 network-outside-task" in shown


@pytest.mark.parametrize("at", ["@task(", "charge(amount: "])
async def test_hover_on_a_task(editor: Editor, uri: str, at: str) -> None:
    """It tells that it is one, how it is declared, and which jobs call it."""
    shown = await editor.hover(uri, at, inside=1)
    assert shown.startswith("**task** `charge`")
    assert "A step of `convert`" in shown
    assert "@task(name='charge')" in shown


async def test_hover_on_a_step(editor: Editor, uri: str) -> None:
    """A task's call in a body tells that it is a step."""
    assert "`charge`** is a step of the job `convert`" in await editor.hover(uri, "charge(amount)\n", inside=2)


async def test_hover_on_a_finding(editor: Editor, uri: str) -> None:
    """It tells the message, the way down, and the rule's explanation."""
    shown = await editor.hover(uri, "rates()[", inside=2)
    assert "**TRG101**" in shown
    assert "calls requests.get (a.py:7)" in shown
    assert "## Why it matters" in shown


@pytest.mark.parametrize("at", ["import requests", "print(amount)", "other()"])
async def test_hover_elsewhere_shows_nothing(editor: Editor, uri: str, at: str) -> None:
    """Other servers answer there."""
    assert await editor.hover(uri, at) == ""


async def test_inlay_hint_where_a_call_is_recorded(editor: Editor, uri: str) -> None:
    """In the body alone, behind the call."""
    (hint,) = await editor.hints(uri)
    assert hint.label == "recorded"
    assert hint.position == editor.place(uri, "now()", inside=5)
    assert hint.padding_left


async def test_inlay_hints_follow_another_file(editor: Editor, project: CheckedProject) -> None:
    """The client is told to ask again when a helper's edit changes them."""
    helper = "from datetime import datetime\n\n\ndef stamp() -> str:\n    return datetime.now().isoformat()\n"
    job = (
        "from jobs.stamps import stamp\nfrom trigger_sdk import job\n\n\n"
        '@job(id="a")\nasync def a(x: int) -> str:\n    return stamp()\n'
    )
    project.write({"jobs/stamps.py": helper, "jobs/a.py": job})
    uri = editor.open(project.root / "jobs/a.py")
    assert [hint.label for hint in await editor.hints(uri)] == ["recorded"]
    other = editor.open(project.root / "jobs/stamps.py")
    await editor.quiet(other)
    editor.replace(other, 'def stamp() -> str:\n    return "now"\n')
    await editor.until(lambda: editor.refreshes)
    assert await editor.hints(uri) == []


async def test_inlay_hints_can_be_switched_off(start_editor: StartEditor, project: CheckedProject) -> None:
    """By the options that the client starts with."""
    project.write({"jobs/a.py": JOB})
    editor = await start_editor(options={"trigger": {"inlayHints": {"enable": False}}})
    uri = editor.open(project.root / "jobs/a.py")
    await editor.diagnostics(uri, ["TRG101", "TRG201"])
    assert await editor.hints(uri) == []


async def test_implementation_is_the_effect(editor: Editor, uri: str) -> None:
    """From the call in the body to the request."""
    (link,) = await editor.implementations(uri, "rates()[")
    assert isinstance(link, types.LocationLink)
    assert link.target_uri == uri
    assert editor.text_in(uri, link.target_selection_range).startswith("requests.get(")
    assert await editor.implementations(uri, "print(started)") is None


async def test_clients_without_related_places_read_the_way_in_the_message(
    start_editor: StartEditor, project: CheckedProject
) -> None:
    """And get plain locations, where they do not take links."""
    project.write({"jobs/a.py": JOB})
    editor = await start_editor(can=capabilities(rich=False))
    uri = editor.open(project.root / "jobs/a.py")
    found = await editor.diagnostics(uri, ["TRG101", "TRG201"])
    network = next(diagnostic for diagnostic in found if diagnostic.code == "TRG101")
    assert network.related_information is None
    assert network.message.endswith("\n  calls requests.get (a.py:7)")
    (place,) = await editor.implementations(uri, "rates()[")
    assert isinstance(place, types.Location)
