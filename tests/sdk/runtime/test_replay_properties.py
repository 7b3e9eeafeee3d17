"""Random bodies, random orders of completion, cut anywhere: a replay is the run it replays."""

from __future__ import annotations

import asyncio
import random
from typing import TYPE_CHECKING, Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from tests.fakes.programs import Interpreter, Op, ProgramError, number, programs
from tests.fakes.simulation import Simulation
from trigger_sdk import record, task
from trigger_sdk._declare.job import Job
from trigger_sdk._declare.registry import declared
from trigger_sdk.protocol.entries import DELIVERED_KINDS

if TYPE_CHECKING:
    from trigger_sdk.protocol.entries import Entry

STEPS_AT_MOST = 400


class Case:
    """A program as a job, in a simulation."""

    def __init__(self, program: Op, *, instant_acks: bool = True) -> None:
        self.values = 0

        @task(name="gate")
        async def gate(label: str) -> Any:
            return await self.simulation.gate(label)

        def count() -> int:
            self.values += 1
            return self.values

        self.interpreter = Interpreter(gate, lambda: record(count))

        async def body(_payload: object) -> Any:
            return await self.interpreter.run(program)

        job = Job(body, id="program")
        declared.remove(job)
        self.simulation = Simulation(job=job, instant_acks=instant_acks)

    @property
    def trace(self) -> list[tuple[int, str]]:
        """What the body saw."""
        return self.interpreter.trace

    def end(self, label: str) -> None:
        """End a task as its label says."""
        error = ProgramError(label) if label.startswith("x") else None
        self.simulation.open_gate(label, label, error)

    async def run_at_random(self, seed: int) -> None:
        """Run to the end in an order that the seed decides."""
        chance = random.Random(seed)
        simulation = self.simulation
        simulation.begin()
        await simulation.settle()
        for _ in range(STEPS_AT_MOST):
            if simulation.outcome is not None:
                return
            actions: list[Any] = [(self.end, label) for label in sorted(simulation.gates)]
            waits = simulation.open_waits()
            if waits:
                earliest = min(waits, key=lambda wait: (wait.due_at or 0.0, wait.seq))
                actions.append((simulation.fire, earliest))
            if not simulation.instant_acks:
                actions += [(lambda _: simulation.deliver_one(), None)] * 3
            action, argument = chance.choice(actions)
            action(argument)
            await simulation.settle(chance.choice([1, 12]) if not simulation.instant_acks else 12)
        pytest.fail(f"the program does not end: {self.trace[-5:]}")

    async def run_along(self, journal: list[Entry], cut: int) -> None:
        """Begin with the journal up to ``cut`` and let the rest happen in the journal's order."""
        simulation = self.simulation
        simulation.expected = [(entry.kind, entry.step) for entry in journal[cut:] if entry.kind in DELIVERED_KINDS]
        simulation.begin(journal[:cut])
        await simulation.settle()
        for entry in journal[cut:]:
            if entry.kind in ("step_completed", "step_failed"):
                label = next(gate for gate in simulation.gates if self.labels[gate] == entry.step)
                self.end(label)
            elif entry.kind == "wait_completed":
                simulation.fire(next(wait for wait in simulation.open_waits() if wait.step == entry.step))
            await simulation.settle()

    labels: dict[str, str]


def told(journal: list[Entry]) -> list[tuple[str, str, str]]:
    """Return what of a journal a body learns of, without clocks."""
    return [(entry.kind, entry.step, entry.op) for entry in journal if entry.kind in DELIVERED_KINDS]


def recorded(journal: list[Entry]) -> set[tuple[str, str]]:
    """Return the steps and names of a journal's recorded values."""
    return {(entry.step, entry.name) for entry in journal if entry.op == "record"}


def values_in(journal: list[Entry]) -> int:
    """Return how many recorded values a journal holds."""
    return sum(entry.kind == "value_recorded" for entry in journal)


def labels_of(case: Case) -> dict[str, str]:
    """Return which step each label was executed as; a label is one operation, so one step."""
    return dict(case.simulation.labelled)


async def live_then_every_cut(program: Op, seed: int, cuts: int) -> None:
    """Run live, then cut at several places and compare."""
    live = Case(program)
    await live.run_at_random(seed)
    journal = list(live.simulation.entries)
    chance = random.Random(seed)
    places = set(chance.sample(range(len(journal) + 1), min(cuts, len(journal) + 1))) | {len(journal)}
    for cut in sorted(places):
        again = Case(program)
        again.labels = labels_of(live)
        again.values = values_in(journal[:cut])
        await again.run_along(journal, cut)
        assert again.trace == live.trace, f"cut at {cut}"
        # What branches that the body left behind still write may be missing: the run had ended.
        again_told = told(again.simulation.entries)
        assert again_told == told(journal)[: len(again_told)], f"cut at {cut}"
        assert recorded(again.simulation.entries) <= recorded(journal), f"cut at {cut}"
        ended, again_ended = live.simulation.outcome, again.simulation.outcome
        assert ended is not None
        assert again_ended is not None
        assert (again_ended.state, again_ended.value) == (ended.state, ended.value)
        done = {entry.step for entry in journal[:cut] if entry.kind.startswith("step_")}
        repeated = [label for label in again.simulation.executed if again.labels[label] in done]
        assert not repeated, f"cut at {cut}: executed again"


@given(programs().map(number), st.integers(0, 2**32), st.integers(1, 6))
@settings(max_examples=150)
def test_replay_when_cut_anywhere(program: Op, seed: int, cuts: int) -> None:
    """The run that goes on after a cut sees, does and journals what the uncut one did; no finished step runs again."""
    asyncio.run(live_then_every_cut(program, seed, cuts))


@given(programs().map(number), st.integers(0, 2**32))
@settings(max_examples=100)
def test_replay_when_acknowledgements_come_late(program: Op, seed: int) -> None:
    """Whatever prefix was committed, the replay sees the same as far as it reaches, and never diverges."""

    async def check() -> None:
        live = Case(program, instant_acks=False)
        await live.run_at_random(seed)
        journal = list(live.simulation.entries)
        reached = 0
        for cut in range(len(journal) + 1):
            again = Case(program, instant_acks=False)  # what it would do next stays unanswered
            again.values = values_in(journal[:cut])
            again.simulation.begin(journal[:cut])
            await again.simulation.settle()
            assert again.trace == live.trace[: len(again.trace)], f"cut at {cut}"
            again.simulation.crash()
            reached = len(again.trace)
        assert reached == len(live.trace)

    asyncio.run(check())


@pytest.mark.soak
@given(programs(4).map(number), st.integers(0, 2**32), st.integers(1, 30))
@settings(max_examples=3000)
def test_replay_when_cut_anywhere_for_long(program: Op, seed: int, cuts: int) -> None:
    """The same as above on larger programs and many more of them."""
    asyncio.run(live_then_every_cut(program, seed, cuts))
