"""Delayed runs are queued at their time."""

from __future__ import annotations

from tests.fakes.engine_world import World
from trigger_sdk.protocol.entries import RunOptions


async def test_a_delayed_run_starts_at_its_time(world: World) -> None:
    """Not before, in the order of the times."""
    await world.worker()
    late = await world.create(delay=20.0)
    early = await world.create(delay=10.0)
    run = await world.run(late)
    assert (run.state, run.due_at) == ("delayed", world.clock.now() + 20)
    await world.advance(9.9)
    assert world.assigned_runs() == []
    await world.advance(0.2)
    assert world.assigned_runs() == [early]
    await world.advance(10)
    assert world.assigned_runs() == [early, late]


async def test_a_time_that_passed_while_the_server_was_down_counts(world: World) -> None:
    """At the next start the run is queued at once."""
    run_id = await world.create(delay=10.0)
    await world.close()
    world.clock.time += 60
    await world.open()
    assert await world.state(run_id) == "queued"


async def test_the_ttl_counts_from_the_queue(world: World) -> None:
    """A delayed run has its whole ttl when it is queued."""
    run_id = await world.create(delay=10.0, ttl=5.0)
    await world.advance(11)
    assert await world.state(run_id) == "queued"
    await world.advance(6)
    assert await world.state(run_id) == "expired"


async def test_many_due_runs_are_queued_in_batches(world: World) -> None:
    """More than one transaction takes."""
    ids = [(await world.engine.create_run("a", b"\x00\xc0", RunOptions(delay=10.0))).run_id for _ in range(450)]
    await world.advance(11)
    await world.worker(capacity=1000)
    await world.settle()
    assert sorted(world.assigned_runs()) == sorted(ids)
