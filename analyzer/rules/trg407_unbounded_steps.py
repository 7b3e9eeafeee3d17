"""TRG407: an endless loop of steps."""

from __future__ import annotations

from analyzer.model import Severity
from analyzer.rules.rule import Example, Rule

RULE = Rule(
    code="TRG407",
    name="unbounded-steps",
    severity=Severity.WARNING,
    summary="An endless loop asks for steps, so that the journal grows for ever.",
    message="{subject} asks for steps without end, and the run's journal grows with each",
    remedy="Give the loop an end, or let a schedule or a child run start anew.",
    explanation="""\
## What it does

Finds `while True` and endless iterators around durable calls that have no `break`, `return` or `raise`.

## Why it matters

Every step is an entry of the run's journal, which is replayed from its beginning. A run without end grows
without bound.

## Use instead

End the run and start the next one: `await this_job.trigger(payload, delay=60)`, or declare a schedule.
""",
    bad=(
        Example(
            code="""\
from trigger_sdk import job, sleep, task


@task
async def poll() -> bool:
    return True


@job(id="watch")
async def watch(name: str) -> None:
    while True:  # <- TRG407
        await poll()
        await sleep(60)
"""
        ),
    ),
    good=(
        Example(
            code="""\
from trigger_sdk import job, sleep, task


@task
async def poll() -> bool:
    return True


@job(id="watch")
async def watch(name: str) -> None:
    while True:
        if await poll():
            break
        await sleep(60)
"""
        ),
    ),
)
