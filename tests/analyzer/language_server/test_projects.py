"""Which project a file belongs to, its configuration, and what happens outside the editor."""

from pathlib import Path

import pytest
from lsprotocol import types

from tests.analyzer.language_server.conftest import StartEditor
from tests.fakes.checked_project import CheckedProject
from tests.fakes.editor import Editor
from tests.fakes.editor_protocol import capabilities

JOB = """\
import time

from trigger_sdk import job


@job(id="a")
async def a(x: int) -> None:
    time.sleep(x)
"""
HELPER = 'import requests\n\n\ndef ask() -> None:\n    requests.get("https://a.example")\n'
CALLER = """\
from jobs.helper import ask
from trigger_sdk import job


@job(id="a")
async def a(x: int) -> None:
    ask()
"""
QUIET_HELPER = "def ask() -> None:\n    print(1)\n"


async def test_file_outside_any_project_has_no_diagnostics(
    editor: Editor, project: CheckedProject, tmp_path: Path
) -> None:
    """Nothing is said of it, and every question has an answer."""
    stray = tmp_path / "stray.py"
    stray.write_text(JOB)
    uri = editor.open(stray)
    project.write({"jobs/a.py": JOB})
    await editor.diagnostics(editor.open(project.root / "jobs/a.py"), ["TRG107"])
    assert await editor.hover(uri, "time.sleep") == ""
    assert await editor.hints(uri) == []
    assert await editor.actions(uri, "time.sleep") == []
    assert uri not in editor.published


@pytest.mark.parametrize(
    "uri",
    [
        "untitled:Untitled-1",
        "vscode-notebook-cell:/tmp/a.ipynb#W0",
        "file:///c%3A/projects/x/jobs/a.py",
        "file:///C:/projects/x/jobs/a.py",
        "file://server/share/jobs/a.py",
        "file:///nowhere/%00/a.py",
        "file:///nowhere/%ff%fe/a.py",
        "not a uri at all",
        "http://[broken/a.py",
        "",
    ],
)
async def test_documents_that_are_no_files_are_left_alone(editor: Editor, uri: str) -> None:
    """No diagnostics, no crash: not of untitled documents, notebooks, other machines' drives."""
    editor.open(uri, JOB)
    editor.type(uri, "time.sleep(x)", "time.sleep(2)")
    assert await editor.hover(uri, "time.sleep") == ""
    assert await editor.actions(uri, "time.sleep") == []
    editor.close(uri)
    assert await editor.stop() == 0
    assert (editor.published, editor.told, editor.logged) == ({}, [], [])


@pytest.mark.parametrize("encoded", [True, False])
async def test_names_with_spaces_and_wide_characters(editor: Editor, folder: Path, encoded: bool) -> None:
    """The client's own spelling of the URI comes back, percent signs or not."""
    project = CheckedProject(root=folder / "my shop 100% 漢字")
    project.write({"jobs/a.py": JOB})
    path = project.root / "jobs/a.py"
    uri = path.as_uri() if encoded else f"file://{path}".replace("%", "%25")
    editor.open(uri, JOB)
    await editor.diagnostics(uri, ["TRG107"])
    assert set(editor.published) == {uri}


async def test_links_lead_to_the_same_file(editor: Editor, project: CheckedProject, tmp_path: Path) -> None:
    """A project opened through a link is checked, and told of under the name that the client knows."""
    project.write({"jobs/helper.py": HELPER, "jobs/a.py": CALLER})
    link = tmp_path / "link"
    link.symlink_to(project.root, target_is_directory=True)
    uri = editor.open(link / "jobs/a.py")
    await editor.diagnostics(uri, ["TRG101"])
    helper = editor.open(link / "jobs/helper.py")
    editor.replace(helper, QUIET_HELPER)
    await editor.diagnostics(uri, [])


async def test_two_projects_in_one_workspace(editor: Editor, folder: Path) -> None:
    """Each is checked by its own configuration, and knows its own modules of the same name."""
    one, two = CheckedProject(root=folder / "one"), CheckedProject(root=folder / "two")
    one.write({"jobs/helper.py": HELPER, "jobs/a.py": CALLER})
    two.write({"jobs/helper.py": QUIET_HELPER, "jobs/a.py": CALLER, "jobs/b.py": JOB.replace('"a"', '"b"')})
    (two.root / "trigger.toml").write_text('dirs = ["jobs"]\n[check]\nignore = ["TRG107"]\n')
    first, second = editor.open(one.root / "jobs/a.py"), editor.open(two.root / "jobs/a.py")
    await editor.diagnostics(first, ["TRG101"])
    await editor.diagnostics(second, [])
    other = editor.open(two.root / "jobs/b.py")
    await editor.diagnostics(other, [])
    editor.type(second, "    ask()\n", "    open('f')\n")
    await editor.diagnostics(second, ["TRG102"])
    await editor.diagnostics(first, ["TRG101"])
    editor.close(second)
    editor.close(other)
    await editor.quiet(first)
    # Nothing of it is open any more: what is said of its files goes.
    assert all(not said[-1].diagnostics for uri, said in editor.published.items() if "/two/" in uri)


async def test_nested_project_is_its_own(editor: Editor, project: CheckedProject) -> None:
    """A file belongs to the nearest configuration above it; one that comes later counts once it is there."""
    project.write({"jobs/a.py": JOB, "jobs/inner/jobs/b.py": JOB.replace('"a"', '"b"')})
    uri = editor.open(project.root / "jobs/inner/jobs/b.py")
    await editor.diagnostics(uri, ["TRG107"])
    inner = project.root / "jobs/inner/trigger.toml"
    inner.write_text('dirs = ["jobs"]\n[check]\nignore = ["TRG1"]\n')
    editor.changed_on_disk(inner)
    await editor.diagnostics(uri, [])


async def test_broken_configuration_is_a_diagnostic(editor: Editor, project: CheckedProject) -> None:
    """It stands on the line that is wrong, what was known stays, and saving it right makes it go."""
    project.write({"jobs/a.py": JOB})
    uri = editor.open(project.root / "jobs/a.py")
    await editor.diagnostics(uri, ["TRG107"])
    file = project.root / "trigger.toml"
    editor.open(file, language="toml")
    file.write_text('dirs = ["jobs"]\nguard = "sometimes"\n')
    editor.changed_on_disk(file)
    (found,) = await editor.diagnostics(file.as_uri(), ["project-invalid"])
    assert found.range.start.line == 1
    assert found.severity is types.DiagnosticSeverity.Error
    editor.type(uri, "time.sleep(x)", "time.sleep(2)")
    await editor.diagnostics(uri, ["TRG107"])
    editor.replace(file.as_uri(), 'dirs = ["jobs"]\n[check]\nignore = ["TRG107"]\n')
    editor.save(file.as_uri(), file)
    await editor.diagnostics(file.as_uri(), [])
    await editor.diagnostics(uri, [])


@pytest.mark.parametrize(
    ("text", "code", "line"),
    [
        ('dirs = ["jobs"\nguard = 1\n', "project-invalid", 1),
        ('dirs = ["jobs"]\n\n[check]\nselekt = ["TRG1"]\n', "check-settings-invalid", 3),
        ('dirs = ["jobs", "nowhere"]\n', "project-invalid", 0),
        ('name = "shop"\ndirs = "jobs"\n', "project-invalid", 1),
        ('dirs = ["jobs"]\n[check]\nignore = ["TRG999"]\n', "check-settings-invalid", 2),
    ],
)
async def test_configuration_that_is_broken_from_the_start(
    editor: Editor, project: CheckedProject, text: str, code: str, line: int
) -> None:
    """It is told of on its line; once it is right, the files are checked."""
    project.write({"jobs/a.py": JOB})
    file = project.root / "trigger.toml"
    file.write_text(text)
    uri = editor.open(project.root / "jobs/a.py")
    (found,) = await editor.diagnostics(file.as_uri(), [code])
    assert found.range.start.line == line
    assert found.range.end.character > found.range.start.character
    file.write_text('dirs = ["jobs"]\n')
    editor.changed_on_disk(file)
    await editor.diagnostics(file.as_uri(), [])
    await editor.diagnostics(uri, ["TRG107"])


async def test_table_of_a_pyproject(editor: Editor, folder: Path) -> None:
    """`[tool.trigger]` configures a project as a trigger.toml does; without the table it is none of ours."""
    root = folder / "app"
    (root / "jobs").mkdir(parents=True)
    (root / "jobs/a.py").write_text(JOB)
    file = root / "pyproject.toml"
    file.write_text('[project]\nname = "app"\n[tool.trigger]\ndirs = ["jobs"]\n[tool.trigger.check]\nselect = ["X"]\n')
    uri = editor.open(root / "jobs/a.py")
    (found,) = await editor.diagnostics(file.as_uri(), ["check-settings-invalid"])
    assert found.range.start.line == 5
    file.write_text('[project]\nname = "app"\n')
    editor.changed_on_disk(file)
    await editor.diagnostics(file.as_uri(), [])
    assert not editor.published.get(uri, [types.PublishDiagnosticsParams(uri="", diagnostics=[])])[-1].diagnostics


async def test_change_outside_the_editor_counts(editor: Editor, project: CheckedProject) -> None:
    """A file that another program wrote, removed or brought back, as `git checkout` does."""
    project.write({"jobs/helper.py": HELPER, "jobs/a.py": CALLER})
    await editor.until(lambda: "workspace/didChangeWatchedFiles" in editor.registered)
    uri = editor.open(project.root / "jobs/a.py")
    await editor.diagnostics(uri, ["TRG101"])
    helper = project.root / "jobs/helper.py"
    helper.write_text(QUIET_HELPER)
    editor.changed_on_disk(helper)
    await editor.diagnostics(uri, [])
    helper.write_text(HELPER)
    editor.changed_on_disk(helper)
    await editor.diagnostics(uri, ["TRG101"])
    helper.unlink()
    editor.changed_on_disk(helper)
    await editor.diagnostics(uri, [])


async def test_file_that_is_removed_loses_its_diagnostics(editor: Editor, project: CheckedProject) -> None:
    """Closed and removed, or renamed: nothing stays behind under the old name."""
    project.write({"jobs/a.py": JOB, "jobs/b.py": JOB.replace('"a"', '"b"')})
    old, new = project.root / "jobs/a.py", project.root / "jobs/renamed.py"
    kept = editor.open(project.root / "jobs/b.py")
    uri = editor.open(old)
    await editor.diagnostics(uri, ["TRG107"])
    old.rename(new)
    editor.close(uri)
    editor.changed_on_disk(old, new)
    moved = editor.open(new)
    await editor.diagnostics(moved, ["TRG107"])
    await editor.diagnostics(uri, [])
    await editor.diagnostics(kept, ["TRG107"])


async def test_closed_file_keeps_what_is_saved(editor: Editor, project: CheckedProject) -> None:
    """As long as something of the project is open, its files are told of by what is on disk."""
    project.write({"jobs/a.py": JOB, "jobs/b.py": "X = 1\n"})
    editor.open(project.root / "jobs/b.py")
    uri = editor.open(project.root / "jobs/a.py")
    await editor.diagnostics(uri, ["TRG107"])
    editor.replace(uri, "X = 1\n")
    await editor.diagnostics(uri, [])
    editor.close(uri)
    await editor.diagnostics(uri, ["TRG107"])


async def test_settings_switch_diagnostics(start_editor: StartEditor, project: CheckedProject) -> None:
    """The client is asked for them; when they change, diagnostics go and come back."""
    project.write({"jobs/a.py": JOB})
    editor = await start_editor(can=capabilities(settings=True))
    uri = editor.open(project.root / "jobs/a.py")
    await editor.diagnostics(uri, ["TRG107"])
    editor.settings = {"check": {"enable": False}}
    changed = types.DidChangeConfigurationParams(settings=None)
    editor.client.workspace_did_change_configuration(changed)
    await editor.diagnostics(uri, [])
    given = types.DidChangeConfigurationParams(settings={"trigger": {"check": {"enable": True}}})
    editor.client.workspace_did_change_configuration(given)
    await editor.diagnostics(uri, ["TRG107"])
