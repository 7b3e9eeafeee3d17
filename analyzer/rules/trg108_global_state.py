"""TRG108: a variable of a module or class is changed in a body."""

from __future__ import annotations

from analyzer.rules.rule import Example, Rule

RULE = Rule(
    code="TRG108",
    name="global-state",
    summary="A body changes what all runs of a worker share.",
    message="{subject} is changed, though all runs of a worker share it and a replay changes it again",
    remedy="Keep it in a variable of the body, or store it in a task.",
    explanation="""\
## What it does

Finds assignments to variables of modules and classes, and changes of lists, dicts, sets and objects that they
hold, in a body or in what it calls. Reading them is fine.

## Why it matters

The variable belongs to the worker's process: another run sees it, a replay in another worker does not, and a
replay in the same one changes it a second time.

## Use instead

A variable of the body, passed on and returned. What must outlive the run belongs in a database, by a task.
""",
    bad=(
        Example(
            code="""\
from trigger_sdk import job

SEEN: list[str] = []


@job(id="note")
async def note(name: str) -> int:
    SEEN.append(name)  # <- TRG108
    return len(SEEN)
"""
        ),
    ),
    good=(
        Example(
            code="""\
from trigger_sdk import job

KNOWN = ["a", "b"]


@job(id="note")
async def note(name: str) -> int:
    seen = list(KNOWN)
    seen.append(name)
    return len(seen)
"""
        ),
    ),
)
