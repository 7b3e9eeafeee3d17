"""TRG405: a cancellation is caught and not raised again."""

from __future__ import annotations

from analyzer.rules.rule import Example, Rule

RULE = Rule(
    code="TRG405",
    name="swallowed-cancellation",
    summary="A handler catches cancellation around a durable call, and keeps it.",
    message="{subject} around a durable call keeps a cancellation from ending the run",
    remedy="Catch `Exception`, or end the handler with `raise`.",
    explanation="""\
## What it does

Finds `except BaseException`, bare `except`, `except CancelledError` and `contextlib.suppress` of them around
durable calls that do not raise again; and `return` in `finally`.

## Why it matters

Cancelling a run, and leaving the worker during a long wait, are exceptions in the body that `except Exception`
does not catch. A handler that keeps them makes a run that cannot be cancelled.

## Use instead

`except Exception`. To undo steps on cancellation as well, catch it and end with `raise`.
""",
    bad=(
        Example(
            code="""\
from trigger_sdk import job, sleep


@job(id="wait")
async def wait(name: str) -> None:
    try:
        await sleep(100)
    except BaseException:  # <- TRG405
        print("ignored")
"""
        ),
    ),
    good=(
        Example(
            code="""\
import asyncio
from trigger_sdk import job, sleep


@job(id="wait")
async def wait(name: str) -> None:
    try:
        await sleep(100)
    except (Exception, asyncio.CancelledError):
        print("undo")
        raise
    try:
        await sleep(100)
    except Exception:
        print("failed")
"""
        ),
    ),
)
