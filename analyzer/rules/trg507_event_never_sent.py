"""TRG507: nothing in the project sends the event that is waited for."""

from __future__ import annotations

import difflib
from typing import Final

from analyzer.model import Severity
from analyzer.rules.declarations import Declarations, Finding
from analyzer.rules.rule import Example, Rule

_SIMILAR: Final = 0.85
"""How alike two names must be, from 0 to 1: events of other names may well come from outside the project."""


def check(declarations: Declarations) -> list[Finding]:
    """Find waits whose event is sent by no call, when an event of nearly the same name is."""
    names = [call.text(0, "name") for call in declarations.calls_of("send_event")]
    sent = {name for name in names if name is not None}
    findings = []
    for call in declarations.calls_of("wait_for_event"):
        name = call.text(0, "name")
        if name is None or name in sent:
            continue
        close = difflib.get_close_matches(name, sent, n=1, cutoff=_SIMILAR)
        if close:
            message = RULE.describe(name, remedy=f"did you mean `{close[0]}`")
            findings.append(Finding(home=call.home, at=call.at, message=message))
    return findings


RULE = Rule(
    code="TRG507",
    name="event-never-sent",
    severity=Severity.HINT,
    summary="A body waits for an event that nothing sends; the project sends one of nearly the same name.",
    message="nothing in this project sends the event {subject}",
    remedy="If something outside the project sends it, this can be ignored.",
    explanation="""\
## What it does

Tells where a body waits for an event that no `send_event` of the project sends, when one of nearly the same
name is sent. Other events may come from outside.

## Why it matters

A name that is spelt differently is never sent, and the wait ends by its time-out, or never.

## Use instead

The same name on both sides: a constant. Events that come from outside need nothing.
""",
    bad=(
        Example(
            code="""\
from trigger_sdk import job, send_event, wait_for_event


@job(id="buy")
async def buy(name: str) -> None:
    await wait_for_event("order.piad")  # <- TRG507


@job(id="pay")
async def pay(name: str) -> None:
    await send_event("order.paid", {"id": 1})
"""
        ),
    ),
    good=(
        Example(
            code="""\
from trigger_sdk import job, send_event, wait_for_event

PAID = "order.paid"


@job(id="buy")
async def buy(name: str) -> None:
    await wait_for_event(PAID)


@job(id="pay")
async def pay(name: str) -> None:
    await send_event(PAID, {"id": 1})
"""
        ),
    ),
    check=check,
)
