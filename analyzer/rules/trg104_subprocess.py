"""TRG104: another process is started or signalled in a body."""

from __future__ import annotations

from analyzer.rules.rule import Example, Rule

RULE = Rule(
    code="TRG104",
    name="subprocess-outside-task",
    summary="A body starts or signals a process outside a task.",
    message="{subject} runs or signals another process, and every replay would do it again",
    remedy="Call it in a task: `await task.run(lambda: ...)`, or put `@task` on the function.",
    explanation="""\
## What it does

Finds programs that are started, and processes that are signalled or waited for, by a body or by what it calls.

## Why it matters

A body is run again from its first line after a crash, a deploy or a long wait. The program would run again each
time.

## Use instead

A task that runs the program and returns its output.
""",
    bad=(
        Example(
            code="""\
import subprocess
from trigger_sdk import job


@job(id="convert")
async def convert(name: str) -> None:
    subprocess.run(["ffmpeg", "-i", name, "out.mp4"])  # <- TRG104
"""
        ),
    ),
    good=(
        Example(
            code="""\
import subprocess
from trigger_sdk import job, task


@job(id="convert")
async def convert(name: str) -> None:
    await task.run(lambda: subprocess.run(["ffmpeg", "-i", name, "out.mp4"]).returncode)
"""
        ),
    ),
)
