"""What is told of runs whose worker lost them: once, and only when nobody else tells it."""

from __future__ import annotations

import asyncio
from dataclasses import replace

import pytest

from engine.clock import SystemClock
from engine.model import Run
from executor.announcer import Announcer
from executor.sessions.aftermath import Aftermath
from tests.fakes.house import House, until
from tests.fakes.watching import RecordingWatcher
from tests.fakes.worker_double import task_done
from trigger_sdk.protocol.messages import Ack, Append, Finish, Finished, Start


@pytest.fixture
async def run(house: House) -> Run:
    """Return a run that its second worker completed."""
    first = await house.worker()
    run_id = await house.start()
    await first.expect(Start)
    await first.die()
    house.hub.worker_died("w1")
    second = await house.worker(id="w2", pid=2)
    start = await second.expect(Start)
    await second.send(Append(run_id, start.token, 1, [task_done("1")]))
    await second.send(Finish(run_id, start.token, "completed", None))
    await second.expect(Ack)
    await second.expect(Finished)
    await until(lambda: house.watcher.news_of(run_id)[-1] == "completed")
    found = await house.engine.run(run_id)
    assert found is not None
    return found


async def test_end_on_another_worker_is_not_told_again(run: Run) -> None:
    """The look-up came late: the run has ended elsewhere, and its session told it."""
    watcher = RecordingWatcher()
    looked = asyncio.Event()

    async def look_up(_: str) -> Run:
        looked.set()
        return run

    aftermath = Aftermath(look_up, Announcer(watcher, SystemClock()))
    aftermath.lost(run.id, 1, "w1")
    await looked.wait()
    await asyncio.sleep(0)
    assert watcher.news_of(run.id) == []


async def test_each_loss_is_looked_into(run: Run) -> None:
    """Two losses of one run in a row: the one that ended it is told, once."""
    watcher = RecordingWatcher()
    crashed = replace(run, state="crashed")

    async def look_up(_: str) -> Run:
        return crashed

    aftermath = Aftermath(look_up, Announcer(watcher, SystemClock()))
    aftermath.lost(run.id, 1, "w1")
    aftermath.lost(run.id, 2, "w2")
    await until(lambda: watcher.news_of(run.id))
    assert [(event.news, event.worker) for event in watcher.runs] == [("crashed", "w2")]


async def test_ends_of_runs_that_no_worker_had_are_told(house: House) -> None:
    """Cancelled before it started, expired in the queue; both with the problem that says so."""
    await (await house.worker()).die()
    house.hub.worker_died("w1")
    canceled = await house.start()
    expired = await house.start(ttl=0.05)
    assert (await house.client.post(f"/api/v1/runs/{canceled}/cancel", json={})).status_code == 200
    await until(lambda: house.watcher.news_of(canceled) == ["created", "canceled"])
    await until(lambda: house.watcher.news_of(expired) == ["created", "expired"])
    assert all(event.error for event in house.watcher.runs if event.news in ("canceled", "expired"))


async def test_end_of_a_run_that_was_resumed_since_is_not_told(run: Run) -> None:
    """It waits for its next attempt: nothing has become of it."""
    watcher = RecordingWatcher()
    looked = asyncio.Event()

    async def look_up(_: str) -> Run:
        looked.set()
        return replace(run, state="queued")

    Aftermath(look_up, Announcer(watcher, SystemClock())).ended(run.id, run.attempt)
    await looked.wait()
    await asyncio.sleep(0)
    assert watcher.news_of(run.id) == []
