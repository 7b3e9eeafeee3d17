"""The thread that checks, and what it is given when."""

import asyncio
import threading
from collections.abc import Callable
from pathlib import Path

import pytest

from analyzer.language_server.schedule import Schedule
from analyzer.language_server.snapshot import Snapshot
from analyzer.language_server.worker import Worker

DEADLINE_S = 20.0
A, B = Path("/p/a.py"), Path("/p/b.py")


class Rounds:
    """Records snapshots; a round lasts until it is stale or released."""

    def __init__(self) -> None:
        self.begun: list[Snapshot] = []
        self.left: list[int] = []
        self.pauses = 0
        self.began = threading.Event()
        self.paused = threading.Event()
        self.release = threading.Event()

    def run(self, snapshot: Snapshot, is_stale: Callable[[], bool]) -> None:
        """Work until released, or until the snapshot is out of date."""
        self.begun.append(snapshot)
        self.began.set()
        while not self.release.wait(0.001):
            if is_stale():
                self.left.append(snapshot.number)
                return

    def in_pause(self) -> None:
        """Count."""
        self.pauses += 1
        self.paused.set()


def snapshot(number: int, *changed: Path, is_moved: bool = False) -> Snapshot:
    """Return a snapshot without documents."""
    return Snapshot(number=number, documents=(), changed=frozenset(changed), is_moved=is_moved)


@pytest.fixture
def rounds() -> Rounds:
    """Return rounds that last."""
    return Rounds()


@pytest.fixture
def worker(rounds: Rounds) -> Worker:
    """Return a worker that has begun."""
    worker = Worker(rounds.run, in_pause=rounds.in_pause, idle=0.01)
    worker.start()
    return worker


def test_newer_snapshot_ends_the_round(rounds: Rounds, worker: Worker) -> None:
    """What is out of date is left, and the newest is taken up."""
    worker.submit(snapshot(1, A))
    assert rounds.began.wait(DEADLINE_S)
    rounds.began.clear()
    worker.submit(snapshot(2, B))
    assert rounds.began.wait(DEADLINE_S)
    assert [each.number for each in rounds.begun] == [1, 2]
    assert rounds.left == [1]
    worker.stop()


def test_snapshot_that_nobody_took_leaves_its_changes(rounds: Rounds, worker: Worker) -> None:
    """A question holds the thread; of the snapshots that wait meanwhile, the last has the changes of all."""
    held, go = threading.Event(), threading.Event()

    def hold() -> None:
        held.set()
        go.wait(DEADLINE_S)

    answer = worker.ask(hold)
    assert held.wait(DEADLINE_S)
    worker.submit(snapshot(1, A, is_moved=True))
    worker.submit(snapshot(2, B))
    rounds.release.set()
    go.set()
    answer.result(DEADLINE_S)
    assert rounds.paused.wait(DEADLINE_S)
    (taken,) = rounds.begun
    assert (taken.number, taken.changed, taken.is_moved) == (2, frozenset((A, B)), True)
    worker.stop()


def test_pause_comes_once_after_work(rounds: Rounds, worker: Worker) -> None:
    """Not before anything has been done, and not again until something is."""
    assert worker.ask(lambda: rounds.pauses).result(DEADLINE_S) == 0
    rounds.release.set()
    worker.submit(snapshot(1, A))
    assert rounds.paused.wait(DEADLINE_S)
    assert worker.ask(lambda: rounds.pauses).result(DEADLINE_S) == 1
    worker.stop()


def test_question_gets_what_was_raised(worker: Worker) -> None:
    """The thread goes on."""

    def fail() -> int:
        message = "no"
        raise LookupError(message)

    with pytest.raises(LookupError):
        worker.ask(fail).result(DEADLINE_S)
    assert worker.ask(lambda: 3).result(DEADLINE_S) == 3
    worker.stop()


@pytest.mark.parametrize("missed", [None, snapshot(1, A)])
def test_whole_change_stays_whole(missed: Snapshot | None) -> None:
    """None stands for anything, on either side."""
    whole = Snapshot(number=2, documents=(), changed=None)
    assert whole.after(missed).changed is None
    assert snapshot(3, B).after(whole).changed is None


async def test_burst_of_changes_is_one_snapshot(rounds: Rounds, worker: Worker) -> None:
    """Those of one action come together; who waits is woken when the round that has them is done."""
    schedule = Schedule(worker, lambda: ())
    for _ in range(30):
        schedule.changed([A], is_moved=False)
    schedule.changed([B])
    assert await asyncio.to_thread(rounds.began.wait, DEADLINE_S)
    assert [each.number for each in rounds.begun] == [31]
    assert rounds.begun[0].changed == frozenset((A, B))
    assert not await schedule.settled(0.01)
    schedule.finished(30)
    assert not await schedule.settled(0.01)
    schedule.finished(31)
    assert await schedule.settled(0.01)
    worker.stop()
