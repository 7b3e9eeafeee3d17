"""TRG302: identities and hashes that differ between processes."""

from __future__ import annotations

from analyzer.rules.rule import Example, Rule

RULE = Rule(
    code="TRG302",
    name="object-identity",
    summary="A body uses `id()` or `hash()` of something that differs between processes.",
    message="{subject} gives a number that differs between processes",
    remedy="Use a key of your own: a field of the object, or `hashlib` for texts.",
    explanation="""\
## What it does

Finds `id(x)`, and `hash(x)` of texts and unknown values, in a body or in what it calls.

## Why it matters

Addresses and hashes of texts are different in every process, so also on replay.

## Use instead

A field of the object as the key; `hashlib.sha256(text.encode()).hexdigest()` for texts.
""",
    bad=(
        Example(
            code="""\
from trigger_sdk import job


@job(id="bucket")
async def bucket(name: str) -> int:
    return hash(name) % 16  # <- TRG302
"""
        ),
    ),
    good=(
        Example(
            code="""\
import hashlib
from trigger_sdk import job


@job(id="bucket")
async def bucket(name: str) -> int:
    return hashlib.sha256(name.encode()).digest()[0] % 16
"""
        ),
    ),
)
