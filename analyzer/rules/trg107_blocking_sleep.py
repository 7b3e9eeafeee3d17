"""TRG107: a sleep that holds the worker."""

from __future__ import annotations

from analyzer.rules.rule import Example, Rule

RULE = Rule(
    code="TRG107",
    name="blocking-sleep",
    summary="A body sleeps in a way that holds its worker and does not survive a crash.",
    message="{subject} holds the worker, and starts over after a crash",
    remedy="Use `trigger_sdk.sleep`, which is durable: `await sleep(...)` in an async job.",
    explanation="""\
## What it does

Finds `time.sleep` and the sleeps of other event loops in a body or in what it calls. `asyncio.sleep` is durable
in a body.

## Why it matters

A blocked body holds its worker, in an async job even the runs of others; and after a crash the whole time is
waited again.

## Use instead

`trigger_sdk.sleep`: the wait is written down, holds no memory when it is long, and goes on where it was after a
crash.
""",
    bad=(
        Example(
            code="""\
import time
from trigger_sdk import job


@job(id="remind")
async def remind(to: str) -> None:
    time.sleep(3600)  # <- TRG107
"""
        ),
    ),
    good=(
        Example(
            code="""\
import asyncio
from trigger_sdk import job, sleep


@job(id="remind")
async def remind(to: str) -> None:
    await sleep(3600)
    await asyncio.sleep(1)
"""
        ),
    ),
)
