"""TRG106: a thread, a pool or another event loop in a body."""

from __future__ import annotations

from analyzer.rules.rule import Example, Rule

RULE = Rule(
    code="TRG106",
    name="thread-outside-task",
    summary="A body starts threads, pools or event loops.",
    message="{subject} runs code beside the body, in an order that no replay repeats",
    remedy="Make it a task (a sync task runs in a thread of its own), and run several at once with `asyncio.gather`.",
    explanation="""\
## What it does

Finds threads, process and thread pools, and event loops that a body or what it calls starts.

## Why it matters

What runs beside the body finishes in an order of its own, and is not part of the journal. On replay it would
all run again.

## Use instead

Tasks: a sync task has a thread, and `asyncio.gather`, `TaskGroup` and `create_task` run several at once, in an
order that replays.
""",
    bad=(
        Example(
            code="""\
import asyncio
from trigger_sdk import job


def crunch(n: int) -> int:
    return n * n


@job(id="crunch-all")
async def crunch_all(n: int) -> int:
    return await asyncio.to_thread(crunch, n)  # <- TRG106
"""
        ),
    ),
    good=(
        Example(
            code="""\
import asyncio
from trigger_sdk import job, task


@task
def crunch(n: int) -> int:
    return n * n


@job(id="crunch-all")
async def crunch_all(n: int) -> int:
    return sum(await asyncio.gather(*[crunch(i) for i in range(n)]))
"""
        ),
    ),
)
