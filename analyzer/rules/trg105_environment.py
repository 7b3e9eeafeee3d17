"""TRG105: environment variables and settings of the machine in a body."""

from __future__ import annotations

from analyzer.rules.rule import Example, Rule

RULE = Rule(
    code="TRG105",
    name="environment-outside-task",
    summary="A body reads or changes its environment outside a task.",
    message="{subject} depends on the worker's environment, which may be another one on replay",
    remedy="Read it when the module is imported, or in a task, or record it: `record(lambda: ...)`.",
    explanation="""\
## What it does

Finds environment variables, user names, locale and platform settings that a body or what it calls reads or
changes. Reading them when a module is imported is fine.

## Why it matters

A body is run again from its first line after a crash, a deploy or a long wait. It may then run in another
worker, after a deploy that changed the variable, and take another way than its journal.

## Use instead

Read what configures the project once, when the module is imported; or inside the task that needs it; or with
`record`.
""",
    bad=(
        Example(
            code="""\
import os
from trigger_sdk import job


@job(id="mail")
async def mail(to: str) -> str:
    return os.environ["SENDER"]  # <- TRG105
"""
        ),
    ),
    good=(
        Example(
            code="""\
import os
from trigger_sdk import job, record

SENDER = os.environ.get("SENDER", "")


@job(id="mail")
async def mail(to: str) -> str:
    region = record(lambda: os.environ["REGION"])
    return SENDER + region
"""
        ),
    ),
)
