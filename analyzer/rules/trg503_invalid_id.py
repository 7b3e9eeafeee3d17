"""TRG503: an id with characters that ids do not have."""

from __future__ import annotations

import re
from typing import Final

from analyzer.rules.declarations import Declarations, Finding
from analyzer.rules.rule import Example, Rule

_ID: Final = re.compile(r"[A-Za-z0-9][A-Za-z0-9._:-]{0,127}")


def check(declarations: Declarations) -> list[Finding]:
    """Find ids that the SDK refuses."""
    return [
        Finding(home=job.home, at=job.at, message=RULE.describe(job.id or "an empty text", is_code=bool(job.id)))
        for job in declarations.jobs
        if job.is_empty or (job.id and _ID.fullmatch(job.id) is None)
    ]


RULE = Rule(
    code="TRG503",
    name="invalid-job-id",
    summary="A job's id has characters that ids do not have.",
    message="{subject} is no id",
    remedy="Use letters, digits and . _ : - (at most 128), beginning with a letter or digit.",
    explanation="""\
## What it does

Finds ids that the SDK refuses when the module is imported.

## Why it matters

The module cannot be imported, so none of its jobs exists.

## Use instead

Letters, digits and `. _ : -`, at most 128 of them, beginning with a letter or digit.
""",
    bad=(
        Example(
            code="""\
from trigger_sdk import job


@job(id="send mail!")  # <- TRG503
async def mail(to: str) -> None:
    print(to)
"""
        ),
    ),
    good=(
        Example(
            code="""\
from trigger_sdk import job


@job(id="mail:send.v2")
async def mail(to: str) -> None:
    print(to)
"""
        ),
    ),
    check=check,
)
