"""The loop of all roles: nothing is done before it is due, and nothing at all when nothing is."""

from __future__ import annotations

import asyncio

from engine.clock import SystemClock
from engine.roles.loop import RoleLoop
from tests.fakes.engine_world import World, started


async def test_an_idle_engine_has_no_alarms(world: World) -> None:
    """With nothing due, no role sets its clock: idle costs nothing."""
    assert world.clock.pending == []


async def test_each_role_waits_for_the_earliest(world: World) -> None:
    """One alarm, at the earliest time, however many waits there are."""
    await world.worker()
    lease = world.clock.pending
    run = await world.start()
    now = world.clock.now()
    await world.append(run, *[started(str(n), due_at=now + n) for n in (50, 20, 90)])
    assert [at for at in world.clock.pending if at not in lease] == [now + 20]
    await world.append(run, started("5", due_at=now + 5))
    assert [at for at in world.clock.pending if at not in lease] == [now + 5]
    await world.advance(21)
    assert [at for at in world.clock.pending if at not in lease] == [now + 50]


async def test_an_alarm_that_comes_early_does_nothing(world: World) -> None:
    """The system's clock calls early on purpose; the role looks at the time and sleeps on."""
    await world.worker()
    run = await world.start()
    await world.append(run, started("1", due_at=world.clock.now() + 50))
    before = world.engine._store.writer.changes
    for alarm in list(world.clock.alarms):
        alarm.callback()
    await world.settle()
    assert world.engine._store.writer.changes == before
    assert world.arrived(run.run) == []


async def test_a_role_that_fails_goes_on(world: World) -> None:
    """An error of its own is logged, and it tries again after a pause."""

    class Faulty:
        name = "faulty"
        broken = True
        done = False

        def work(self, tx: object) -> float | None:
            if self.broken:
                raise ZeroDivisionError
            self.done = True
            return None

    role = Faulty()
    loop = RoleLoop(role, world.engine._pipeline, world.clock)
    world.engine._roles["faulty"] = loop
    loop.start()
    await world.settle()
    role.broken = False
    await world.advance(0.5)
    assert not role.done
    await world.advance(1)
    assert role.done


async def test_the_systems_clock_calls_early_for_far_times() -> None:
    """A machine that slept is noticed: no alarm is further than half a minute."""
    clock = SystemClock()
    alarm = clock.call_at(clock.now() + 10_000, lambda: None)
    assert alarm.when() - asyncio.get_running_loop().time() <= clock.longest_pause_s  # type: ignore[attr-defined]
    alarm.cancel()
