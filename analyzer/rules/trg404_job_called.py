"""TRG404: a job is called as a function."""

from __future__ import annotations

from analyzer.rules.rule import Example, Rule

RULE = Rule(
    code="TRG404",
    name="job-called-directly",
    summary="A job is called as a function, which starts no run.",
    message="{subject} is a job and is called as a function, which starts no run of its own",
    remedy="Start a run: `await the_job.trigger_and_wait(...)`, or move what both need into a plain function.",
    explanation="""\
## What it does

Finds calls of a job's function in a body, in what it calls, and in tasks.

## Why it matters

The call runs the other body inside this one: no run of its own, no queue, no retries, no entry under its id.

## Use instead

`await other.trigger_and_wait(payload)` for its result, `await other.trigger(payload)` to go on at once.
""",
    bad=(
        Example(
            code="""\
from trigger_sdk import job


@job(id="child")
async def child(name: str) -> str:
    return name


@job(id="parent")
async def parent(name: str) -> str:
    return await child(name)  # <- TRG404
"""
        ),
    ),
    good=(
        Example(
            code="""\
from trigger_sdk import job


@job(id="child")
async def child(name: str) -> str:
    return name


@job(id="parent")
async def parent(name: str) -> str:
    return await child.trigger_and_wait(name)
"""
        ),
    ),
)
