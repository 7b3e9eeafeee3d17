"""TRG505: a time zone that does not exist."""

from __future__ import annotations

import difflib
import zoneinfo

from analyzer.rules.declarations import Declarations, Finding
from analyzer.rules.rule import Example, Rule


def check(declarations: Declarations) -> list[Finding]:
    """Find time zones that this machine's database does not have; without a database there is nothing to find."""
    places = [(zone.name, zone.home, zone.at) for zone in declarations.zones]
    places += [
        (call.text(1 if call.name == "cron" else -1, "tz"), call.home, call.at)
        for call in declarations.calls_of("cron", "job")
    ]
    findings = []
    for name, home, at in places:
        if name is None or _exists(name) or not _exists("UTC"):
            continue
        close = difflib.get_close_matches(name, zoneinfo.available_timezones(), n=1, cutoff=0.6)
        remedy = f"did you mean `{close[0]}`" if close else ""
        findings.append(Finding(home=home, at=at, message=RULE.describe(name, remedy=remedy)))
    return findings


def _exists(name: str) -> bool:
    try:
        zoneinfo.ZoneInfo(name)
    except (zoneinfo.ZoneInfoNotFoundError, ValueError, OSError):
        return False
    return True


RULE = Rule(
    code="TRG505",
    name="invalid-time-zone",
    summary="A time zone does not exist.",
    message="{subject} is no time zone",
    remedy="Use a name of the IANA database, such as `Europe/Berlin`.",
    explanation="""\
## What it does

Finds names of time zones in `ZoneInfo(...)` that the IANA database does not have; in schedules, too, once the SDK has
them.

## Why it matters

`ZoneInfo` raises when it is reached: days after the run began, perhaps.

## Use instead

A name of the IANA database: `Europe/Berlin`, `America/New_York`, `UTC`.
""",
    bad=(
        Example(
            code="""\
from zoneinfo import ZoneInfo
from trigger_sdk import job


@job(id="clean")
async def clean(name: str) -> str:
    return str(ZoneInfo("Europe/Berlim"))  # <- TRG505
"""
        ),
    ),
    good=(
        Example(
            code="""\
from zoneinfo import ZoneInfo
from trigger_sdk import job


@job(id="clean")
async def clean(name: str) -> str:
    return str(ZoneInfo("Europe/Berlin"))
"""
        ),
    ),
    check=check,
)
