"""Workers are replaced when code changes, restarted when they crash, and never left behind."""

import asyncio
import os
import signal
from collections.abc import AsyncIterator
from dataclasses import dataclass
from functools import partial
from pathlib import Path

import pytest

from devserver.errors import InterpreterMissing
from devserver.launch import Child, Launcher
from devserver.notices import Ready
from devserver.sources import Change
from devserver.supervisor import Supervisor, SupervisorTiming
from tests.devserver.conftest import Eventually, Write
from tests.fakes.supervision import FakeNotices, FakeSessions

SAVE = [Change(path="jobs/first.py", kind="changed")]

QUICK = SupervisorTiming(
    coalesce=0.05,
    longest_coalesce=0.5,
    stuck=0.4,
    dump=0.5,
    young=60.0,
    first_pause=0.05,
    longest_pause=0.2,
    retiring=2,
)


@dataclass
class Bench:
    """A supervisor with fakes around it, over real processes."""

    supervisor: Supervisor
    sessions: FakeSessions
    notices: FakeNotices
    children: list[Child]

    def has_been_ready(self, times: int) -> bool:
        """Tell whether workers came up so many times."""
        return len(self.notices.ready_news) == times

    def pids(self) -> list[int]:
        """Return the pids of the workers that live."""
        return [child.process.pid for child in self.children if child.process.poll() is None]


@pytest.fixture
async def bench(launcher: Launcher) -> AsyncIterator[Bench]:
    """Return a bench; whatever it started is gone afterwards."""
    children: list[Child] = []

    def start() -> Child:
        children.append(launcher.start())
        return children[-1]

    sessions, notices = FakeSessions(), FakeNotices()
    supervisor = Supervisor(start, sessions, notices, timing=QUICK)
    yield Bench(supervisor, sessions, notices, children)
    await supervisor.stop(0)
    assert [child.process.poll() for child in children if child.process.poll() is None] == []


async def start(bench: Bench, eventually: Eventually) -> Ready:
    """Start the first worker and wait until it serves."""
    bench.supervisor.start()
    await eventually(lambda: bench.notices.ready_news)
    return bench.notices.ready_news[0]


async def test_worker_ready_when_code_imports(bench: Bench, eventually: Eventually) -> None:
    """The first worker serves, and the developer hears of it."""
    news = await start(bench, eventually)
    assert (news.jobs, news.retiring, list(news.changes)) == (["first"], 0, [])
    assert bench.supervisor.current is not None
    assert bench.supervisor.current.id == news.worker


async def test_reload_replaces_the_worker_when_new_code_is_ready(bench: Bench, eventually: Eventually) -> None:
    """The old worker drains only when the new one serves; then it goes by itself."""
    old = await start(bench, eventually)
    bench.supervisor.reload(SAVE)
    assert bench.supervisor.current is not None
    assert bench.supervisor.current.id == old.worker
    await eventually(lambda: len(bench.notices.ready_news) == 2)
    assert bench.sessions.drained == [old.worker]
    assert bench.notices.reloads == [SAVE]
    await eventually(lambda: bench.sessions.died == [old.worker])
    assert bench.notices.crashes == []


async def test_reload_keeps_the_old_worker_while_it_holds_runs(
    bench: Bench, eventually: Eventually, busy: Path
) -> None:
    """New runs go to the new worker; the old one stays until it has finished."""
    await start(bench, eventually)
    bench.supervisor.reload(SAVE)
    await eventually(lambda: len(bench.notices.ready_news) == 2)
    assert bench.notices.ready_news[1].retiring == 1
    assert len(bench.pids()) == 2
    await asyncio.to_thread(busy.unlink)
    await eventually(lambda: len(bench.pids()) == 1)


async def test_reload_cuts_off_the_oldest_when_too_many_retire(
    bench: Bench, eventually: Eventually, busy: Path
) -> None:
    """Old generations are bounded: a worker that never finishes does not pile up."""
    for generation in range(4):
        if generation:
            bench.supervisor.reload(SAVE)
        else:
            bench.supervisor.start()
        await eventually(partial(bench.has_been_ready, generation + 1))
    assert bench.notices.cut == [bench.notices.ready_news[0].pid]
    await eventually(lambda: len(bench.pids()) == 3)
    await eventually(lambda: bench.sessions.died == [bench.notices.ready_news[0].worker])
    assert bench.sessions.crashed == []


async def test_broken_code_leaves_the_old_worker(bench: Bench, eventually: Eventually, write: Write) -> None:
    """What does not import is shown with file and line; a later fix recovers."""
    old = await start(bench, eventually)
    write("jobs/first.py", "x = 1\ny = x +\n")
    bench.supervisor.reload(SAVE)
    await eventually(lambda: bench.notices.failures)
    problem, old_goes_on = bench.notices.failures[0]
    assert (problem.where, old_goes_on) == ("jobs/first.py:2", True)
    assert bench.supervisor.current is not None
    assert bench.supervisor.current.id == old.worker
    write("jobs/first.py", "x = 1\n")
    bench.supervisor.reload(SAVE)
    await eventually(lambda: len(bench.notices.ready_news) == 2)


async def test_broken_code_at_the_start_waits_for_a_save(bench: Bench, eventually: Eventually, write: Write) -> None:
    """Nothing serves, nothing is retried, and the next save that works does."""
    write("jobs/first.py", "raise ValueError('not yet')\n")
    bench.supervisor.start()
    await eventually(lambda: bench.notices.failures)
    assert bench.notices.failures[0][1] is False
    await eventually(lambda: bench.pids() == [])
    write("jobs/first.py", "x = 1\n")
    bench.supervisor.reload(SAVE)
    await eventually(lambda: bench.notices.ready_news)
    assert len(bench.children) == 2
    assert bench.notices.crashes == []


async def test_crash_restarts_at_once(bench: Bench, eventually: Eventually) -> None:
    """A killed worker's runs are freed and another starts, in the same turn of the loop."""
    first = await start(bench, eventually)
    os.kill(first.pid, signal.SIGKILL)
    await eventually(lambda: bench.sessions.died == [first.worker])
    assert len(bench.children) == 2
    problem, pause = bench.notices.crashes[0]
    assert (problem.code, pause) == ("worker-crashed", 0.0)
    assert "SIGKILL" in problem.message
    assert bench.sessions.crashed == [first.worker]
    await eventually(lambda: len(bench.notices.ready_news) == 2)


async def test_crashes_in_a_row_restart_with_pauses(bench: Bench, eventually: Eventually) -> None:
    """Each crash of a young worker doubles the pause, up to a limit."""
    await start(bench, eventually)
    for crash in range(5):
        os.kill(bench.notices.ready_news[-1].pid, signal.SIGKILL)
        await eventually(partial(bench.has_been_ready, crash + 2))
    assert [pause for _, pause in bench.notices.crashes] == [0.0, 0.05, 0.1, 0.2, 0.2]


async def test_crash_during_every_start_gives_up_until_a_save(
    bench: Bench, eventually: Eventually, write: Write
) -> None:
    """A module that ends the process is not started for ever; its last words are shown."""
    write("jobs/first.py", "import os\nos.write(2, b'no licence found\\n')\nos._exit(9)\n")
    bench.supervisor.start()
    await eventually(lambda: bench.notices.failures)
    problem, _ = bench.notices.failures[0]
    assert "exit code 9" in problem.message
    assert "no licence found" in problem.detail
    assert len(bench.children) == QUICK.start_crashes + 1
    write("jobs/first.py", "x = 1\n")
    bench.supervisor.reload(SAVE)
    await eventually(lambda: bench.notices.ready_news)


async def test_crash_of_an_old_worker_starts_nothing(bench: Bench, eventually: Eventually, busy: Path) -> None:
    """A worker that was about to go is told of, and its runs are freed; the new one has the code."""
    old = await start(bench, eventually)
    bench.supervisor.reload(SAVE)
    await eventually(lambda: len(bench.notices.ready_news) == 2)
    os.kill(old.pid, signal.SIGKILL)
    await eventually(lambda: bench.notices.crashes)
    assert bench.notices.crashes[0][1] is None
    assert bench.sessions.died == [old.worker]
    assert len(bench.children) == 2


async def test_saves_in_quick_succession_start_one_worker(bench: Bench, eventually: Eventually, write: Write) -> None:
    """Of a burst of saves, the last one is served, and all are named."""
    await start(bench, eventually)
    write("jobs/first.py", "import os\nos.write(1, b'second\\n')\n")
    for name in ("a", "b", "c", "d"):
        bench.supervisor.reload([Change(path=f"jobs/{name}.py", kind="changed")])
        await asyncio.sleep(0.005)
    write("jobs/first.py", "import os\nos.write(1, b'last\\n')\n")
    bench.supervisor.reload(SAVE)
    await eventually(lambda: len(bench.notices.ready_news) == 2)
    assert len(bench.children) == 3  # the first, one for the first save, one for the rest
    assert [change.path for change in bench.notices.ready_news[1].changes] == [
        "jobs/a.py", "jobs/b.py", "jobs/c.py", "jobs/d.py", "jobs/first.py",
    ]  # fmt: skip
    assert bench.notices.lines == ["last"]
    assert bench.notices.crashes == []


async def test_saves_without_end_still_start_a_worker(bench: Bench, eventually: Eventually) -> None:
    """A tool that rewrites a file again and again cannot put the reload off for ever."""
    await start(bench, eventually)
    began = asyncio.get_running_loop().time()
    while asyncio.get_running_loop().time() - began < QUICK.longest_coalesce * 1.5:
        bench.supervisor.reload(SAVE)
        await asyncio.sleep(0.01)
    assert len(bench.children) >= 3
    await eventually(lambda: len(bench.notices.ready_news) == 2)


async def test_hanging_import_is_reported_with_its_file(bench: Bench, eventually: Eventually, write: Write) -> None:
    """A worker that does not come up is asked where it is."""
    write("jobs/first.py", "import threading\n\nthreading.Event().wait()\n")
    bench.supervisor.start()
    await eventually(lambda: bench.notices.stuck_problems)
    problem = bench.notices.stuck_problems[0]
    assert problem.code == "worker-stuck"
    assert problem.where == "jobs/first.py:3"
    assert bench.notices.lines == []
    write("jobs/first.py", "x = 1\n")
    bench.supervisor.reload(SAVE)
    await eventually(lambda: bench.notices.ready_news)


async def test_raw_output_is_shown_once(bench: Bench, eventually: Eventually, write: Write) -> None:
    """What is written past the session comes line by line, whenever it was written."""
    write(
        "jobs/first.py",
        """
        import os, threading
        os.write(1, b"to stdout\\n")
        os.write(2, b"to stderr, early\\n")
        threading.Timer(0.3, lambda: os.write(2, b"to stderr, late\\nwithout end")).start()
        """,
    )
    await start(bench, eventually)
    await eventually(lambda: "to stderr, late" in bench.notices.lines)
    await bench.supervisor.stop(5)
    assert sorted(bench.notices.lines) == ["to stderr, early", "to stderr, late", "to stdout", "without end"]


async def test_stop_lets_workers_finish(bench: Bench, eventually: Eventually, busy: Path) -> None:
    """A worker that holds a run gets the grace, and its end is no crash."""
    news = await start(bench, eventually)
    stopping = asyncio.create_task(bench.supervisor.stop(10))
    await eventually(lambda: bench.sessions.drained == [news.worker])
    assert not stopping.done()
    await asyncio.to_thread(busy.unlink)
    await stopping
    assert bench.pids() == []
    assert bench.notices.crashes == []


async def test_stop_ends_what_does_not_finish(bench: Bench, eventually: Eventually, busy: Path) -> None:
    """After the grace, a worker is killed; that is not held against what it had."""
    news = await start(bench, eventually)
    await bench.supervisor.stop(0.1)
    assert bench.pids() == []
    assert (bench.sessions.died, bench.sessions.crashed) == ([news.worker], [])


async def test_start_that_fails_is_shown(bench: Bench, eventually: Eventually, write: Write) -> None:
    """A configuration that names no interpreter is a problem, and the old worker goes on."""
    await start(bench, eventually)
    write("trigger.toml", 'python = "no-such-python"\n')
    bench.supervisor.reload([Change(path="trigger.toml", kind="changed")])
    problem, old_goes_on = bench.notices.failures[0]
    assert (problem.code, old_goes_on) == (InterpreterMissing.code, True)


async def test_missing_sdk_is_named(
    bench: Bench, eventually: Eventually, environ: dict[str, str], tmp_path: Path
) -> None:
    """An interpreter without the SDK is not started again and again; the hint says how to install it."""
    (tmp_path / "double" / "trigger_sdk" / "worker.py").unlink()
    bench.supervisor.start()
    await eventually(bench.supervisor.hopeless.done)
    problem = bench.supervisor.hopeless.result().problem
    assert problem.code == "sdk-missing"
    assert "-m pip install trigger-sdk" in problem.hint
    assert len(bench.children) == 1


async def test_offspring_of_a_crashed_worker_is_ended(
    bench: Bench, eventually: Eventually, write: Write, root: Path
) -> None:
    """What a task had started does not outlive the worker's crash."""
    write(
        "jobs/first.py",
        """
        import pathlib, subprocess, os
        child = subprocess.Popen(["sleep", "300"])
        pathlib.Path("offspring").write_text(str(child.pid))
        """,
    )
    news = await start(bench, eventually)
    offspring = int((root / "offspring").read_text())
    os.kill(news.pid, signal.SIGKILL)
    await eventually(lambda: not is_running(offspring))


def is_running(pid: int) -> bool:
    """Tell whether a process lives; a zombie that nobody waited for does not."""
    try:
        return " Z " not in Path(f"/proc/{pid}/stat").read_text()
    except (FileNotFoundError, ProcessLookupError):
        return False


async def test_crash_is_noticed_without_process_descriptors(
    bench: Bench, eventually: Eventually, monkeypatch: pytest.MonkeyPatch
) -> None:
    """On systems that have none, a thread waits for the worker's end."""
    monkeypatch.delattr(os, "pidfd_open")
    first = await start(bench, eventually)
    os.kill(first.pid, signal.SIGKILL)
    await eventually(lambda: len(bench.notices.ready_news) == 2)
    assert bench.sessions.died == [first.worker]
