"""A worker is killed at every journal position of a job with more than 30 steps, and of the runs it starts."""

import asyncio
from collections import Counter
from collections.abc import Callable
from pathlib import Path

import pytest

from tests.fakes.chaos_house import ChaosHouse, keep_chaos_house
from tests.fakes.effects import Effects
from tests.fakes.orders import ONCE, check_order
from tests.fakes.records import Shape

AT_ONCE = 4
"""Orders under way at a time."""

WORKERS = 2


async def order(house: ChaosHouse, name: str, *, kill_at: int | None = None, die: str = "") -> str:
    """Start an order, with an alarm at a position that kills the worker which comes there; return its run's id."""
    run_id = await house.start("thirty", {"name": name, "die": die}, delay=0.02)
    if kill_at is not None:
        house.switch.arm(run_id, kill_at, house.crew.kill)
    await house.send_event("approved", {"order": name})
    return run_id


async def uncut(house: ChaosHouse) -> tuple[Shape, int]:
    """Return the shape of an order that nobody kills, and how many entries it and its children have."""
    run_id = await order(house, "uncut")
    run = await house.ended(run_id)
    await settled(house)
    shape = check_order("uncut", run, house.records, house.effects.by_run())
    return shape, sum(map(len, house.records.entries().values()))


async def settled(house: ChaosHouse) -> None:
    """Wait until no run is under way: messengers are not waited for by their orders."""
    async with asyncio.timeout(60):
        while any(run.finished_at is None for run in house.records.runs()):
            await asyncio.sleep(0.05)


async def all_orders(house: ChaosHouse, positions: list[int]) -> dict[str, str]:
    """Run an order for each position, killed there; return the runs' ids by the orders' names."""
    turn = asyncio.Semaphore(AT_ONCE)

    async def one(position: int) -> tuple[str, str]:
        async with turn:
            name = f"cut {position}"
            run_id = await order(house, name, kill_at=position)
            await house.ended(run_id)
            return name, run_id

    return dict(await asyncio.gather(*map(one, positions)))


async def deadly_orders(house: ChaosHouse, deadly: list[str]) -> dict[str, str]:
    """Run an order for each effect that kills its worker when it happens first, one after the other."""
    orders = {}
    for what in deadly:
        name = f"killed by {what}"
        orders[name] = await order(house, name, die=what)
        await house.ended(orders[name])
        await settled(house)
        await house.joined(WORKERS)
    return orders


async def check_all(house: ChaosHouse, orders: dict[str, str], shape: Shape) -> None:
    """Check everything that was done, and what was told of it."""
    await settled(house)
    effects = house.effects.by_run()
    for name, run_id in orders.items():
        found = check_order(name, await house.run(run_id), house.records, effects)
        assert found == shape, f"{name}: {Counter(found) - Counter(shape)} for {Counter(shape) - Counter(found)}"
    house.records.check()
    house.records.check_effects(effects)
    news: Counter[tuple[str, str]] = Counter((event.run, event.news) for event in house.watcher.runs)
    for run in house.records.runs():
        assert (news[run.id, "started"], news[run.id, run.state]) == (1, 1), house.watcher.news_of(run.id)
    said = Counter((line.run, line.ordinal) for line in house.watcher.output if line.ordinal)
    assert set(said.values()) == {1}


@pytest.mark.timeout(300)
@pytest.mark.parametrize("grace", [0.0, 5.0])
async def test_worker_killed_at_every_position(
    chaos_project: Callable[..., Path], effects: Effects, grace: float
) -> None:
    """However far an order came when its worker was killed, it ends as the one that was left alone."""
    async with keep_chaos_house(chaos_project(wait_grace=grace), effects) as house:
        for _ in range(WORKERS):
            await house.crew.start()
        await house.joined()
        shape, entries = await uncut(house)
        orders = await all_orders(house, list(range(entries + 1)))
        await check_all(house, orders, shape)
        assert house.switch.alarms == []


@pytest.mark.timeout(200)
async def test_worker_killed_from_within_a_task(chaos_project: Callable[..., Path], effects: Effects) -> None:
    """A task takes its process down between its effect and its end: that effect happens twice, and no other does."""
    async with keep_chaos_house(chaos_project(), effects) as house:
        for _ in range(WORKERS):
            await house.crew.start()
        await house.joined(WORKERS)
        shape, _ = await uncut(house)
        orders = await deadly_orders(house, sorted(ONCE | {"pack", "post", "debit", "credit"}))
        await check_all(house, orders, shape)
        done = effects.by_run()
        for name, run_id in orders.items():
            deadly = name.removeprefix("killed by ")
            family = [run_id, *children(house, run_id)]
            happened = Counter(
                (run, what) for run in family for what, hits in done[run].items() for hit in hits if hit.happened
            )
            # Each of two parcels kills the worker that may hold the other one too: two deaths, and a repeat for each.
            most = 3 if deadly in _PARCELS else 2
            assert {times for (_, what), times in happened.items() if what == deadly} <= set(range(2, most + 1)), name
            beside = BESIDE.get(deadly, set())
            again = {what for (_, what), times in happened.items() if times > 1}
            assert again <= beside | {"hang", deadly}, name


def children(house: ChaosHouse, run_id: str) -> list[str]:
    """Return the ids of the runs that a run started and waited for."""
    runs = house.records.runs()
    parent = next(run for run in runs if run.id == run_id)
    return [run.id for run in runs if run.parent == parent.num]


_GATHERED = {"slow", "middle", "fast"}
_PAIRED = {"left first", "left second", "right first", "right second"}
_PARCELS = {"pack", "post"}
BESIDE = {what: group for group in (_GATHERED, _PAIRED, _PARCELS) for what in group}
"""What is in flight at the same time as an effect, in another branch or child."""
