"""TRG902: a suppression that silences nothing."""

from __future__ import annotations

from analyzer.model import Severity
from analyzer.rules.rule import Example, Rule

RULE = Rule(
    code="TRG902",
    name="unused-suppression",
    severity=Severity.WARNING,
    summary="A suppression silences nothing.",
    message="{subject} is suppressed here, and there is nothing to suppress",
    remedy="Remove the comment.",
    explanation="""\
## What it does

Finds comments `# trigger: ignore[...]` that silence no diagnostic, in files and functions that the check
reached.

## Why it matters

It would hide the next, real finding on its line.

## Use instead

Remove it.
""",
    bad=(
        Example(
            code="""\
from trigger_sdk import job


@job(id="mail")
async def mail(to: str) -> None:
    print(to)  # trigger: ignore[TRG101] it once sent a mail  # <- TRG902
"""
        ),
    ),
    good=(
        Example(
            code="""\
import os
from trigger_sdk import job


@job(id="mail")
async def mail(to: str) -> None:
    os.remove(to)  # trigger: ignore[TRG102] a lock of this worker
"""
        ),
    ),
)
