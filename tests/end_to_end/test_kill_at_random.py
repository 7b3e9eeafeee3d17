"""Hundreds of runs of several shapes, while worker, `trigger dev` and both are killed at random moments."""

import random
import time
from collections.abc import Callable
from pathlib import Path

import pytest

from tests.fakes import crowd
from tests.fakes.crowd import Member
from tests.fakes.dev_killer import VICTIMS, kill, records_of, revive, settle
from tests.fakes.dev_process import DevProcess
from tests.fakes.effects import Effects
from tests.fakes.orders import check_order

Start = Callable[..., DevProcess]


def storm(dev: DevProcess, seed: int, *, count: int, kills: int, seconds: float) -> list[Member]:
    """Start runs and kill at random moments in between, within about ``seconds``; return the runs."""
    dice = random.Random(seed)
    moments = sorted(dice.uniform(0.2, seconds) for _ in range(kills))
    wanted = crowd.choose(seed, count)
    members: list[Member] = []
    began = time.monotonic()
    while moments or len(members) < count:
        elapsed = time.monotonic() - began
        if moments and elapsed >= moments[0]:
            moments.pop(0)
            victim = dice.choice(VICTIMS)
            kill(dev, victim)
            if dice.random() < 0.5:
                time.sleep(dice.uniform(0, 0.3))  # noqa: TID251 - how long nothing runs is random too
            if victim == "worker" and dice.random() < 0.5:
                continue  # the next kill may meet a worker that has just begun
            revive(dev, victim)
        elif len(members) < count and elapsed >= seconds * len(members) / count:
            members.append(crowd.start(dev, *wanted[len(members)]))
            if dice.random() < 0.7:
                crowd.attend(dev, members[-1])
        else:
            time.sleep(0.002)  # noqa: TID251 - until the next moment of the plan
    return members


def check_storm(dev: DevProcess, effects: Effects, members: list[Member]) -> None:
    """Give every run what it waits for, wait for the end, and check everything."""
    dev.wait_ready()
    for member in members:
        crowd.attend(dev, member)
    settle(dev, patience=120)
    done = effects.by_run()
    records = records_of(dev)
    journals = records.entries()
    waiting = {run.id for run in records.runs() if any(entry.op == "event" for entry in journals.get(run.num, ()))}
    for member in members:
        run = dev.run(member.run_id)
        if member.job == "thirty":
            check_order(member.name, run, records, done)
        else:
            crowd.check(member, run, dict(done[member.run_id]), waited=member.run_id in waiting)
    records.check()
    records.check_effects(done)
    for row in records.runs():
        records.lines(row.num)


@pytest.mark.timeout(240)
@pytest.mark.parametrize("grace", [0.0, 5.0])
def test_runs_end_as_they_would_have_when_everything_is_killed(
    chaos_project: Callable[..., Path], effects: Effects, dev_project: Start, grace: float
) -> None:
    """A short storm; the seed stands in the names of the orders."""
    dev = dev_project(chaos_project(wait_grace=grace), EFFECTS_URL=effects.url)
    members = storm(dev, seed=int(grace) + 11, count=150, kills=10, seconds=15)
    check_storm(dev, effects, members)


@pytest.mark.soak
@pytest.mark.timeout(1800)
@pytest.mark.parametrize("seed", range(100, 106))
def test_long_storms(chaos_project: Callable[..., Path], effects: Effects, dev_project: Start, seed: int) -> None:
    """Two minutes of it, each time with another seed."""
    grace = random.Random(seed).choice([0.0, 0.05, 5.0])
    dev = dev_project(chaos_project(wait_grace=grace), EFFECTS_URL=effects.url)
    members = storm(dev, seed=seed, count=900, kills=70, seconds=120)
    check_storm(dev, effects, members)
