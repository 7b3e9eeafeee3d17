"""TRG101: a request, a connection, a client's call in a body."""

from __future__ import annotations

from analyzer.rules.rule import Example, Rule

RULE = Rule(
    code="TRG101",
    name="network-outside-task",
    summary="A body talks to the network outside a task.",
    message="{subject} talks to the network, and every replay would do it again",
    remedy="Call it in a task: `await task.run(lambda: ...)`, or put `@task` on the function.",
    explanation="""\
## What it does

Finds requests, connections and calls of clients (HTTP, mail, cloud services, message queues, model providers)
that a job's body makes itself, or through functions that it calls.

## Why it matters

A body is run again from its first line after a crash, a deploy or a long wait. A request outside a task is sent
once more each time: a card is charged twice, a mail arrives three times. Its answer may differ, too, and then
the run no longer fits its journal.

## Use instead

A task. Its result is written down, and on replay the body is given what is written. Building a request, a
client or a URL is no effect and may stay in the body.
""",
    bad=(
        Example(
            code="""\
import requests
from trigger_sdk import job


def rates() -> dict:
    return requests.get("https://rates.example").json()


@job(id="convert")
async def convert(amount: float) -> float:
    found = rates()  # <- TRG101
    return amount * found["usd"]
"""
        ),
    ),
    good=(
        Example(
            code="""\
import requests
from trigger_sdk import job, task


@task
def rates() -> dict:
    return requests.get("https://rates.example").json()


@job(id="convert")
async def convert(amount: float) -> float:
    found = await rates()
    other = await task.run(lambda: requests.get("https://rates.example").json())
    return amount * found["usd"] * other["eur"]
"""
        ),
    ),
)
