"""TRG403: a durable call inside a task."""

from __future__ import annotations

from analyzer.rules.rule import Example, Rule

RULE = Rule(
    code="TRG403",
    name="durable-call-in-task",
    summary="A task, sleep or wait inside a task is not durable.",
    message="{subject} is called inside a task, where it is not durable",
    remedy="Call it from the job's body.",
    explanation="""\
## What it does

Finds tasks, sleeps and waits that are called inside a task.

## Why it matters

A task is one step. What it calls is repeated as a whole when it is tried again: an inner task is a plain
function there, a sleep holds its thread, a wait for an event or a child run fails.

## Use instead

Call the steps one after the other from the body; put what they share into plain functions.
""",
    bad=(
        Example(
            code="""\
from trigger_sdk import job, sleep, task


@task
async def ship(order: str) -> None:
    await sleep(60)  # <- TRG403


@job(id="order")
async def order(name: str) -> None:
    await ship(name)
"""
        ),
    ),
    good=(
        Example(
            code="""\
from trigger_sdk import job, sleep, task


@task
async def ship(order: str) -> None:
    print(order)


@job(id="order")
async def order(name: str) -> None:
    await sleep(60)
    await ship(name)
"""
        ),
    ),
)
