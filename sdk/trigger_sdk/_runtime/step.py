"""A step as a body knows it while it runs."""

from __future__ import annotations

from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from contextvars import Context

    from trigger_sdk._declare.dispatch import Wait
    from trigger_sdk._declare.task import TaskCall
    from trigger_sdk._runtime.async_body import StepFuture
    from trigger_sdk._runtime.loop import DurableTimer
    from trigger_sdk.protocol.entries import Entry


class Step:
    """One durable operation that a body has asked for.

    Attributes:
        id: branch and position.
        op: the step's kind.
        name: what it is about.
        line: where the body asked for it, relative to the project.
        issued_after: ``seq`` of the last entry the body knew of then.
        call: what to execute, for tasks.
        context: the context variables it runs under, for tasks.
        wait: what to register, for waits.
        timer: the loop's handle, for timers of the loop.
        future: what the async body awaits.
        outcome: what ended it, once delivered.
        launched: it was handed to the attempt.
        cancel_asked: the body no longer wants it.
        doomed: the run was cancelled while the body awaited it: the body learns of that, and not of the outcome.
    """

    __slots__ = (
        "call",
        "cancel_asked",
        "context",
        "doomed",
        "future",
        "id",
        "issued_after",
        "launched",
        "line",
        "name",
        "op",
        "outcome",
        "timer",
        "wait",
    )

    def __init__(self, step_id: str, op: str, name: str, line: str, issued_after: int) -> None:
        self.id = step_id
        self.op = op
        self.name = name
        self.line = line
        self.issued_after = issued_after
        self.call: TaskCall | None = None
        self.context: Context | None = None
        self.wait: Wait | None = None
        self.timer: DurableTimer | None = None
        self.future: StepFuture | None = None
        self.outcome: Entry | None = None
        self.launched = False
        self.cancel_asked = False
        self.doomed = False
