"""The commit pipeline: groups, isolation of faults, refusals, closing."""

from __future__ import annotations

import asyncio
import threading

import pytest
from sqlalchemy import bindparam, update

from engine.errors import EngineClosed, EngineError, StoreBusy
from engine.model import RunFilter, Settings
from engine.store import schema
from engine.store.interface import Statement
from engine.store.statements import sessions
from engine.transaction import Operation, Transaction
from tests.fakes.engine_world import PAYLOAD, World, completed, started
from trigger_sdk.protocol.entries import EventWait


def save_queue(name: str) -> Operation[str]:
    """Return an operation that writes a row and returns its name."""

    def operation(tx: Transaction) -> str:
        tx.sql.run(sessions.SAVE_QUEUE, {"name": name, "concurrency": None})
        return name

    return operation


def queues(world: World) -> list[str]:
    """Return the names of the rows that were written."""
    with world.engine._store.reader() as reader:
        return sorted(row[0] for row in reader.all(sessions.QUEUES, {}) if row[0] != "a")


async def held_up(world: World) -> threading.Event:
    """Occupy the writer until the event is set, so that what is submitted next becomes one group."""
    gate = threading.Event()
    entered = threading.Event()

    def wait(_: Transaction) -> None:
        entered.set()
        gate.wait(10)

    world.engine._pipeline.submit(wait)
    await asyncio.to_thread(entered.wait, 10)
    return gate


async def test_what_waits_together_is_committed_together(world: World) -> None:
    """Fifty operations, one time of commit."""
    await world.worker()
    run = await world.start()
    gate = await held_up(world)
    answers = [world.engine.append(run.run, run.token, n, [completed(str(n))]) for n in range(50)]
    gate.set()
    appended = await asyncio.gather(*answers)
    assert len({answer.at for answer in appended}) == 1
    firsts = [answer.first for answer in appended]
    assert firsts == sorted(firsts)


async def test_news_and_answers_come_in_the_order_of_the_journal(world: World) -> None:
    """In one commit an event ends a wait, and a step is appended after it: the worker hears of the event first."""
    await world.worker()
    run = await world.start()
    wait = started("1", spec=EventWait(name="go"))
    await world.append(run, wait)
    await world.settle()
    heard: list[int] = []
    gate = await held_up(world)
    before = world.engine.append(run.run, run.token, 2, [completed("2")])
    sent = world.engine.send_event("go", PAYLOAD)
    after = world.engine.append(run.run, run.token, 3, [completed("3")])
    for answer in (before, after):
        answer.add_done_callback(lambda _: heard.append(len(world.listener.arrivals)))
    await asyncio.sleep(0)  # brief operations are handed over with the next turn of the loop
    gate.set()
    firsts = [(await before).first, (await after).first]
    assert (await sent).matched == 1
    await world.settle()
    (arrival,) = world.listener.arrivals
    assert heard == [0, 1]
    assert firsts[0] < arrival[3][0].seq < firsts[1]


async def test_a_fault_fails_alone(world: World) -> None:
    """Its group is undone and done again without it, in order."""

    def faulty(tx: Transaction) -> None:
        tx.sql.run(sessions.SAVE_QUEUE, {"name": "bad", "concurrency": None})
        raise ZeroDivisionError

    gate = await held_up(world)
    submit = world.engine._pipeline.submit
    good = [submit(save_queue("q1")), submit(save_queue("q2"))]
    bad = submit(faulty)
    good.append(submit(save_queue("q3")))
    gate.set()
    assert [await one for one in good] == ["q1", "q2", "q3"]
    with pytest.raises(ZeroDivisionError):
        await bad
    assert queues(world) == ["q1", "q2", "q3"]


async def test_a_refusal_after_writing_leaves_nothing(world: World) -> None:
    """An operation that raises too late is undone, and its caller gets the refusal."""

    def late(tx: Transaction) -> None:
        tx.sql.run(sessions.SAVE_QUEUE, {"name": "bad", "concurrency": None})
        raise EngineError("no")

    gate = await held_up(world)
    refused = world.engine._pipeline.submit(late)
    taken = world.engine._pipeline.submit(save_queue("q1"))
    gate.set()
    with pytest.raises(EngineError, match="no"):
        await refused
    assert await taken == "q1"
    assert queues(world) == ["q1"]


async def test_the_memory_follows_an_undone_transaction(world: World) -> None:
    """A session that was opened in an undone group and is opened again counts its runs right."""

    def faulty(_: Transaction) -> None:
        raise ZeroDivisionError

    for _ in range(3):
        await world.create()
    gate = await held_up(world)
    opened = world.engine.open_session("w1", "code-1", ["a"], 2)
    bad = world.engine._pipeline.submit(faulty)
    gate.set()
    await opened
    with pytest.raises(ZeroDivisionError):
        await bad
    await world.settle()
    assert len(world.assigned_runs()) == 2
    await world.finish(world.listener.assignments[0][1])
    assert len(world.assigned_runs()) == 3


async def test_a_fault_of_the_assignment_does_not_stop_the_journal(world: World) -> None:
    """A run that cannot be handed out is not handed out; what others write is committed."""
    await world.worker()
    run = await world.start()
    broken = await world.engine.create_run("b", PAYLOAD)
    await world.settle()
    spoil = Statement(update(schema.runs).where(schema.runs.c.id == bindparam("by_id")), "options")
    await world.engine._pipeline.submit(lambda tx: tx.sql.write(spoil, {"by_id": broken.run_id, "options": b"\xc1"}))
    await world.engine.open_session("w2", "code-1", ["b"], 10)
    await world.append(run, completed("1"))
    await world.finish(run)
    assert await world.state(run.run) == "completed"


async def test_too_much_from_outside_is_refused(world: World) -> None:
    """Workers' entries are taken all the same."""
    world.settings = Settings(outside_limit=5)
    await world.reopen()
    await world.worker()
    run = await world.start()
    gate = await held_up(world)
    asked = [world.engine.create_run("a", PAYLOAD) for _ in range(10)]
    appended = world.engine.append(run.run, run.token, 1, [completed("1")])
    gate.set()
    answers = await asyncio.gather(*asked, return_exceptions=True)
    refused = [answer for answer in answers if isinstance(answer, StoreBusy)]
    assert 0 < len(refused) < 10
    assert (await appended).first > 0
    assert len((await world.engine.runs(RunFilter())).items) == 11 - len(refused)


async def test_closing_commits_what_waits(world: World) -> None:
    """What was submitted before is written and answered; what comes after is refused."""
    gate = await held_up(world)
    waiting = [world.engine.create_run("a", PAYLOAD) for _ in range(20)]
    closing = asyncio.create_task(world.engine.close())
    await asyncio.sleep(0)
    gate.set()
    await closing
    ids = [(await one).run_id for one in waiting]
    with pytest.raises(EngineClosed):
        await world.engine.create_run("a", PAYLOAD)
    with pytest.raises(EngineClosed):
        await world.engine.run(ids[0])
    await world.engine.close()
    await world.open()
    assert {run.id for run in (await world.engine.runs(RunFilter())).items} == set(ids)


async def test_a_caller_that_gave_up_does_not_disturb(world: World) -> None:
    """A cancelled future is left alone; its operation is committed."""
    gate = await held_up(world)
    given_up = world.engine.create_run("a", PAYLOAD)
    given_up.cancel()
    gate.set()
    await world.settle()
    assert len((await world.engine.runs(RunFilter())).items) == 1
