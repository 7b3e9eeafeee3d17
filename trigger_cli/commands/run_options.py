"""The options with which a run is started: how they are written, and what they are called in the API."""

from __future__ import annotations

from typing import Annotated

import typer

_DURATION = "DURATION"

Wait = Annotated[bool, typer.Option("--wait", "-w", help="Follow the run to its end, then print its output.")]
Timeout = Annotated[
    str | None, typer.Option("--timeout", metavar=_DURATION, help="With --wait: give up after this time.")
]
IdempotencyKey = Annotated[
    str | None, typer.Option("--idempotency-key", help="A second start with the same key finds the first run.")
]
IdempotencyTtl = Annotated[
    str | None, typer.Option("--idempotency-ttl", metavar=_DURATION, help="How long the key holds.")
]
Delay = Annotated[str | None, typer.Option("--delay", metavar=_DURATION, help="Start after this time.")]
Ttl = Annotated[str | None, typer.Option("--ttl", metavar=_DURATION, help="Expire when not started by then.")]
MaxDuration = Annotated[
    str | None, typer.Option("--max-duration", metavar=_DURATION, help="End it as timed_out after this time.")
]
Priority = Annotated[int | None, typer.Option("--priority", help="Higher goes first.")]
Queue = Annotated[str | None, typer.Option("--queue", help="Use this queue instead of the job's.")]
ConcurrencyKey = Annotated[
    str | None, typer.Option("--concurrency-key", help="Divides the queue's limit: one limit per key.")
]
Tags = Annotated[list[str] | None, typer.Option("--tag", help="A label; may be given several times.")]
Metadata = Annotated[
    str | None, typer.Option("--metadata", metavar="JSON|@FILE", help="A JSON object to keep with the run.")
]
OnVersion = Annotated[str | None, typer.Option("--on-version", help="The code version to run on.")]


def in_seconds(text: str | None, option: str) -> float | None:
    """Read an optional duration. Raises UsageProblem naming the ``option``."""
    from trigger_cli.durations import parse_duration

    return None if text is None else parse_duration(text, option)
