"""Sessions: signs of life, reconnections, crashes, finishing."""

from __future__ import annotations

import pytest

from engine.errors import LeaseLost, SessionUnknown
from engine.model import Settings
from tests.fakes.engine_world import World, completed, started
from trigger_sdk.protocol.entries import EventWait
from trigger_sdk.protocol.messages import HeldRun
from trigger_sdk.protocol.values import encode_json, error_to_json


@pytest.fixture
async def short(world: World) -> World:
    """Return a world with leases of 15 seconds and three crashes allowed."""
    world.settings = Settings(lease_ttl_s=15.0, max_crashes=3)
    await world.reopen()
    return world


async def test_a_silent_session_loses_its_runs(short: World) -> None:
    """After the lease's time they go to others, and the worker is told."""
    await short.worker("w1")
    run = await short.start()
    await short.advance(10)
    await short.worker("w2")
    await short.engine.beat("w1")
    await short.advance(10)
    assert short.holder(run.run) == "w1"
    await short.engine.beat("w2")
    await short.advance(6)
    assert short.listener.losses == [("w1", run.run, 1)]
    assert short.holder(run.run) == "w2"
    with pytest.raises(SessionUnknown):
        await short.engine.beat("w1")


async def test_a_closed_session_releases_at_once(world: World) -> None:
    """Also when nobody is there to take over; closing twice does nothing."""
    await world.worker("w1")
    run = await world.start()
    await world.engine.close_session("w1")
    await world.engine.close_session("w1")
    assert await world.state(run.run) == "queued"


async def test_a_reconnecting_worker_keeps_what_it_holds(world: World) -> None:
    """What it missed arrives, in order, its own unacknowledged entries among it."""
    await world.worker("w1")
    run = await world.start()
    wait = started("1", spec=EventWait(name="n"))
    seen = (await world.append(run, wait)).first
    own = (await world.append(run, completed("2"))).first
    await world.engine.send_event("n", encode_json(1))
    await world.settle()
    world.listener.arrivals.clear()
    kept = await world.engine.open_session("w1", "code-1", ["a"], 100, [HeldRun(run.run, run.token, seen)])
    await world.settle()
    assert kept == [run.run]
    assert world.kinds(world.arrived(run.run)) == ["2 step_completed", "1 wait_completed"]
    assert world.arrived(run.run)[0].seq == own
    assert (await world.append(run, completed("2"))).first == own
    await world.finish(run)


async def test_a_reconnecting_worker_is_not_told_what_it_knows(world: World) -> None:
    """Nothing arrives when it has seen everything."""
    await world.worker("w1")
    run = await world.start()
    seen = (await world.append(run, completed("1"))).first
    await world.engine.open_session("w1", "code-1", ["a"], 100, [HeldRun(run.run, run.token, seen)])
    await world.settle()
    assert world.arrived(run.run) == []


async def test_runs_that_a_reconnecting_worker_does_not_hold_are_released(world: World) -> None:
    """A Start that was lost on the way is given again; a claim with an old token is not kept."""
    await world.worker("w1")
    lost, other = await world.start(), await world.start()
    kept = await world.engine.open_session("w1", "code-1", ["a"], 100, [HeldRun(other.run, other.token + 1, 0)])
    await world.settle()
    assert kept == []
    assert world.assignment(lost.run).token == 2
    assert world.assignment(other.run).token == 2


async def test_a_late_reconnection_keeps_nothing(short: World) -> None:
    """The lease ran out: what it held is not its own any more."""
    await short.worker("w1")
    run = await short.start()
    await short.advance(16)
    kept = await short.engine.open_session("w1", "code-1", ["a"], 100, [HeldRun(run.run, run.token, 0)])
    assert kept == []


async def test_a_run_that_kills_its_workers_ends_as_crashed(short: World) -> None:
    """After as many deaths without progress as are allowed; the problem says so."""
    run_id = await short.create()
    for number in range(3):
        await short.worker(f"w{number}")
        assert (await short.run(run_id)).crashes == number
        await short.engine.close_session(f"w{number}")
    run = await short.run(run_id)
    assert run.state == "crashed"
    assert error_to_json(run.error or b"")["code"] == "run-crashed"
    await short.engine.resume(run_id)
    assert (await short.run(run_id)).crashes == 0


async def test_progress_resets_the_count(short: World) -> None:
    """A run that gets further each time may lose as many workers as it likes."""
    run_id = await short.create()
    for number in range(7):
        await short.worker(f"w{number}")
        if number % 2:
            await short.append(short.assignment(run_id), completed(str(number)))
        await short.engine.close_session(f"w{number}")
    assert await short.state(run_id) == "queued"


async def test_an_orderly_leave_is_no_crash(short: World) -> None:
    """A worker that is reloaded does not count against what it held."""
    run_id = await short.create()
    for number in range(5):
        await short.worker(f"w{number}")
        await short.engine.close_session(f"w{number}", crashed=False)
    run = await short.run(run_id)
    assert (run.state, run.crashes) == ("queued", 0)


async def test_a_restart_of_the_server_is_no_crash_of_the_runs(short: World) -> None:
    """Sessions of an earlier process are dead; their runs are queued at once."""
    run_id = await short.create()
    for _ in range(4):
        await short.worker()
        await short.reopen()
    run = await short.run(run_id)
    assert (run.state, run.crashes, run.attempt) == ("queued", 0, 4)


async def test_a_repeated_finish_is_acknowledged(world: World) -> None:
    """With the same token and state; anything else is a lost lease."""
    await world.worker()
    run = await world.start()
    await world.finish(run)
    await world.finish(run)
    with pytest.raises(LeaseLost):
        await world.finish(run, "failed")
    assert await world.state(run.run) == "completed"


@pytest.mark.parametrize("size", [10, 5_000, 400_000])
async def test_results_of_all_sizes_come_back(world: World, size: int) -> None:
    """As output of a completed run, as error of a failed one."""
    value = b"\x00" * size
    await world.worker()
    good, bad = await world.start(), await world.start()
    await world.finish(good, "completed", value)
    await world.finish(bad, "failed", value, "3")
    shown = await world.run(good.run)
    assert (shown.output, shown.error) == (value, None)
    shown = await world.run(bad.run)
    assert (shown.output, shown.error, shown.failed_step) == (None, value, "3")


async def test_draining_an_unknown_session_is_refused(world: World) -> None:
    """The worker has to say hello first."""
    with pytest.raises(SessionUnknown):
        await world.engine.drain_session("nobody")
