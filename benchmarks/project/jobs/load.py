"""The jobs that are measured. Their steps do nothing, so that what is left is the cost of a step."""

from __future__ import annotations

import asyncio
import time
from dataclasses import dataclass

from trigger_sdk import job, task, wait_for_event

EVERYONE = -1
"""The number that an event carries when it is meant for all waiting runs."""


@dataclass
class Amount:
    """How many steps a run has."""

    steps: int


@dataclass
class Waiter:
    """One of many runs that wait for the same kind of event."""

    number: int


@dataclass
class History:
    """A run with a past: how many steps it completes before it waits, and how often it then waits."""

    steps: int
    rounds: int
    key: str


@task
async def tick(number: int) -> int:
    """Do nothing."""
    return number


@task
async def rest(seconds: float) -> float:
    """Take a while; return when it began."""
    began = time.time()
    await asyncio.sleep(seconds)
    return began


@task
async def mark() -> float:
    """Return when it was executed."""
    return time.time()


@job(id="steps")
async def steps(amount: Amount) -> int:
    """Execute steps one after the other."""
    total = 0
    for number in range(amount.steps):
        total += await tick(number)
    return total


@job(id="first-line")
async def first_line(number: int) -> float:  # noqa: ARG001 - a payload as users have it
    """Return when the first line of the body was executed: the clock is read before anything is recorded."""
    return time.time()


@job(id="resting")
async def resting(amount: Amount) -> int:
    """Execute steps that take 20 ms each: there is always one in flight."""
    for _ in range(amount.steps):
        await rest(0.02)
    return amount.steps


@job(id="waiting")
async def waiting(waiter: Waiter) -> int:
    """Wait for the event that is meant for this run, or for the one that is meant for all."""
    await wait_for_event("bench.wake", filter={"number": [waiter.number, EVERYONE]})
    return waiter.number


@job(id="history")
async def history(past: History) -> list[float]:
    """Complete many steps; then, again and again, wait for an event and execute one more step."""
    for number in range(past.steps):
        await tick(number)
    marks = []
    for _ in range(past.rounds):
        await wait_for_event("bench.go", filter={"key": [past.key]})
        marks.append(await mark())
    return marks
