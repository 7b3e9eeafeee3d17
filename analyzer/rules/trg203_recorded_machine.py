"""TRG203: facts of the process and its machine from calls that the runtime records."""

from __future__ import annotations

from analyzer.model import Severity
from analyzer.rules.rule import Example, Rule

RULE = Rule(
    code="TRG203",
    name="recorded-machine",
    severity=Severity.HINT,
    summary="A body asks for its process or machine; the runtime records the call.",
    message="{subject} tells something of this worker, and the runtime records it",
    remedy="Nothing needs to be done: on replay the call returns what it returned the first time.",
    explanation="""\
## What it does

Tells where a body or what it calls asks for its process id, host name or number of processors.

## Why it matters

The call is safe, but what it says is true of the first attempt only: after a replay the run may be in another
worker.

## Use instead

Nothing, when it is for a log line. What must be true of this attempt belongs in a task.
""",
    bad=(
        Example(
            code="""\
import os
from trigger_sdk import job


@job(id="where")
async def where(name: str) -> int:
    return os.getpid()  # <- TRG203
"""
        ),
    ),
    good=(
        Example(
            code="""\
import os
from trigger_sdk import job, task


@task
def worker() -> int:
    return os.getpid()


@job(id="where")
async def where(name: str) -> int:
    return await worker()
"""
        ),
    ),
)
