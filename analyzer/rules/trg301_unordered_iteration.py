"""TRG301: the order of a set gets out."""

from __future__ import annotations

from analyzer.rules.rule import Example, Rule

RULE = Rule(
    code="TRG301",
    name="unordered-iteration",
    summary="A body depends on the order in which a set is iterated.",
    message="{subject} decides what happens next, and it differs between processes",
    remedy="Sort it: `sorted(...)`.",
    explanation="""\
## What it does

Finds sets whose order gets out: a loop over one with steps or with results that are collected, `list(s)`, `*s`,
`next(iter(s))`, `s.pop()`, `join`. Membership, `len`, `sorted`, `sum`, `any` and set operations are fine, and
so are sets of whole numbers.

## Why it matters

Texts hash differently in every process, and objects by their address. On replay the steps would be asked for in
another order than the journal has them. (Workers of one deployment share a seed for texts; another deployment
does not.)

## Use instead

`sorted(s)`, or a list or dict, which keep the order in which they were filled.
""",
    bad=(
        Example(
            code="""\
from trigger_sdk import job, task


@task
async def greet(name: str) -> None:
    print(name)


@job(id="greet-all")
async def greet_all(names: list[str]) -> None:
    for name in set(names):  # <- TRG301
        await greet(name)
"""
        ),
    ),
    good=(
        Example(
            code="""\
from trigger_sdk import job, task


@task
async def greet(name: str) -> None:
    print(name)


@job(id="greet-all")
async def greet_all(names: list[str]) -> None:
    unique = set(names)
    for name in sorted(unique):
        await greet(name)
    for name in dict.fromkeys(names):
        await greet(name)
    print(len(unique), "a" in unique, any(name for name in unique))
"""
        ),
    ),
)
