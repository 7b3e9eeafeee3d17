"""Where the running code stands: in a job's body, in a task, or in neither.

One context variable answers the question for recorded calls, the guard, output capture and the durable calls. It is
set by the runtime around bodies and tasks; asyncio tasks and ``asyncio.to_thread`` inherit it.
"""

from __future__ import annotations

from contextvars import ContextVar
from typing import TYPE_CHECKING, Protocol, TypeVar

if TYPE_CHECKING:
    from collections.abc import Callable

T = TypeVar("T")


class Scope(Protocol):
    """What the current run offers to code that runs under it."""

    @property
    def in_body(self) -> bool:
        """True in a job's body, which is replayed; False in a task."""
        ...

    @property
    def run_id(self) -> str:
        """The run's id."""
        ...

    @property
    def step_id(self) -> str:
        """The step's id in a task; empty in a body."""
        ...

    def record(self, name: str, produce: Callable[[], T]) -> T:
        """In a body: return the journalled value of this call, or call ``produce`` and journal its result."""
        ...

    def next_line_ordinal(self) -> int:
        """In a body: the ordinal of the next line of output, from 1. In a task: 0."""
        ...


current_scope: ContextVar[Scope | None] = ContextVar("trigger_scope", default=None)
"""The scope of the running code; None outside any run."""
