"""TRG506: a queue without name, with no room, or with two limits."""

from __future__ import annotations

from analyzer.rules.declarations import Declarations, Finding
from analyzer.rules.rule import Example, Rule


def check(declarations: Declarations) -> list[Finding]:
    """Find queues that cannot be, and queues of one name with two limits."""
    findings = []
    limits: dict[str, int] = {}
    for call in sorted(declarations.calls_of("Queue"), key=lambda call: (call.home.name, call.at)):
        name = call.text(0, "name")
        limit = call.number(1, "concurrency")
        remedy = ""
        if name == "":
            remedy = "give it a name"
        elif limit is not None and limit < 1:
            remedy = f"a concurrency of {limit} lets nothing run; use 1 or more"
        elif name and limit is not None and limits.setdefault(name, limit) != limit:
            remedy = f"it has a concurrency of {limits[name]} elsewhere; declare it once, and share it"
        if remedy:
            message = RULE.describe(f"Queue({name!r})" if name is not None else "Queue", remedy=remedy)
            findings.append(Finding(home=call.home, at=call.at, message=message))
    return findings


RULE = Rule(
    code="TRG506",
    name="invalid-queue",
    summary="A queue has no name, no room, or two limits.",
    message="{subject} cannot be used",
    remedy="Give it a name, and a concurrency of 1 or more.",
    explanation="""\
## What it does

Finds queues without a name, with a concurrency below 1, and queues of one name that are declared with different
limits.

## Why it matters

The first two are refused when the module is imported. With two limits it depends on the order of imports which
one counts.

## Use instead

Declare a queue once, and share it: `MAIL = Queue("mail", concurrency=10)`.
""",
    bad=(
        Example(
            code="""\
from trigger_sdk import Queue, job


@job(id="mail", queue=Queue("mail", concurrency=0))  # <- TRG506
async def mail(to: str) -> None:
    print(to)
"""
        ),
    ),
    good=(
        Example(
            code="""\
from trigger_sdk import Queue, job

MAIL = Queue("mail", concurrency=10)


@job(id="mail", queue=MAIL)
async def mail(to: str) -> None:
    print(to)


@job(id="letter", queue="mail")
async def letter(to: str) -> None:
    print(to)
"""
        ),
    ),
    check=check,
)
