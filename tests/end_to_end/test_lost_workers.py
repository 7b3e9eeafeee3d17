"""Workers that are not dead: stopped for longer than their lease, or out of reach. They come back and do no harm."""

import asyncio
import signal
import time
from collections.abc import AsyncIterator, Callable
from contextlib import asynccontextmanager
from pathlib import Path

import pytest

from tests.fakes.chaos_house import ChaosHouse, keep_chaos_house
from tests.fakes.cut_proxy import CutProxy, cut_proxy
from tests.fakes.effects import Effects
from tests.fakes.orders import check_order

LEASE_S = 1.2
HEARTBEAT_S = 0.2
ORDERS = 12

Here = Callable[..., Path]


@asynccontextmanager
async def two_workers(project: Path, effects: Effects) -> AsyncIterator[tuple[ChaosHouse, CutProxy, str, str]]:
    """Run a server with two workers, of which the first goes through a proxy; nobody tells of deaths."""
    house = keep_chaos_house(
        project, effects, replace=False, supervised=False, lease_ttl_s=LEASE_S, heartbeat_s=HEARTBEAT_S
    )
    async with house as there, cut_proxy(there.url) as proxy:
        first = await there.crew.start(url=proxy.url)
        await there.joined()
        second = await there.crew.start()
        await there.joined(2)
        yield there, proxy, first, second


async def orders(house: ChaosHouse, count: int = ORDERS) -> dict[str, str]:
    """Start orders; return the runs' ids by name."""
    started = {}
    for number in range(count):
        started[f"o{number}"] = await house.start("thirty", {"name": f"o{number}"})
        await house.send_event("approved", {"order": f"o{number}"})
    return started


async def check_orders(house: ChaosHouse, started: dict[str, str]) -> None:
    """Wait until all ended, and check everything."""
    ends = {name: await house.ended(run_id) for name, run_id in started.items()}
    async with asyncio.timeout(30):
        while any(run.finished_at is None for run in house.records.runs()):
            await asyncio.sleep(0.05)
    effects = house.effects.by_run()
    shapes = [check_order(name, run, house.records, effects) for name, run in ends.items()]
    assert all(shape == shapes[0] for shape in shapes)
    house.records.check()
    house.records.check_effects(effects)
    said = [(line.run, line.ordinal) for line in house.watcher.output if line.ordinal]
    assert len(said) == len(set(said))


async def released(house: ChaosHouse, worker_id: str) -> None:
    """Wait until a worker's lease is over and it has no runs."""
    async with asyncio.timeout(20):
        while any(run.worker == worker_id for run in house.records.runs()):
            await asyncio.sleep(0.02)


async def works_again(house: ChaosHouse, worker_id: str, other: str) -> None:
    """Check that a worker serves: it does what comes when it is the only one."""
    house.crew.kill(other)
    run_id = await house.start("chain", {"name": "again", "size": 3})
    run = await house.ended(run_id)
    assert run["output"] == ["link 0 done", "link 1 done", "link 2 done"]
    assert {hit.pid for hits in house.effects.by_run()[run_id].values() for hit in hits} == {house.crew.pids[worker_id]}


@pytest.mark.parametrize("grace", [0.0, 5.0])
@pytest.mark.parametrize("position", [1, 20, 45])
async def test_stopped_worker_writes_nothing_when_it_goes_on(
    chaos_project: Here, effects: Effects, grace: float, position: int
) -> None:
    """SIGSTOP for longer than the lease, at a commit it has not heard of; then SIGCONT."""
    async with two_workers(chaos_project(wait_grace=grace), effects) as (house, _, first, second):
        stopped: list[str] = []

        def stop(worker_id: str) -> None:
            house.crew.signal(worker_id, signal.SIGSTOP)
            stopped.append(worker_id)

        started = await orders(house)
        for run_id in list(started.values())[:1]:
            house.switch.arm(run_id, position, stop)
        async with asyncio.timeout(20):
            while not stopped:
                await asyncio.sleep(0.01)
        zombie = stopped[0]
        await released(house, zombie)
        for run_id in started.values():
            await house.ended(run_id)
        since = time.time()
        pid = house.crew.pids[zombie]
        house.crew.signal(zombie, signal.SIGCONT)
        await house.joined(2)
        assert [hit for hit in effects.all() if hit.pid == pid and hit.began > since] == []
        await check_orders(house, started)
        await works_again(house, zombie, second if zombie == first else first)


async def test_short_cut_is_not_noticed_by_runs(chaos_project: Here, effects: Effects) -> None:
    """Connections that break and come back within the lease: nothing is executed twice, nothing moves."""
    async with two_workers(chaos_project(wait_grace=5.0), effects) as (house, proxy, _, second):
        house.crew.kill(second)
        started = await orders(house)
        for _ in range(12):
            proxy.cut()
            await asyncio.sleep(0.03)
            proxy.heal()
            await asyncio.sleep(0.1)
        await check_orders(house, started)
        assert proxy.connections > 5
        again = [(run, what) for run, done in effects.by_run().items() for what, hits in done.items()
                 if sum(hit.happened for hit in hits) > 1]  # fmt: skip
        assert again == []


async def test_short_silence_is_not_noticed_by_runs(chaos_project: Here, effects: Effects) -> None:
    """Nothing gets through for less than the lease: the connection stands, and all goes on."""
    async with two_workers(chaos_project(wait_grace=5.0), effects) as (house, proxy, _, second):
        house.crew.kill(second)
        await released(house, second)
        started = await orders(house)
        before = proxy.connections
        for _ in range(4):
            proxy.blackhole()
            await asyncio.sleep(LEASE_S * 0.4)
            proxy.heal()
            await asyncio.sleep(HEARTBEAT_S * 2)
        await check_orders(house, started)
        assert proxy.connections == before


@pytest.mark.parametrize("way", ["cut", "blackhole", "blackhole, then lost"])
@pytest.mark.parametrize("grace", [0.0, 5.0])
async def test_worker_out_of_reach_stops_when_its_lease_is_over(
    chaos_project: Here, effects: Effects, way: str, grace: float
) -> None:
    """A long cut: the runs go on elsewhere, the worker stops what it does, and serves again when it can."""
    async with two_workers(chaos_project(wait_grace=grace), effects) as (house, proxy, first, second):
        started = await orders(house)
        insisting = [await house.start("stubborn", {"name": f"s{n}", "size": 60}) for n in range(4)]
        await asyncio.sleep(0.4)
        pid = house.crew.pids[first]
        (proxy.cut if way == "cut" else proxy.blackhole)()
        lost_at = time.time()
        await released(house, first)
        for run_id in [*started.values(), *insisting]:
            await house.ended(run_id)
        late = [hit for hit in effects.all() if hit.pid == pid and hit.began > lost_at + LEASE_S]
        assert late == []
        proxy.heal(lose=way.endswith("lost"))
        await house.joined(2)
        await check_orders(house, started)
        await works_again(house, first, second)
