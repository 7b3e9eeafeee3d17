"""Runs that share a worker with one that kills it: the killer is found, the others go on."""

from __future__ import annotations

from tests.fakes.engine_world import World, completed, started


async def crash(world: World, name: str) -> list[str]:
    """Open a session, let it die with what it got; returns the runs it had, in order."""
    before = len(world.listener.assignments)
    await world.worker(name)
    await world.engine.close_session(name)
    await world.settle()
    return [run.run for worker, run in world.listener.assignments[before:] if worker == name]


async def test_the_killer_ends_and_its_neighbours_do_not(world: World) -> None:
    """Every worker that gets it dies at once; runs that never get to say anything are only suspected with it."""
    killer = await world.create()
    others = [await world.create() for _ in range(5)]
    for number in range(40):
        name = f"w{number}"
        before = len(world.listener.assignments)
        await world.worker(name)
        held = [run for worker, run in world.listener.assignments[before:] if worker == name]
        if all(run.run != killer for run in held):
            for run in held:
                await world.finish(run)
            break
        await world.engine.close_session(name)
        await world.settle()
    assert (await world.run(killer)).state == "crashed"
    assert (await world.run(killer)).crashes == world.settings.max_crashes
    await world.worker("last")
    for run_id in others:
        if await world.state(run_id) != "completed":
            await world.finish(world.assignment(run_id))
    assert [await world.state(run_id) for run_id in others] == ["completed"] * 5


async def test_suspected_runs_come_one_at_a_time(world: World) -> None:
    """The next one when the one before made progress, left or ended; runs that are not suspected go at once."""
    first, second, third = [await world.create() for _ in range(3)]
    for number in range(world.settings.suspect_crashes):
        assert await crash(world, f"w{number}") == [first, second, third]
    await world.worker("w")
    fresh = await world.create()
    assert world.assigned_runs()[-2:] == [first, fresh]
    await world.append(world.assignment(first), completed("1"))
    assert world.assigned_runs()[-1] == second
    await world.append(world.assignment(second), started("1", due_at=world.clock.now() + 500))
    assert world.assigned_runs()[-1] == third
    await world.finish(world.assignment(third))
    assert [(await world.run(run)).state for run in (first, second, third, fresh)] == [
        "running", "running", "completed", "running",
    ]  # fmt: skip


async def test_a_suspected_run_that_lives_long_enough_is_let_alone(world: World) -> None:
    """Long tasks do not queue up behind each other for good."""
    ids = [await world.create() for _ in range(3)]
    for number in range(world.settings.suspect_crashes):
        await crash(world, f"w{number}")
    await world.worker("w")
    assert world.assigned_runs()[-1] == ids[0]
    for expected in ids[1:]:
        await world.advance(world.settings.probation_s)
        assert world.assigned_runs()[-1] == expected


async def test_each_worker_takes_a_suspected_run(world: World) -> None:
    """Two workers find out twice as fast; a worker that is gone makes room elsewhere."""
    ids = [await world.create() for _ in range(3)]
    for number in range(world.settings.suspect_crashes):
        await crash(world, f"w{number}")
    await world.worker("left")
    await world.worker("right")
    assert {world.holder(ids[0]), world.holder(ids[1])} == {"left", "right"}
    assert (await world.run(ids[2])).state == "queued"
    await world.engine.close_session(world.holder(ids[0]), crashed=False)
    await world.settle()
    assert [(await world.run(run)).state for run in ids].count("running") == 1
    await world.finish(world.assignment(ids[1]))
    assert [(await world.run(run)).state for run in ids].count("running") == 1


async def test_many_suspected_runs_are_in_nobodys_way(world: World) -> None:
    """More than are looked at together: those behind them, and other jobs, start all the same."""
    await world.declare("a", "b")
    for _ in range(100):
        await world.create()
    for number in range(world.settings.suspect_crashes):
        assert len(await crash(world, f"w{number}")) == 100
    await world.worker("w", capacity=1000)
    same, other = await world.create(), await world.create("b")
    assert [await world.state(run) for run in (same, other)] == ["running", "running"]


async def test_a_reconnection_keeps_the_probation(world: World) -> None:
    """What it had not claimed is given again, still one at a time."""
    ids = [await world.create() for _ in range(2)]
    for number in range(world.settings.suspect_crashes):
        await crash(world, f"w{number}")
    await world.worker("w")
    await world.worker("w")
    assert world.assignment(ids[0]).token == 4
    assert await world.state(ids[1]) == "queued"
