"""How the API shows runs, steps, lines of output and jobs. The classes are the schemas of the OpenAPI document."""

from __future__ import annotations

import logging
from datetime import UTC, datetime
from typing import Any

import msgspec

from engine.model import KnownJob, Run, Step
from trigger_sdk.protocol.errors import ValueCorrupt
from trigger_sdk.protocol.messages import LogLine
from trigger_sdk.protocol.states import RunState, StepKind, StepState
from trigger_sdk.protocol.values import error_to_json, to_json


class RunView(msgspec.Struct, frozen=True, kw_only=True):
    """A run. ``payload`` and ``output`` are null in lists when they are big; ``due_at`` is when a delay ends."""

    id: str
    job: str
    state: RunState
    payload: Any
    output: Any
    error: dict[str, Any] | None
    created_at: str
    started_at: str | None
    finished_at: str | None
    attempt: int
    queue: str
    concurrency_key: str | None
    priority: int
    tags: tuple[str, ...]
    metadata: dict[str, Any]
    idempotency_key: str | None
    parent: str | None
    parent_step: str | None
    replayed_from: str | None
    code: str | None
    version: str | None
    due_at: str | None
    max_duration: float | None
    failed_step: str | None
    crashes: int
    cancel_requested: bool
    worker: str | None


class StepView(msgspec.Struct, frozen=True, kw_only=True):
    """A step of a run. ``child`` is the run it started; ``line`` the source place of the call."""

    id: str
    name: str
    kind: StepKind
    state: StepState
    started_at: str | None
    finished_at: str | None
    attempts: int
    output: Any
    error: dict[str, Any] | None
    line: str
    due_at: str | None
    child: str | None


class LogView(msgspec.Struct, frozen=True, kw_only=True):
    """A line of output of a run; ``step`` is empty for what the body wrote itself."""

    at: str
    step: str
    level: str
    logger: str
    text: str
    stream: str


class JobView(msgspec.Struct, frozen=True, kw_only=True):
    """A job of the newest code."""

    id: str
    name: str
    file: str
    line: int
    version: str
    queue: dict[str, Any]
    payload_schema: dict[str, Any] | None
    max_duration: float | None
    sync: bool
    description: str
    code: str


class RunPage(msgspec.Struct, frozen=True, kw_only=True):
    """Part of a list of runs; ``next`` is the cursor of the following part, null at the end."""

    runs: list[RunView]
    next: str | None


class CreatedView(msgspec.Struct, frozen=True, kw_only=True):
    """A run was created, or was there already under the same idempotency key."""

    id: str
    existing: bool


def iso(seconds: float | None) -> str | None:
    """Return seconds since the epoch as ISO 8601 in UTC with microseconds and ``Z``."""
    return None if seconds is None else when(seconds)


def when(seconds: float) -> str:
    """As :func:`iso`, for a time that is there."""
    try:
        return datetime.fromtimestamp(seconds, UTC).isoformat(timespec="microseconds")[:-6] + "Z"
    except (ValueError, OverflowError, OSError):
        return "9999-12-31T23:59:59.999999Z"


def show_run(run: Run) -> RunView:
    """Return a run as the API shows it."""
    return RunView(
        id=run.id,
        job=run.job,
        state=run.state,
        payload=show_value(run.payload),
        output=show_value(run.output),
        error=show_error(run.error),
        created_at=when(run.created_at),
        started_at=iso(run.started_at),
        finished_at=iso(run.finished_at),
        attempt=run.attempt,
        queue=run.queue,
        concurrency_key=run.concurrency_key,
        priority=run.priority,
        tags=run.tags,
        metadata=run.metadata,
        idempotency_key=run.idempotency_key,
        parent=run.parent,
        parent_step=run.parent_step,
        replayed_from=run.replayed_from,
        code=run.code,
        version=run.version,
        due_at=iso(run.due_at),
        max_duration=run.max_duration,
        failed_step=run.failed_step or None,
        crashes=run.crashes,
        cancel_requested=run.cancel_requested,
        worker=run.worker,
    )


def show_step(step: Step) -> StepView:
    """Return a step as the API shows it."""
    return StepView(
        id=step.id,
        name=step.name,
        kind=step.kind,
        state=step.state,
        started_at=iso(step.started_at),
        finished_at=iso(step.finished_at),
        attempts=step.attempts,
        output=show_value(step.output),
        error=show_error(step.error),
        line=step.line,
        due_at=iso(step.due_at),
        child=step.child,
    )


def show_line(line: LogLine) -> LogView:
    """Return a line of output as the API shows it."""
    return LogView(
        at=when(line.at),
        step=line.step,
        level=logging.getLevelName(line.level),
        logger=line.logger,
        text=line.text,
        stream=line.stream,
    )


def show_job(job: KnownJob) -> JobView:
    """Return a job as the API shows it."""
    manifest = job.manifest
    return JobView(
        id=manifest.id,
        name=manifest.name,
        file=manifest.file,
        line=manifest.line,
        version=manifest.version,
        queue={"name": manifest.queue.name, "concurrency": manifest.queue.concurrency},
        payload_schema=manifest.payload_schema,
        max_duration=manifest.max_duration,
        sync=manifest.sync,
        description=manifest.description,
        code=job.code,
    )


def show_value(value: bytes | None) -> Any:
    """Return an encoded value as plain data; one that cannot be read says so, and spoils no list."""
    if value is None:
        return None
    try:
        return to_json(value)
    except ValueCorrupt as error:
        return f"(this value cannot be read: {error.message})"


def show_error(value: bytes | None) -> dict[str, Any] | None:
    """Return an encoded exception or problem: ``type``, ``message``, ``traceback``, and what else it has."""
    if value is None:
        return None
    try:
        return error_to_json(value)
    except ValueCorrupt as error:
        return {"type": "", "message": f"(this error cannot be read: {error.message})", "traceback": ""}
