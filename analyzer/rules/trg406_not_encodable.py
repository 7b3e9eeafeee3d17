"""TRG406: a result or payload that cannot be stored."""

from __future__ import annotations

from analyzer.rules.rule import Example, Rule

RULE = Rule(
    code="TRG406",
    name="value-not-encodable",
    summary="A task's result, a job's result or a payload cannot be stored.",
    message="{subject}, which cannot be stored in the journal",
    remedy="Return plain data: a dict, a dataclass, a model, numbers, text.",
    explanation="""\
## What it does

Finds results of tasks and jobs, and payloads of child runs and events, that are or hold functions, generators,
open files, locks, connections, clients, responses, data frames, rows of an ORM, or instances of a class that is
nothing but a class. Dataclasses, named tuples, enums, exceptions and the models of pydantic, attrs and msgspec are
fine, and so is what the type of is not known.

## Why it matters

Results travel through the journal. What belongs to a process, such as an open connection, cannot be written
down, and the step fails when it is.

## Use instead

Open it inside the task that uses it, and return the data.
""",
    bad=(
        Example(
            code="""\
import threading
from trigger_sdk import job, task


@task
def lock() -> threading.Lock:
    return threading.Lock()


@job(id="guard")
async def guard(name: str) -> None:
    await lock()  # <- TRG406
"""
        ),
    ),
    good=(
        Example(
            code="""\
from dataclasses import dataclass
from trigger_sdk import job, task


@dataclass
class Seat:
    number: int


@task
def seat() -> Seat:
    return Seat(number=3)


@job(id="guard")
async def guard(name: str) -> int:
    return (await seat()).number
"""
        ),
    ),
)
