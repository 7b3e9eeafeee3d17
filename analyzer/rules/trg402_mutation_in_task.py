"""TRG402: a variable of the body is changed inside a task."""

from __future__ import annotations

from analyzer.rules.rule import Example, Rule

RULE = Rule(
    code="TRG402",
    name="mutation-in-task",
    summary="A task changes a variable of the body; on replay the change is lost.",
    message="{subject} belongs to the body and is changed inside a task, which a replay does not run again",
    remedy="Return the value from the task, and change the variable in the body.",
    explanation="""\
## What it does

Finds assignments to variables of the body, and changes of its lists, dicts, sets and objects, inside a function
that runs as a task.

## Why it matters

On replay a task that is done is not run: its result comes from the journal. What it changed beside returning a
value never happens, and the body sees the old variable.

## Use instead

Let the task return what it found, and append or assign it in the body.
""",
    bad=(
        Example(
            code="""\
from trigger_sdk import job, task


@job(id="collect")
async def collect(name: str) -> list[str]:
    found: list[str] = []
    await task.run(lambda: found.append(name))  # <- TRG402
    return found
"""
        ),
    ),
    good=(
        Example(
            code="""\
from trigger_sdk import job, task


@job(id="collect")
async def collect(name: str) -> list[str]:
    found: list[str] = []
    found.append(await task.run(lambda: name.upper()))
    return found
"""
        ),
    ),
)
