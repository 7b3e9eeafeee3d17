"""TRG501: two jobs with one id."""

from __future__ import annotations

from analyzer.rules.declarations import Declarations, DeclaredJob, Finding
from analyzer.rules.rule import Example, Rule


def check(declarations: Declarations) -> list[Finding]:
    """Find every declaration of an id but the first."""
    first: dict[str, DeclaredJob] = {}
    findings = []
    for job in declarations.jobs:
        if not job.id:
            continue
        known = first.setdefault(job.id, job)
        if (known.home, known.function_at) != (job.home, job.function_at):
            place = f"{known.home.name}.{known.function}"
            message = RULE.describe(job.id, remedy=f"{place} has it already; give each job an id of its own")
            findings.append(Finding(home=job.home, at=job.at, message=message))
    return findings


RULE = Rule(
    code="TRG501",
    name="duplicate-job-id",
    summary="Two jobs of a project have the same id.",
    message="{subject} is declared more than once",
    remedy="Give each job an id of its own.",
    explanation="""\
## What it does

Finds jobs of a project that are declared with the same id.

## Why it matters

A client starts a job by its id. With two of them it is not known which one is meant, and the worker does not
start.

## Use instead

An id of its own for each job.
""",
    bad=(
        Example(
            code="""\
from trigger_sdk import job


@job(id="mail")
async def first(to: str) -> None:
    print(to)


@job(id="mail")  # <- TRG501
async def second(to: str) -> None:
    print(to)
"""
        ),
    ),
    good=(
        Example(
            code="""\
from trigger_sdk import job


@job(id="mail")
async def first(to: str) -> None:
    print(to)


@job(id="mail-again")
async def second(to: str) -> None:
    print(to)
"""
        ),
    ),
    check=check,
)
