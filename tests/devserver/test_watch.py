"""Saves are noticed: soon, once, and whatever way an editor has of saving."""

import asyncio
import os
import subprocess
import sys
import textwrap
from collections.abc import AsyncIterator, Callable, Sequence
from contextlib import suppress
from pathlib import Path

import pytest

from devserver.sources import Change, Sources
from devserver.watch import SourceWatch, WatchTiming
from tests.devserver.conftest import Eventually, Write
from trigger_sdk.protocol.problem import Problem
from trigger_sdk.protocol.project import Project

QUIET_S = 0.4
"""Long enough for a save to be noticed, several times over."""


class Watched:
    """What a watch told."""

    def __init__(self, sources: Sources, timing: WatchTiming | None = None) -> None:
        self.reports: list[list[tuple[str, str]]] = []
        self.problems: list[Problem] = []
        self.watch = SourceWatch(sources, self._changed, self.problems.append, timing=timing)

    def _changed(self, changes: Sequence[Change]) -> None:
        self.reports.append([(change.path, change.kind) for change in changes])


@pytest.fixture
def sources(project: Project) -> Sources:
    """Return the project's sources, looked at once."""
    sources = Sources(project)
    sources.accept(sources.look())
    return sources


@pytest.fixture
async def watched(sources: Sources, eventually: Eventually) -> AsyncIterator[Watched]:
    """Return what a watch tells; it stands, as a probe has shown."""
    watched = Watched(sources)
    task = asyncio.create_task(watched.watch.run())
    probe = sources.root / "probe.py"
    await asyncio.to_thread(probe.write_text, "1")
    await eventually(lambda: watched.reports)
    await asyncio.to_thread(probe.unlink)
    await eventually(lambda: len(watched.reports) == 2)
    watched.reports.clear()
    yield watched
    task.cancel()
    with suppress(asyncio.CancelledError):
        await task


async def test_save_is_reported_once(watched: Watched, eventually: Eventually, write: Write) -> None:
    """One save, one report, which names the file."""
    write("jobs/first.py", "VERSION = 2\n")
    await eventually(lambda: watched.reports)
    await asyncio.sleep(QUIET_S)
    assert watched.reports == [[("jobs/first.py", "changed")]]


async def test_touch_and_identical_save_do_nothing(watched: Watched, root: Path, write: Write) -> None:
    """There are events, and nothing changed."""
    os.utime(root / "jobs" / "first.py")
    write("jobs/first.py", "VERSION = 1\n")
    await asyncio.sleep(QUIET_S)
    assert watched.reports == []


def save_by_rename(path: Path, text: str) -> None:
    """Save as most editors do: a new file takes the place of the old one."""
    draft = path.with_name(f".{path.name}.swp")
    draft.write_text(text)
    draft.rename(path)


def save_by_backup(path: Path, text: str) -> None:
    """Save as vim can: the old file becomes a backup, and for a moment there is none."""
    backup = path.with_name(f"{path.name}~")
    path.rename(backup)
    path.write_text(text)
    backup.unlink()


def save_in_place(path: Path, text: str) -> None:
    """Save as nano does: the file is empty for a moment."""
    with path.open("w") as file:
        file.flush()
        file.write(text)


@pytest.mark.parametrize("save", [save_by_rename, save_by_backup, save_in_place])
async def test_every_way_of_saving_is_one_change(
    watched: Watched, eventually: Eventually, root: Path, save: Callable[[Path, str], None]
) -> None:
    """However it is done, the file has changed: it was not deleted, and is not new."""
    await asyncio.to_thread(save, root / "jobs" / "first.py", "VERSION = 2\n")
    await eventually(lambda: watched.reports)
    await asyncio.sleep(QUIET_S)
    assert watched.reports == [[("jobs/first.py", "changed")]]


async def test_file_that_is_away_for_a_moment(
    watched: Watched, eventually: Eventually, root: Path, write: Write
) -> None:
    """Deleted and created again a little later is a change, seen once."""
    await asyncio.to_thread((root / "jobs" / "first.py").unlink)
    await asyncio.sleep(0.06)
    write("jobs/first.py", "VERSION = 2\n")
    await eventually(lambda: watched.reports)
    assert watched.reports == [[("jobs/first.py", "changed")]]


async def test_deleted_file_is_reported(watched: Watched, eventually: Eventually, root: Path) -> None:
    """What stays away was deleted."""
    await asyncio.to_thread((root / "jobs" / "first.py").unlink)
    await eventually(lambda: watched.reports)
    assert watched.reports == [[("jobs/first.py", "deleted")]]


async def test_new_folder_is_watched(watched: Watched, eventually: Eventually, write: Write) -> None:
    """Files in a folder that did not exist are found, and their saves too."""
    write("jobs/new/deep/a.py", "")
    await eventually(lambda: watched.reports)
    assert watched.reports[0] == [("jobs/new/deep/a.py", "created")]
    await asyncio.sleep(QUIET_S)
    watched.reports.clear()
    write("jobs/new/deep/a.py", "x = 1\n")
    await eventually(lambda: watched.reports)
    assert watched.reports == [[("jobs/new/deep/a.py", "changed")]]


async def test_log_in_the_project_delays_nothing(
    watched: Watched, eventually: Eventually, root: Path, write: Write
) -> None:
    """A file that is written all the time, beside the sources, is no reason to wait."""
    log = (root / "jobs" / "app.log").open("a", buffering=1)

    async def chatter() -> None:
        while True:
            log.write("line\n")
            await asyncio.sleep(0.002)

    noise = asyncio.create_task(chatter())
    await asyncio.sleep(0.1)
    loop = asyncio.get_running_loop()
    began = loop.time()
    write("jobs/first.py", "VERSION = 2\n")
    await eventually(lambda: watched.reports)
    assert loop.time() - began < 1.0
    noise.cancel()
    log.close()
    assert watched.reports == [[("jobs/first.py", "changed")]]


class DeafSources(Sources):
    """Sources of which every event is lost."""

    def concerns(self, path: str) -> bool:
        """Take no notice."""
        return False


async def test_missed_event_is_found_by_looking(project: Project, eventually: Eventually, write: Write) -> None:
    """When the system loses events, a look at everything finds what they were about."""
    sources = DeafSources(project)
    sources.accept(sources.look())
    watched = Watched(sources, WatchTiming(rescan=0.2))
    task = asyncio.create_task(watched.watch.run())
    await asyncio.sleep(0.05)
    write("jobs/first.py", "VERSION = 2\n")
    await eventually(lambda: watched.reports)
    assert watched.reports == [[("jobs/first.py", "changed")]]
    task.cancel()


LIMITED = """
import asyncio, pathlib, sys
from devserver.sources import Sources
from devserver.watch import SourceWatch, WatchTiming
from trigger_sdk.protocol.project import load_project

async def main(root):
    sources = Sources(load_project(root))
    sources.accept(sources.look())
    problems, reports = [], []
    watch = SourceWatch(sources, reports.append, problems.append, timing=WatchTiming(poll=0.1))
    task = asyncio.create_task(watch.run())
    async with asyncio.timeout(20):
        while not problems:
            await asyncio.sleep(0.01)
        (root / "jobs" / "first.py").write_text("VERSION = 2")
        while not reports:
            await asyncio.sleep(0.01)
    print(problems[0].code, problems[0].message, "|", [(c.path, c.kind) for c in reports[0]], len(problems))

asyncio.run(main(pathlib.Path(sys.argv[1])))
"""


@pytest.mark.parametrize("limit", ["max_inotify_watches", "max_inotify_instances"])
def test_system_that_refuses_to_watch(root: Path, limit: str, tmp_path: Path) -> None:
    """The problem is told once, with the way out, and saves are found by looking."""
    script = tmp_path / "limited.py"
    script.write_text(textwrap.dedent(LIMITED))
    # A user namespace has limits of its own: the machine's stay as they are.
    shell = f'echo 0 > /proc/sys/user/{limit} && exec "$@"'
    command: list[str | Path] = ["unshare", "-Ur", "sh", "-c", shell, "sh", sys.executable, script, root]
    done = subprocess.run(command, capture_output=True, text=True, timeout=60, check=False)
    if done.returncode and ("unshare" in done.stderr or "/proc/sys" in done.stderr):
        pytest.skip(f"no user namespaces here: {done.stderr}")
    assert done.returncode == 0, done.stderr
    assert done.stdout.startswith("watch-limited ")
    assert done.stdout.endswith("| [('jobs/first.py', 'changed')] 1\n")


async def test_run_when_it_is_cancelled_before_the_watch_stands(sources: Sources) -> None:
    """It ends as cancelled, whatever it was doing, and does not say that the system refused to watch."""
    for turns in range(6):
        watched = Watched(sources)
        task = asyncio.create_task(watched.watch.run())
        for _ in range(turns):
            await asyncio.sleep(0)
        task.cancel()
        with pytest.raises(asyncio.CancelledError):
            await task
        assert watched.problems == []
