"""TRG901: a file that is no valid Python."""

from __future__ import annotations

from analyzer.rules.rule import Example, Rule

RULE = Rule(
    code="TRG901",
    name="syntax-error",
    summary="A file is no valid Python, and was not checked.",
    message="the file cannot be read as Python ({subject})",
    remedy="Correct it; what it declares was not checked.",
    explanation="""\
## What it does

Tells of files that Python cannot compile. The rest of the project is checked all the same.

## Why it matters

The module cannot be imported, so none of its jobs exists, and what it does is not known.

## Use instead

Valid Python, in the version that runs the check.
""",
    bad=(
        Example(
            code="""\
from trigger_sdk import job


@job(id="mail")
async def mail(to: str) -> None  # <- TRG901
    print(to)
"""
        ),
    ),
    good=(
        Example(
            code="""\
from trigger_sdk import job


@job(id="mail")
async def mail(to: str) -> None:
    print(to)
"""
        ),
    ),
)
