"""TRG401: a durable call in async code without `await`."""

from __future__ import annotations

from analyzer.rules.rule import Example, Rule

RULE = Rule(
    code="TRG401",
    name="durable-call-not-awaited",
    summary="A task, sleep or wait in async code is not awaited.",
    message="{subject} is not awaited, so the body goes on without its result",
    remedy="Put `await` in front of it, or give it to `asyncio.gather` or `create_task`.",
    explanation="""\
## What it does

Finds tasks, sleeps, waits and child runs in async code whose result is neither awaited nor given to something
that awaits it.

## Why it matters

The body goes on before the step is done, never learns that it failed, and may end before it ran. A sleep that
is not awaited does not sleep.

## Use instead

`await`; or `asyncio.gather`, `TaskGroup`, `create_task` to run several at once.
""",
    bad=(
        Example(
            code="""\
from trigger_sdk import job, sleep, task


@task
async def send(to: str) -> None:
    print(to)


@job(id="greet")
async def greet(to: str) -> None:
    send(to)  # <- TRG401
    sleep(10)  # <- TRG401
"""
        ),
    ),
    good=(
        Example(
            code="""\
import asyncio
from trigger_sdk import job, sleep, task


@task
async def send(to: str) -> None:
    print(to)


@job(id="greet")
async def greet(to: str) -> None:
    await send(to)
    pending = [send(name) for name in "abc"]
    await asyncio.gather(*pending, sleep(10))
"""
        ),
    ),
)
