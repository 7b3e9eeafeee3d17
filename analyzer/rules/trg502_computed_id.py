"""TRG502: an id that is not known before the code runs."""

from __future__ import annotations

from analyzer.rules.declarations import Declarations, Finding
from analyzer.rules.rule import Example, Rule


def check(declarations: Declarations) -> list[Finding]:
    """Find ids that are not known."""
    return [
        Finding(home=job.home, at=job.at, message=RULE.describe(job.function))
        for job in declarations.jobs
        if job.is_computed
    ]


RULE = Rule(
    code="TRG502",
    name="computed-job-id",
    summary="A job's id is computed, so that it may change between deployments.",
    message="the id of {subject} is computed",
    remedy='Write it as a literal: `@job(id="...")`.',
    explanation="""\
## What it does

Finds ids that are not a literal or a constant of the project.

## Why it matters

Runs, schedules and clients name a job by its id. One that depends on the environment is another job in each of
them, and runs that wait for it find nothing.

## Use instead

A literal, or a constant. What differs between environments belongs into the payload or the queue.
""",
    bad=(
        Example(
            code="""\
import os
from trigger_sdk import job


@job(id=f"{os.environ['STAGE']}-mail")  # <- TRG502
async def mail(to: str) -> None:
    print(to)
"""
        ),
    ),
    good=(
        Example(
            code="""\
from trigger_sdk import job

MAIL = "mail"


@job(id=MAIL)
async def mail(to: str) -> None:
    print(to)
"""
        ),
    ),
    check=check,
)
