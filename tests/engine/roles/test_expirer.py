"""Runs whose time is over."""

from __future__ import annotations

import pytest
from msgspec.structs import replace

from engine.errors import LeaseLost
from tests.fakes.engine_world import World, completed, manifest, started
from trigger_sdk.protocol.values import error_to_json


async def test_a_run_that_is_not_started_in_time_expires(world: World) -> None:
    """With a problem; a worker that comes later does not get it."""
    run_id = await world.create(ttl=10.0)
    await world.advance(11)
    run = await world.run(run_id)
    assert run.state == "expired"
    assert error_to_json(run.error or b"")["code"] == "run-expired"
    await world.worker()
    assert world.assigned_runs() == []


async def test_a_run_that_started_does_not_expire(world: World) -> None:
    """Neither while it runs nor when it is queued again."""
    await world.worker()
    run = await world.start(ttl=10.0)
    await world.advance(11)
    assert await world.state(run.run) == "running"
    await world.engine.close_session("w1")
    await world.advance(60)
    assert await world.state(run.run) == "queued"


async def test_a_run_behind_a_limit_expires_too(world: World) -> None:
    """Parked runs have the same time as others."""
    await world.declare(manifest("a", concurrency=1))
    await world.worker()
    await world.create()
    second = await world.create(ttl=10.0)
    await world.advance(11)
    assert await world.state(second) == "expired"


async def test_a_run_that_takes_too_long_times_out(world: World) -> None:
    """Running: its worker loses it, and writes nothing more."""
    await world.worker()
    run = await world.start(max_duration=30.0)
    assert run.deadline == world.clock.now() + 30
    await world.advance(31)
    shown = await world.run(run.run)
    assert (shown.state, shown.worker) == ("timed_out", None)
    assert error_to_json(shown.error or b"")["code"] == "run-timed-out"
    assert world.listener.losses == [("w1", run.run, 1)]
    with pytest.raises(LeaseLost):
        await world.append(run, completed("1"))


async def test_waiting_counts_as_time_taken(world: World) -> None:
    """max_duration counts from the first start, waits included."""
    await world.worker()
    run = await world.start(max_duration=30.0)
    await world.append(run, started("1", due_at=world.clock.now() + 500))
    await world.suspend(run, seen=99)
    await world.advance(31)
    assert await world.state(run.run) == "timed_out"


async def test_a_run_that_ended_in_time_is_left(world: World) -> None:
    """Its deadline passes without effect."""
    await world.worker()
    run = await world.start(max_duration=30.0)
    await world.finish(run)
    await world.advance(60)
    assert await world.state(run.run) == "completed"


async def test_the_jobs_own_max_duration_holds(world: World) -> None:
    """Unless the run has another."""
    job = manifest("a")
    await world.declare(replace(job, max_duration=30.0))
    await world.worker()
    assert (await world.start()).deadline == world.clock.now() + 30
    assert (await world.start(max_duration=5.0)).deadline == world.clock.now() + 5
