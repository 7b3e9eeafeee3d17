"""What the server knows of one worker, over all its connections."""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from executor.sessions.session import Session


@dataclass(slots=True)
class Held:
    """A run that a worker has: the lease's token, the job's id, and which attempt it is."""

    token: int
    job: str
    attempt: int


@dataclass(slots=True)
class Worker:
    """A worker process.

    Attributes:
        id: made by the process at its start.
        code: the code version it loaded.
        pid: its process.
        jobs: ids of the jobs it declares.
        session: its connection, or None while it has none.
        draining: True when it gets nothing new.
        held: the runs it has, by id.
        heard_at: loop time of its last sign of life.
        beat_at: loop time of the last sign of life that the engine was told of.
        gone_at: loop time at which the connection was lost; meaningless while there is one.
    """

    id: str
    code: str
    pid: int
    jobs: frozenset[str]
    session: Session | None = None
    draining: bool = False
    held: dict[str, Held] = field(default_factory=dict)
    heard_at: float = 0.0
    beat_at: float = 0.0
    gone_at: float = 0.0

    def drop(self, run: str, token: int) -> Held | None:
        """Forget a run that it had with this token; return what was known of it."""
        held = self.held.get(run)
        return self.held.pop(run) if held is not None and held.token == token else None


@dataclass(frozen=True, slots=True, kw_only=True)
class WorkerView:
    """A worker as others see it; the attributes are those of :class:`Worker`."""

    id: str
    code: str
    pid: int
    jobs: frozenset[str]
    connected: bool
    draining: bool
    held: int
