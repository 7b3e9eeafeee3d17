"""Timers and suspended runs: what ends a wait, and how the run learns of it."""

from __future__ import annotations

import pytest

from engine.errors import LeaseLost
from tests.fakes.engine_world import World, completed, started
from trigger_sdk.protocol.entries import Entry, EventWait


async def test_a_timer_ends_at_its_time(world: World) -> None:
    """Not before, and the entry tells the wait's step, name, place and age."""
    await world.worker()
    run = await world.start()
    entry = Entry(
        kind="wait_started", step="4", name="sleep", op="sleep", due_at=world.clock.now() + 10, started_at=3.0,
        issued_after=7, line="jobs/a.py:9",
    )  # fmt: skip
    await world.append(run, entry)
    await world.advance(9.9)
    assert world.arrived(run.run) == []
    await world.advance(0.2)
    (end,) = world.arrived(run.run)
    assert (end.kind, end.step, end.name, end.op, end.value) == ("wait_completed", "4", "sleep", "sleep", None)
    assert (end.started_at, end.issued_after, end.line, end.at) == (3.0, 7, "jobs/a.py:9", world.clock.now())


async def test_a_time_in_the_past_ends_at_once(world: World) -> None:
    """A sleep of no length does not wait for anything."""
    await world.worker()
    run = await world.start()
    await world.append(run, started("1", due_at=world.clock.now() - 5))
    assert world.kinds(world.arrived(run.run)) == ["1 wait_completed"]


async def test_timers_end_in_the_order_of_their_times(world: World) -> None:
    """When several are due together, the earliest comes first."""
    await world.worker()
    run = await world.start()
    now = world.clock.now()
    await world.append(run, started("1", due_at=now + 30), started("2", due_at=now + 10), started("3", due_at=now + 20))
    await world.advance(60)
    assert [entry.step for entry in world.arrived(run.run)] == ["2", "3", "1"]


async def test_a_canceled_timer_does_not_end(world: World) -> None:
    """A wait that the body gave up is closed."""
    await world.worker()
    run = await world.start()
    await world.append(run, started("1", due_at=world.clock.now() + 10))
    await world.append(run, Entry(kind="wait_canceled", step="1", op="timer"))
    await world.advance(60)
    assert world.arrived(run.run) == []


async def test_a_wait_begun_and_given_up_in_one_append_is_closed(world: World) -> None:
    """Entries of one append take effect in order."""
    await world.worker()
    run = await world.start()
    await world.append(
        run, started("1", due_at=world.clock.now() + 10), Entry(kind="wait_canceled", step="1", op="timer")
    )
    await world.advance(60)
    assert world.arrived(run.run) == []


async def test_a_suspended_run_comes_back_with_its_journal(world: World) -> None:
    """It leaves the worker, holds nothing, and is assigned anew when its wait ends."""
    await world.worker()
    run = await world.start()
    answer = await world.append(run, completed("1"), started("2", due_at=world.clock.now() + 10))
    assert await world.suspend(run, seen=answer.first)
    shown = await world.run(run.run)
    assert (shown.state, shown.worker) == ("waiting", None)
    await world.advance(11)
    again = world.assignment(run.run)
    assert (again.token, again.attempt) == (2, 2)
    assert again.began_at == run.began_at
    assert world.kinds(again.journal) == ["1 step_completed", "2 wait_started", "2 wait_completed"]
    assert world.arrived(run.run) == []


async def test_a_run_with_news_does_not_leave(world: World) -> None:
    """Entries above what the worker has seen are on their way."""
    await world.worker()
    run = await world.start()
    answer = await world.append(run, started("1", due_at=world.clock.now() + 10), started("2", due_at=9e9))
    await world.advance(11)
    assert not await world.suspend(run, seen=answer.first + 1)
    (end,) = world.arrived(run.run)
    assert await world.suspend(run, seen=end.seq)


async def test_a_run_that_nothing_would_bring_back_does_not_leave(world: World) -> None:
    """Without an open wait and without a retry, leaving would be for ever."""
    await world.worker()
    run = await world.start()
    answer = await world.append(run, completed("1"))
    assert not await world.suspend(run, seen=answer.first)


async def test_a_retry_brings_a_run_back(world: World) -> None:
    """A run that waits for its next attempt comes back at that time, with nothing new in its journal."""
    await world.worker()
    run = await world.start()
    failed = Entry(kind="step_attempt_failed", step="1", name="t", op="task", attempt=1, due_at=world.clock.now() + 60)
    answer = await world.append(run, failed)
    assert await world.suspend(run, seen=answer.first, wake_at=world.clock.now() + 60)
    await world.advance(59)
    assert await world.state(run.run) == "waiting"
    await world.advance(2)
    assert world.kinds(world.assignment(run.run).journal) == ["1 step_attempt_failed"]


async def test_what_ends_first_brings_a_run_back(world: World) -> None:
    """A wait that ends before the retry's time wakes the run; the retry's time passes without effect."""
    await world.worker()
    run = await world.start()
    answer = await world.append(run, started("1", due_at=world.clock.now() + 5))
    await world.suspend(run, seen=answer.first, wake_at=world.clock.now() + 60)
    await world.advance(6)
    again = world.assignment(run.run)
    assert again.token == 2
    await world.advance(60)
    assert world.assignment(run.run).token == 2
    assert await world.state(run.run) == "running"


async def test_suspending_twice_is_answered_alike(world: World) -> None:
    """The answer may have been lost; a later lease is another matter."""
    await world.worker()
    run = await world.start()
    await world.append(run, started("1", due_at=world.clock.now() + 5))
    assert await world.suspend(run, seen=99)
    assert await world.suspend(run, seen=99)
    await world.advance(6)
    with pytest.raises(LeaseLost):
        await world.suspend(run, seen=99)


async def test_an_event_wait_times_out(world: World) -> None:
    """At its time, and an event that comes later finds no wait."""
    await world.worker()
    run = await world.start()
    await world.append(run, started("1", spec=EventWait(name="n", filter={"id": [1]}), due_at=world.clock.now() + 5))
    await world.advance(6)
    assert world.kinds(world.arrived(run.run)) == ["1 wait_timed_out"]
    assert (await world.engine.send_event("n", b"\x00\x81\xa2id\x01")).matched == 0


async def test_the_end_of_a_run_closes_its_waits(world: World) -> None:
    """Nothing is written to a run that has ended."""
    await world.worker()
    run = await world.start()
    await world.append(run, started("1", due_at=world.clock.now() + 5), started("2", spec=EventWait(name="n")))
    await world.finish(run)
    await world.advance(10)
    assert (await world.engine.send_event("n", b"\x00\xc0")).matched == 0
    assert world.arrived(run.run) == []
    assert [step.state for step in await world.engine.steps(run.run)] == ["canceled", "canceled"]


async def test_news_follow_the_answer_of_the_append_that_caused_them(world: World) -> None:
    """An entry that an append brings about at once arrives after the append is acknowledged."""
    await world.worker()
    run = await world.start()
    order = world.listener.order
    order.clear()
    answer = world.engine.append(run.run, run.token, 1, [started("1", due_at=0.0), started("2", due_at=0.0)])
    answer.add_done_callback(lambda done: order.append(f"answer {done.result().first}"))
    await world.settle()
    first = (await answer).first
    assert order[0] == f"answer {first}"
    assert len(order) == 3
