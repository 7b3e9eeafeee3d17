"""The names of the SDK as the analyzer knows them, and what calling each means. A test compares them with the SDK."""

from __future__ import annotations

from typing import Final

SDK: Final = "trigger_sdk"
"""The package that user code imports."""

EXPORTED: Final = frozenset(
    (
        "Abort",
        "Canceled",
        "Context",
        "Event",
        "Job",
        "NonDeterminismError",
        "Queue",
        "Retry",
        "RetryAfter",
        "RunHandle",
        "SideEffectOutsideTask",
        "Task",
        "TaskError",
        "job",
        "record",
        "send_event",
        "sleep",
        "sleep_until",
        "task",
        "wait_for_event",
    )
)
"""What ``from trigger_sdk import *`` binds."""

WAITS: Final = frozenset(("sleep", "sleep_until", "wait_for_event", "wait_for_token", "send_event"))
"""Functions that ask for a durable step."""

ONLY_IN_BODIES: Final = frozenset(("sleep", "sleep_until", "wait_for_event", "wait_for_token"))
"""Those of them that are not durable, or fail, inside a task. Sending an event works everywhere."""

JOB_STARTS: Final = frozenset(("trigger", "trigger_and_wait", "batch_trigger", "batch_trigger_and_wait"))
"""Methods of a job that ask for a durable step."""

JOB_WAITS: Final = frozenset(("trigger_and_wait", "batch_trigger_and_wait"))
"""Those of them that fail inside a task."""

RUN_IN_TASK: Final = frozenset(("task.run", "task.enqueue"))
"""Functions that call their first argument as a task."""


def sdk_name(qualname: str) -> str | None:
    """Return the public name of something of the SDK, wherever it was imported from: ``task.run``; None for others."""
    root, _, rest = qualname.partition(".")
    if root != SDK or not rest:
        return None
    parts = rest.split(".")
    if parts[0].startswith("_") and len(parts) > 1:
        parts = parts[2:]  # trigger_sdk._declare.task.task
    elif parts[0] == "errors" and len(parts) > 1:
        parts = parts[1:]
    return ".".join(parts) or None
