"""Where a durable call goes: to the run whose body makes it, or, outside a body, nowhere.

This is the only place where declarations meet the runtime: a body's scope (see ``_runtime.scope``) offers the methods
of :class:`BodyScope`.
"""

from __future__ import annotations

import sys
from typing import TYPE_CHECKING, Any, Protocol, TypeVar, cast

from trigger_sdk._runtime.scope import Scope, current_scope

if TYPE_CHECKING:
    from collections.abc import Callable

    from trigger_sdk._declare.task import TaskCall
    from trigger_sdk.protocol.entries import WaitSpec

T = TypeVar("T")


class BodyScope(Scope, Protocol):
    """What a job's body offers to durable calls.

    In an async body the methods return awaitables, in a sync body the values themselves.
    """

    def call_task(self, call: TaskCall, line: str) -> Any:
        """Execute a task, or return its journalled result."""
        ...

    def wait(self, wait: Wait) -> Any:
        """Register a wait and return what ends it, through ``wait.read``."""
        ...

    def wait_all(self, waits: list[Wait], *, return_exceptions: bool) -> Any:
        """Register several waits at once and return what ends them, in their order."""
        ...

    def event_cursor(self, key: str) -> int:
        """Return the ``seq`` of the last event received under this name and filter, 0 for none."""
        ...


class Wait:
    """One wait to be registered.

    Attributes:
        op: the step's kind.
        name: what is waited for.
        line: the source place of the call.
        delay: seconds from now until it ends, or None.
        due_at: when it ends, in seconds since the epoch, or None.
        spec: what the engine needs to know beside the time.
        read: turns the ended wait's (value, name) into the call's result.
        cursor_key: for events, the key of :meth:`BodyScope.event_cursor`.
    """

    __slots__ = ("cursor_key", "delay", "due_at", "line", "name", "op", "read", "spec")

    def __init__(
        self,
        op: str,
        name: str,
        line: str,
        *,
        delay: float | None = None,
        due_at: float | None = None,
        spec: WaitSpec | None = None,
        read: Callable[[bytes | None, str], Any] | None = None,
        cursor_key: str = "",
    ) -> None:
        self.op = op
        self.name = name
        self.line = line
        self.delay = delay
        self.due_at = due_at
        self.spec = spec
        self.read = read
        self.cursor_key = cursor_key


def body_scope() -> BodyScope | None:
    """Return the scope of the job's body that the caller stands in, or None in a task or outside any run."""
    scope = current_scope.get()
    if scope is not None and scope.in_body:
        return cast("BodyScope", scope)
    return None


def caller_line(depth: int = 2) -> str:
    """Return ``file:line`` of the frame ``depth`` calls up; the runtime makes it relative to the project."""
    frame = sys._getframe(depth)  # noqa: SLF001 - the documented way to a caller's line
    return f"{frame.f_code.co_filename}:{frame.f_lineno}"


def call_unjournalled(fn: Callable[..., T], *args: Any, **kwargs: Any) -> T:
    """Call ``fn`` as if outside any run: no recording, no guard."""
    token = current_scope.set(None)
    try:
        return fn(*args, **kwargs)
    finally:
        current_scope.reset(token)
