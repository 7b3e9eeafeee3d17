"""Columns are counted as the client counts them, with wide characters before them and behind."""

import pytest

from tests.analyzer.language_server.conftest import StartEditor
from tests.fakes.checked_project import CheckedProject
from tests.fakes.editor_protocol import capabilities

WIDE = """\
import requests
from trigger_sdk import job


@job(id="wide")
async def wide(x: int) -> None:
    s = "\U0001f600漢字é"; requests.get("https://\U0001f600.example"); print("漢", s)
"""

NEGOTIATIONS = [
    (None, "utf-16"),
    ([], "utf-16"),
    (["utf-8", "utf-16"], "utf-8"),
    (["utf-32", "utf-16"], "utf-32"),
    (["utf-16"], "utf-16"),
    (["ebcdic", "utf-32"], "utf-32"),
]


@pytest.mark.parametrize(("offered", "chosen"), NEGOTIATIONS, ids=str)
async def test_columns_are_in_what_was_agreed_on(
    start_editor: StartEditor, project: CheckedProject, offered: list[str] | None, chosen: str
) -> None:
    """The range holds the call, edits behind wide characters hit, and so do the server's own edits."""
    project.write({"jobs/wide.py": WIDE})
    editor = await start_editor(can=capabilities(encodings=offered))
    encoding = editor.result.capabilities.position_encoding
    assert getattr(encoding, "value", encoding) == chosen
    uri = editor.open(project.root / "jobs/wide.py")
    (found,) = await editor.diagnostics(uri, ["TRG101"])
    assert editor.text_in(uri, found.range) == 'requests.get("https://\U0001f600.example")'
    editor.type(uri, '"漢"', '"\U0001f600字"')
    editor.type(uri, "; print(", ";  print(")
    editor.type(uri, "é", "\U0001f600e")
    (found,) = await editor.diagnostics(uri, ["TRG101"])
    assert editor.text_in(uri, found.range) == 'requests.get("https://\U0001f600.example")'
    assert "Finds requests" in await editor.hover(uri, "requests.get", inside=3)
    silence = next(action for action in await editor.actions(uri, "requests.get") if "on this line" in action["title"])
    editor.apply(editor.edit_of(silence))
    assert editor.texts[uri].splitlines()[6].endswith("s)  # trigger: ignore[TRG101]")
    await editor.diagnostics(uri, [])
