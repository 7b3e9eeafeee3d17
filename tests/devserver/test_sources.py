"""What counts as a source file, and what counts as a change of one."""

import os
from collections.abc import Callable
from pathlib import Path

import pytest

from devserver.sources import Change, Sources
from tests.devserver.conftest import Write
from trigger_sdk.protocol.project import Project, load_project

Looked = Callable[[], list[Change]]


@pytest.fixture
def sources(project: Project) -> Sources:
    """Return the project's sources, looked at once."""
    sources = Sources(project)
    sources.accept(sources.look())
    return sources


def changes(sources: Sources, *touched: Path) -> list[tuple[str, str]]:
    """Return what changed since the last look, as (path, kind)."""
    look = sources.glance(map(str, touched)) if touched else sources.look()
    sources.accept(look)
    return [(change.path, change.kind) for change in look.changes]


def test_first_look_finds_everything(project: Project) -> None:
    """Everything is new the first time."""
    look = Sources(project).look()
    assert [(change.path, change.kind) for change in look.changes] == [
        ("jobs/first.py", "created"),
        ("trigger.toml", "created"),
    ]


def test_save_is_a_change(sources: Sources, write: Write) -> None:
    """Another content, one change; looked at again, none."""
    write("jobs/first.py", "VERSION = 2\n")
    assert changes(sources) == [("jobs/first.py", "changed")]
    assert changes(sources) == []


def test_touch_is_no_change(sources: Sources, root: Path) -> None:
    """Another time stamp alone means nothing."""
    os.utime(root / "jobs" / "first.py", (1, 1))
    assert changes(sources) == []
    assert changes(sources, root / "jobs" / "first.py") == []


def test_identical_save_is_no_change(sources: Sources, root: Path, write: Write) -> None:
    """A file that is written anew with what it held is as it was, also by way of another inode."""
    write("jobs/first.py", "VERSION = 1\n")
    write("jobs/first.tmp", "VERSION = 1\n").rename(root / "jobs" / "first.py")
    assert changes(sources) == []


def test_two_saves_of_one_size_within_a_clock_step(sources: Sources, root: Path, write: Write) -> None:
    """Two writes that leave the same size and time stamp are told apart."""
    path = write("jobs/first.py", "VERSION = 2\n")
    stamp = path.stat()
    assert changes(sources) == [("jobs/first.py", "changed")]
    path.write_text("VERSION = 3\n")
    os.utime(path, ns=(stamp.st_atime_ns, stamp.st_mtime_ns))
    assert changes(sources) == [("jobs/first.py", "changed")]


def test_new_and_deleted_files(sources: Sources, root: Path, write: Write) -> None:
    """Files come and go, whole folders too."""
    write("jobs/more/deep.py", "")
    write("library.py", "")
    assert changes(sources) == [("jobs/more/deep.py", "created"), ("library.py", "created")]
    (root / "jobs" / "more").rename(root / "jobs" / "other")
    assert changes(sources) == [("jobs/more/deep.py", "deleted"), ("jobs/other/deep.py", "created")]


@pytest.mark.parametrize("name", ["trigger.toml", "pyproject.toml", ".env"])
def test_configuration_is_watched(sources: Sources, root: Path, write: Write, name: str) -> None:
    """The files in the root that decide how the project runs."""
    path = write(name, "# changed\n")
    assert sources.concerns(str(path))
    assert [path for path, _ in changes(sources)] == [name]


@pytest.mark.parametrize(
    "name",
    [
        ".venv/lib/a.py", "env/lib/a.py", "node_modules/a.py", "__pycache__/a.py", ".git/a.py", ".trigger/a.py",
        "jobs/a.log", "jobs/.#a.py", "jobs/a.pyc", "data.json", "jobs/trigger.toml",
    ],
)  # fmt: skip
def test_what_is_no_source_is_ignored(sources: Sources, write: Write, name: str) -> None:
    """Environments, caches, logs, editors' locks: neither an event of theirs nor a look finds anything."""
    write("env/pyvenv.cfg", "")
    path = write(name, "x")
    assert not sources.concerns(str(path))
    assert changes(sources) == []


def test_event_of_one_file_reads_one_file(sources: Sources, root: Path, write: Write) -> None:
    """A glance finds the file it is told of, and leaves the rest to the next look."""
    write("jobs/first.py", "VERSION = 2\n")
    write("jobs/second.py", "")
    assert changes(sources, root / "jobs" / "second.py") == [("jobs/second.py", "created")]
    assert changes(sources) == [("jobs/first.py", "changed")]


def test_event_of_a_folder_looks_at_everything(sources: Sources, root: Path, write: Write) -> None:
    """A folder that was moved in brings files of which there is no event."""
    write("jobs/new/a.py", "")
    assert sources.concerns(str(root / "jobs" / "new"))
    assert changes(sources, root / "jobs" / "new") == [("jobs/new/a.py", "created")]


def test_middle_of_a_save_is_not_settled(sources: Sources, root: Path) -> None:
    """A file that is gone or empty may be about to come back."""
    path = root / "jobs" / "first.py"
    path.write_text("")
    assert not sources.look().settled
    path.unlink()
    assert not sources.look().settled
    path.write_text("VERSION = 2\n")
    assert sources.look().settled


def test_source_roots_are_watched_once(root: Path, write: Write) -> None:
    """A src layout lies inside the root: no file is found twice."""
    write("src/shop/__init__.py", "")
    project = load_project(root)
    assert project.import_roots == (root / "src", root)
    paths = [change.path for change in Sources(project).look().changes]
    assert paths == ["jobs/first.py", "src/shop/__init__.py", "trigger.toml"]


def test_circle_of_links_ends(sources: Sources, root: Path) -> None:
    """A link to a folder above is not followed."""
    (root / "jobs" / "loop").symlink_to(root)
    assert changes(sources) == []
