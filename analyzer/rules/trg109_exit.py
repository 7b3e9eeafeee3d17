"""TRG109: the process is ended, or a signal handler set, in a body."""

from __future__ import annotations

from analyzer.rules.rule import Example, Rule

RULE = Rule(
    code="TRG109",
    name="exit-or-signal",
    summary="A body ends its process or changes how it handles signals.",
    message="{subject} acts on the whole worker, and with it on the runs of others",
    remedy="Return, or raise an exception: `raise Abort(...)` fails the run without another try.",
    explanation="""\
## What it does

Finds `sys.exit`, `os._exit` and signal handlers in a body or in what it calls.

## Why it matters

A worker holds many runs. Ending it ends their attempts as well, and this run would come back and do it again.

## Use instead

`return` ends a run well, `raise Abort(...)` fails it for good.
""",
    bad=(
        Example(
            code="""\
import sys
from trigger_sdk import job


@job(id="check")
async def check(ok: bool) -> None:
    if not ok:
        sys.exit(1)  # <- TRG109
"""
        ),
    ),
    good=(
        Example(
            code="""\
from trigger_sdk import Abort, job


@job(id="check")
async def check(ok: bool) -> None:
    if not ok:
        raise Abort("not ok")
"""
        ),
    ),
)
