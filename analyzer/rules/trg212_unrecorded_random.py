"""TRG212: randomness from a call that is not recorded."""

from __future__ import annotations

from analyzer.rules.rule import Example, Rule

RULE = Rule(
    code="TRG212",
    name="unrecorded-random",
    summary="A body draws a random value by a call that the runtime does not record.",
    message="{subject} is random, and is not recorded: a replay would draw another value",
    remedy="Record it: `record(lambda: ...)`, or use a generator with a fixed seed.",
    explanation="""\
## What it does

Finds random numbers and identifiers of libraries (`numpy.random`, `torch.rand`, `faker`, `shortuuid`) in a body
or in what it calls.

## Why it matters

The runtime records the calls of the standard library. A library's own randomness differs on replay, and the
body may take another way than its journal.

## Use instead

`record(lambda: numpy.random.rand())`, `numpy.random.default_rng(42)`, or `random` and `uuid` of the standard
library.
""",
    bad=(
        Example(
            code="""\
import numpy
from trigger_sdk import job


@job(id="sample")
async def sample(n: int) -> float:
    return float(numpy.random.rand())  # <- TRG212
"""
        ),
    ),
    good=(
        Example(
            code="""\
import numpy
from trigger_sdk import job, record


@job(id="sample")
async def sample(n: int) -> float:
    generator = numpy.random.default_rng(42)
    return record(lambda: float(numpy.random.rand())) + generator.normal()
"""
        ),
    ),
)
