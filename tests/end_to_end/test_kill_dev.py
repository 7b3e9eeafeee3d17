"""`trigger dev`, its worker, or both are killed at journal positions of a job with more than 30 steps."""

from collections import Counter
from collections.abc import Callable
from pathlib import Path

import pytest

from tests.fakes.dev_killer import VICTIMS, Victim, kill_at, records_of, revive, settle
from tests.fakes.dev_process import DevProcess
from tests.fakes.effects import Effects
from tests.fakes.orders import check_order
from tests.fakes.records import Shape

Start = Callable[..., DevProcess]


def order(dev: DevProcess, name: str) -> str:
    """Start an order; return its run's id."""
    run_id = dev.trigger("thirty", {"name": name}, delay=0.02)
    dev.send_event("approved", {"order": name})
    return run_id


def uncut(dev: DevProcess, effects: Effects) -> tuple[Shape, int]:
    """Return the shape of an order that nobody kills, and how many entries it and its children have."""
    run = dev.wait(order(dev, "uncut"))
    settle(dev)
    shape = check_order("uncut", run, records_of(dev), effects.by_run())
    return shape, sum(map(len, records_of(dev).entries().values()))


def check_cut(dev: DevProcess, effects: Effects, shape: Shape, cuts: dict[str, tuple[str, Victim]]) -> None:
    """Check every order that was cut once: as the uncut one, and each effect at most twice."""
    settle(dev)
    done = effects.by_run()
    for name, (run_id, _) in cuts.items():
        found = check_order(name, dev.run(run_id), records_of(dev), done)
        assert found == shape, f"{name}: {Counter(found) - Counter(shape)} for {Counter(shape) - Counter(found)}"
    records_of(dev).check()
    records_of(dev).check_effects(done)
    often = [(run, what) for run, whats in done.items() for what, hits in whats.items()
             if sum(hit.happened for hit in hits) > 2]  # fmt: skip
    assert often == []
    check_terminal(dev, cuts)


def check_terminal(dev: DevProcess, cuts: dict[str, tuple[str, Victim]]) -> None:
    """Check that nothing was shown twice; what a killed server had not shown yet may be missing."""
    output = dev.output.splitlines()
    for name, (run_id, victim) in cuts.items():
        lines = [line for line in output if f" {run_id[-6:]} " in line]
        for end in (f"done {name} ", f"slept {name}", f"half of {name}", " completed in "):
            shown = sum(end in f"{line} " for line in lines)
            assert shown <= 1, f"{name}: {end!r} was shown {shown} times:\n" + "\n".join(lines)
            assert shown == 1 or victim != "worker", f"{name}: {end!r} was not shown:\n" + "\n".join(lines)


def cut_all(dev: DevProcess, effects: Effects, plan: list[tuple[int, Victim]]) -> None:
    """Run an order for each position and victim, one after the other, and check them."""
    shape, _ = uncut(dev, effects)
    cuts: dict[str, tuple[str, Victim]] = {}
    for position, victim in plan:
        name = f"{victim}-{position}"
        run_id = order(dev, name)
        cuts[name] = run_id, victim
        kill_at(dev, run_id, position, victim)
        revive(dev, victim)
        dev.wait(run_id)
        settle(dev)
    check_cut(dev, effects, shape, cuts)


@pytest.mark.timeout(240)
def test_dev_and_worker_killed_at_some_positions(
    chaos_project: Callable[..., Path], effects: Effects, dev_project: Start
) -> None:
    """Every ninth position, with victims in turn; all of them are the soak test's."""
    dev = dev_project(chaos_project(), EFFECTS_URL=effects.url)
    positions = range(0, 75, 9)
    cut_all(dev, effects, [(position, VICTIMS[n % 3]) for n, position in enumerate(positions)])


@pytest.mark.soak
@pytest.mark.timeout(1800)
@pytest.mark.parametrize("grace", [0.0, 5.0])
@pytest.mark.parametrize("victim", VICTIMS)
def test_dev_or_worker_killed_at_every_position(
    chaos_project: Callable[..., Path], effects: Effects, dev_project: Start, victim: Victim, grace: float
) -> None:
    """Every position, for every victim."""
    dev = dev_project(chaos_project(wait_grace=grace), EFFECTS_URL=effects.url)
    cut_all(dev, effects, [(position, victim) for position in range(75)])
