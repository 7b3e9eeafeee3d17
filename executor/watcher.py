"""What the executor tells whoever looks on: lines of output, and news of runs and workers."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Literal, Protocol

from trigger_sdk.protocol.messages import LogLine

RunNews = Literal[
    "created", "started", "resumed", "waiting", "requeued", "completed", "failed", "canceled", "timed_out", "crashed",
    "expired",
]  # fmt: skip
"""``started``: a worker begins the run for the first time; ``resumed``: it goes on after a wait, a crash or a resume;
``requeued``: its worker is gone or left it, and another goes on."""

WorkerNews = Literal["connected", "reconnected", "disconnected", "left", "lost", "draining", "refused", "blocked"]
"""``disconnected``: it may come back within its lease; ``left``: it said good-bye; ``lost``: its lease is over."""


@dataclass(frozen=True, slots=True, kw_only=True)
class RunEvent:
    """Something happened to a run.

    Attributes:
        news: what.
        run: the run's id.
        job: the job's id.
        at: when, in seconds since the epoch.
        attempt: which execution by a worker, from 1; 0 before the first.
        worker: id of the worker it is about, or empty.
        error: encoded exception or problem of a run that ended badly, else None.
        failed_step: the step the error came from, or empty.
    """

    news: RunNews
    run: str
    job: str
    at: float
    attempt: int = 0
    worker: str = ""
    error: bytes | None = None
    failed_step: str = ""


@dataclass(frozen=True, slots=True, kw_only=True)
class WorkerEvent:
    """Something happened to a worker.

    Attributes:
        news: what.
        worker: its id.
        code: the code version it loaded, or empty when it is not known.
        pid: its process, or 0 when it is not known.
        at: when, in seconds since the epoch.
        message: one sentence for the reader where there is more to say.
        run: the run that blocks its loop, or empty.
        step: the step or source place that blocks its loop, or empty.
        stack: where its loop is blocked, or empty.
    """

    news: WorkerNews
    worker: str
    at: float
    code: str = ""
    pid: int = 0
    message: str = ""
    run: str = ""
    step: str = ""
    stack: str = ""


class Watcher(Protocol):
    """Looks on. The methods are called on the server's loop in the order of events, and do not wait."""

    def lines(self, lines: Sequence[LogLine]) -> None:
        """Lines of output, each told once, in order."""

    def run_event(self, event: RunEvent) -> None:
        """News of a run."""

    def worker_event(self, event: WorkerEvent) -> None:
        """News of a worker."""


class Unwatched:
    """A watcher that looks away."""

    def lines(self, lines: Sequence[LogLine]) -> None:
        """Do nothing."""

    def run_event(self, event: RunEvent) -> None:
        """Do nothing."""

    def worker_event(self, event: WorkerEvent) -> None:
        """Do nothing."""
