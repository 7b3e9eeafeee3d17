"""TRG504: a cron expression that cannot be read."""

from __future__ import annotations

from analyzer.rules.cron import cron_mistake
from analyzer.rules.declarations import Declarations, Finding
from analyzer.rules.rule import Example, Rule


def check(declarations: Declarations) -> list[Finding]:
    """Find cron expressions that cannot be read, in ``cron(...)`` and in ``@job(cron=...)``."""
    findings = []
    for call in declarations.calls_of("cron", "job"):
        text = call.text(0, "expr") if call.name == "cron" else call.text(-1, "cron")
        mistake = None if text is None else cron_mistake(text)
        if text is not None and mistake is not None:
            message = RULE.describe(text, remedy=mistake)
            findings.append(Finding(home=call.home, at=call.at, message=message))
    return findings


RULE = Rule(
    code="TRG504",
    name="invalid-cron",
    summary="A cron expression cannot be read.",
    message="{subject} is no cron expression",
    remedy="Write five fields: minute, hour, day, month, weekday.",
    explanation="""\
## What it does

Finds cron expressions with a wrong number of fields, or with values that a field does not have.

## Why it matters

The schedule is refused when the project is loaded, or would never start a run.

## Use instead

Five fields, such as `*/5 * * * *` or `0 9 * * mon-fri`; or `@hourly`, `@daily`, `@weekly`, `@monthly`,
`@yearly`.
""",
    bad=(
        Example(
            code="""\
from trigger_sdk import cron, job


@job(id="clean", triggers=[cron("61 * * * *")])  # <- TRG504
async def clean(name: str) -> None:
    print(name)
"""
        ),
    ),
    good=(
        Example(
            code="""\
from trigger_sdk import cron, job


@job(id="clean", triggers=[cron("*/5 9-17 * * mon-fri", tz="Europe/Berlin")])
async def clean(name: str) -> None:
    print(name)
"""
        ),
    ),
    check=check,
    planned="the SDK has no `cron` to declare schedules with",
)
