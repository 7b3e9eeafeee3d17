"""TRG103: a query, a commit, a connection to a database in a body."""

from __future__ import annotations

from analyzer.rules.rule import Example, Rule

RULE = Rule(
    code="TRG103",
    name="database-outside-task",
    summary="A body uses a database outside a task.",
    message="{subject} uses a database, and every replay would do it again",
    remedy="Call it in a task: `await task.run(lambda: ...)`, or put `@task` on the function.",
    explanation="""\
## What it does

Finds queries, commits, connections and calls of database and cache clients in a body or in what it calls.
Building a statement (`sqlalchemy.select`) is fine.

## Why it matters

A body is run again from its first line after a crash, a deploy or a long wait. An insert outside a task is
inserted again, and a query may answer differently the second time, so that the body takes another way than its
journal.

## Use instead

A task for each unit of work, with the connection opened inside it.
""",
    bad=(
        Example(
            code="""\
import sqlite3
from trigger_sdk import job


@job(id="count")
async def count(path: str) -> int:
    connection = sqlite3.connect(path)  # <- TRG103
    return 1
"""
        ),
    ),
    good=(
        Example(
            code="""\
import sqlite3
from trigger_sdk import job, task


@task
def rows(path: str) -> int:
    with sqlite3.connect(path) as connection:
        return connection.execute("select count(*) from orders").fetchone()[0]


@job(id="count")
async def count(path: str) -> int:
    return await rows(path)
"""
        ),
    ),
)
