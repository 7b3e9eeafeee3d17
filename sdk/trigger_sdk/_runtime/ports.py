"""What an attempt needs of what surrounds it: a worker above, a body below."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, Protocol

if TYPE_CHECKING:
    import asyncio
    from collections.abc import Iterable

    from trigger_sdk._declare.context import Context
    from trigger_sdk._runtime.attempt import Attempt
    from trigger_sdk._runtime.body import Delivery
    from trigger_sdk._runtime.tasks import TaskSet
    from trigger_sdk.protocol.messages import ToServer


class Body(Protocol):
    """A body, async or sync, as its attempt sees it."""

    @property
    def busy(self) -> bool:
        """True while it computes elsewhere than on the main thread."""
        ...

    def begin(self, job: Any, payload: object, context: Context) -> None:
        """Start it."""
        ...

    def deliver(self, deliveries: Iterable[Delivery]) -> None:
        """Let it learn of entries."""
        ...

    def evict(self) -> None:
        """Drop it."""
        ...


class WorkerPort(Protocol):
    """What an attempt needs of its worker."""

    @property
    def loop(self) -> asyncio.AbstractEventLoop:
        """The loop that async tasks run on."""
        ...

    @property
    def grace(self) -> float:
        """Seconds that a run whose every branch waits stays."""
        ...

    def send(self, message: ToServer) -> None:
        """Send a message with the next frame."""
        ...

    def clock(self) -> float:
        """Return the seconds since the epoch."""
        ...

    def forget(self, attempt: Attempt) -> None:
        """The attempt is over."""
        ...

    def new_body(self, attempt: Attempt) -> Body:
        """Make the body of the attempt's job."""
        ...

    def task_set(self, attempt: Attempt) -> TaskSet:
        """Make what executes the attempt's tasks."""
        ...

    def relative(self, line: str) -> str:
        """Make a source place relative to the project."""
        ...

    def here(self) -> str:
        """Return the source place of the nearest frame of the project's code."""
        ...

    def warn(self, message: str, run_id: str) -> None:
        """Log a warning that belongs to a run."""
        ...
