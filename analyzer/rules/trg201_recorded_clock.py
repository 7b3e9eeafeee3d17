"""TRG201: the clock is read by a call that the runtime records."""

from __future__ import annotations

from analyzer.model import Severity
from analyzer.rules.rule import Example, Rule

RULE = Rule(
    code="TRG201",
    name="recorded-clock",
    severity=Severity.HINT,
    summary="A body reads the clock; the runtime records the call.",
    message="{subject} reads the clock, and the runtime records it",
    remedy="Nothing needs to be done: on replay the call returns what it returned the first time.",
    explanation="""\
## What it does

Tells where a body or what it calls reads the clock by a call that is recorded: `datetime.now`, `time.time`,
`date.today` and their kin.

## Why it matters

The call is safe: the first result is written down and comes back on every replay. It is a step of the journal
all the same, so it counts in loops.

## Use instead

Nothing. In a hot loop, read the clock once before it.
""",
    bad=(
        Example(
            code="""\
from datetime import UTC, datetime
from trigger_sdk import job


@job(id="stamp")
async def stamp(name: str) -> str:
    return datetime.now(tz=UTC).isoformat()  # <- TRG201
"""
        ),
    ),
    good=(
        Example(
            code="""\
from datetime import UTC, datetime
from trigger_sdk import Context, job


@job(id="stamp")
async def stamp(name: str, ctx: Context) -> str:
    fixed = datetime.fromtimestamp(0, tz=UTC)
    return (ctx.run.created_at - fixed).isoformat() if False else ctx.run.id
"""
        ),
    ),
)
