"""TRG102: a file or folder is read, written or listed in a body."""

from __future__ import annotations

from analyzer.rules.rule import Example, Rule

RULE = Rule(
    code="TRG102",
    name="filesystem-outside-task",
    summary="A body touches files outside a task.",
    message="{subject} touches the file system, and every replay would do it again",
    remedy="Call it in a task: `await task.run(lambda: ...)`, or put `@task` on the function.",
    explanation="""\
## What it does

Finds files and folders that are opened, written, listed, looked up or removed by a body or by what it calls.
Handling paths and in-memory files is fine.

## Why it matters

A body is run again from its first line after a crash, a deploy or a long wait. It may then be on another
machine, where the file does not exist, or find what an earlier attempt left behind.

## Use instead

A task that reads or writes, and returns what the body needs.
""",
    bad=(
        Example(
            code="""\
from pathlib import Path
from trigger_sdk import job


@job(id="report")
async def report(name: str) -> int:
    text = Path(name).read_text()  # <- TRG102
    return len(text)
"""
        ),
    ),
    good=(
        Example(
            code="""\
from pathlib import Path
from trigger_sdk import job, task


@task
def read(name: str) -> str:
    return Path(name).read_text()


@job(id="report")
async def report(name: str) -> int:
    text = await read(name)
    return len(text) + len(Path(name).suffix)
"""
        ),
    ),
)
