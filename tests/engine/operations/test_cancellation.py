"""Cancelling: at once when nothing began, by request when a body has to clean up."""

from __future__ import annotations

import pytest

from engine.errors import RunFinal, RunNotFound
from tests.fakes.engine_world import PAYLOAD, World, started
from trigger_sdk.protocol.entries import RunOptions, StartRun
from trigger_sdk.protocol.values import error_to_json


@pytest.mark.parametrize("delay", [None, 60.0])
async def test_a_run_that_never_started_ends_at_once(world: World, delay: float | None) -> None:
    """Queued or delayed: canceled, with a problem as its error, and never given to a worker."""
    run_id = await world.create(delay=delay)
    run = await world.engine.cancel(run_id)
    assert (run.state, run.finished_at, run.cancel_requested) == ("canceled", world.clock.now(), True)
    assert error_to_json((await world.run(run_id)).error or b"")["code"] == "run-canceled"
    await world.worker()
    await world.advance(61)
    assert world.assigned_runs() == []


async def test_a_running_body_learns_of_the_request(world: World) -> None:
    """Once, however often it is asked; it ends when the body says so."""
    await world.worker()
    run = await world.start()
    for _ in range(3):
        shown = await world.engine.cancel(run.run)
        assert (shown.state, shown.cancel_requested) == ("running", True)
    await world.settle()
    assert world.kinds(world.arrived(run.run)) == ["cancel_requested"]
    await world.finish(run, "canceled", None)
    assert (await world.engine.cancel(run.run)).state == "canceled"


async def test_a_waiting_run_comes_back_to_clean_up(world: World) -> None:
    """The request is in its journal."""
    await world.worker()
    run = await world.start()
    await world.append(run, started("1", due_at=world.clock.now() + 500))
    await world.suspend(run, seen=99)
    await world.engine.cancel(run.run)
    await world.settle()
    assert world.kinds(world.assignment(run.run).journal) == ["1 wait_started", "cancel_requested"]


async def test_a_released_run_comes_back_to_clean_up(world: World) -> None:
    """It began once: its body may have something to undo, though no worker has it now."""
    await world.worker()
    run = await world.start()
    await world.engine.close_session("w1")
    assert (await world.engine.cancel(run.run)).state == "queued"
    await world.worker("w2")
    assert world.kinds(world.assignment(run.run).journal) == ["cancel_requested"]


async def test_a_resumed_run_learns_of_a_second_request(world: World) -> None:
    """The first is part of what is replayed; the second is news, once."""
    await world.worker()
    run = await world.start()
    await world.engine.cancel(run.run)
    await world.finish(run, "failed", PAYLOAD)
    assert (await world.engine.resume(run.run)).cancel_requested is False
    await world.settle()
    again = world.assignment(run.run)
    assert world.kinds(again.journal) == ["cancel_requested"]
    heard = len(world.arrived(run.run))
    for _ in range(2):
        assert (await world.engine.cancel(run.run)).cancel_requested is True
    await world.settle()
    (news,) = world.arrived(run.run)[heard:]
    assert (news.kind, news.attempt) == ("cancel_requested", 1)


@pytest.mark.parametrize("state", ["completed", "failed", "timed_out"])
async def test_a_run_that_ended_cannot_be_canceled(world: World, state: str) -> None:
    """A problem that names its state."""
    await world.worker()
    run = await world.start()
    await world.finish(run, state)
    with pytest.raises(RunFinal, match=state):
        await world.engine.cancel(run.run)


async def test_an_unknown_run_cannot_be_canceled(world: World) -> None:
    """Nor resumed, nor replayed."""
    for ask in (world.engine.cancel, world.engine.resume, world.engine.replay):
        with pytest.raises(RunNotFound):
            await ask("run_nope")


async def test_a_canceled_run_does_not_take_its_key_along(world: World) -> None:
    """A key holds whatever the run's end: replay or another key starts it again."""
    first = await world.create(idempotency_key="k")
    await world.engine.cancel(first)
    again = await world.engine.create_run("a", PAYLOAD, RunOptions(idempotency_key="k"))
    assert (again.run_id, again.existing) == (first, True)


async def test_a_tree_of_children_is_canceled(world: World) -> None:
    """A body that is canceled gives up its waits, and so on down."""
    await world.worker()
    top = await world.start()
    await world.append(top, started("1", spec=StartRun(job="a", payload=PAYLOAD)))
    middle = world.listener.assignments[-1][1]
    await world.append(middle, started("1", spec=StartRun(job="a", payload=PAYLOAD, options=RunOptions(delay=99.0))))
    (step,) = await world.engine.steps(middle.run)
    await world.engine.cancel(top.run)
    await world.finish(top, "canceled", None)
    assert world.kinds(world.arrived(middle.run)) == ["cancel_requested"]
    await world.finish(middle, "canceled", None)
    assert await world.state(step.child or "") == "canceled"
