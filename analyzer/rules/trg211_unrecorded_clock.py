"""TRG211: the clock is read by a call that is not recorded."""

from __future__ import annotations

from analyzer.rules.rule import Example, Rule

RULE = Rule(
    code="TRG211",
    name="unrecorded-clock",
    summary="A body reads the clock by a call that the runtime does not record.",
    message="{subject} reads the clock, and is not recorded: a replay would see another time",
    remedy="Use `datetime.now`, which is recorded, or record it: `record(lambda: ...)`.",
    explanation="""\
## What it does

Finds clocks of libraries (`pendulum.now`, `arrow.utcnow`, `django.utils.timezone.now`) in a body or in what it
calls.

## Why it matters

The runtime records the calls of the standard library. A library's own clock gives another time on replay, and
the body may take another way than its journal.

## Use instead

`datetime.now(...)`, or `record(pendulum.now)`.
""",
    bad=(
        Example(
            code="""\
import pendulum
from trigger_sdk import job


@job(id="stamp")
async def stamp(name: str) -> str:
    return str(pendulum.now())  # <- TRG211
"""
        ),
    ),
    good=(
        Example(
            code="""\
import pendulum
from trigger_sdk import job, record


@job(id="stamp")
async def stamp(name: str) -> str:
    now = record(pendulum.now)
    return f"{now} {pendulum.parse('2026-01-01')}"
"""
        ),
    ),
)
