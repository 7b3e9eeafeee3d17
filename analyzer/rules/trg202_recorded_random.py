"""TRG202: randomness and identifiers from calls that the runtime records."""

from __future__ import annotations

from analyzer.model import Severity
from analyzer.rules.rule import Example, Rule

RULE = Rule(
    code="TRG202",
    name="recorded-random",
    severity=Severity.HINT,
    summary="A body draws a random value; the runtime records the call.",
    message="{subject} is random, and the runtime records it",
    remedy="Nothing needs to be done: on replay the call returns what it returned the first time.",
    explanation="""\
## What it does

Tells where a body or what it calls draws random numbers or identifiers by a call that is recorded: `random.*`,
`secrets.*`, `uuid.uuid4` and their kin.

## Why it matters

The call is safe: the first result is written down and comes back on every replay. That makes `uuid4()` in a
body a good idempotency key.

## Use instead

Nothing. A generator with a fixed seed, `random.Random(42)`, needs no recording.
""",
    bad=(
        Example(
            code="""\
from uuid import uuid4
from trigger_sdk import job


@job(id="pay")
async def pay(amount: int) -> str:
    return str(uuid4())  # <- TRG202
"""
        ),
    ),
    good=(
        Example(
            code="""\
import random
import uuid
from trigger_sdk import job


@job(id="pay")
async def pay(amount: int) -> str:
    dice = random.Random(42)
    return f"{dice.random()} {uuid.uuid5(uuid.NAMESPACE_DNS, 'example.org')}"
"""
        ),
    ),
)
