"""TRG903: a suppression without codes, or of a code that does not exist."""

from __future__ import annotations

from analyzer.model import Severity
from analyzer.rules.rule import Example, Rule

RULE = Rule(
    code="TRG903",
    name="invalid-suppression",
    severity=Severity.WARNING,
    summary="A suppression names no code, or one that does not exist.",
    message="there is no rule {subject}",
    remedy="Correct the code, or remove the comment.",
    explanation="""\
## What it does

Finds comments `# trigger: ignore[...]` with a code that no rule has, comments `# trigger: ignore` that name no code in
brackets, and misspelled ones.

## Why it matters

The comment silences nothing, and its author believes that it does.

## Use instead

The code as the diagnostic shows it, in brackets. `TRG1` silences a family.
""",
    bad=(
        Example(
            code="""\
import os
from trigger_sdk import job, task


@task
def drop(name: str) -> None:
    os.remove(name)  # trigger: ignore[TRG999] a lock  # <- TRG903


@job(id="mail")
async def mail(to: str) -> None:
    await drop(to)
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
