"""Tells the watcher, with the time, and goes on when the watcher fails."""

from __future__ import annotations

import logging
from collections.abc import Sequence

from engine.clock import Clock
from executor.watcher import RunEvent, RunNews, Watcher, WorkerEvent, WorkerNews
from trigger_sdk.protocol.messages import Blocked, LogLine

logger = logging.getLogger("trigger.executor")


class Announcer:
    """Makes events for a watcher.

    Args:
        watcher: who is told.
        clock: gives the time of the events.
    """

    def __init__(self, watcher: Watcher, clock: Clock) -> None:
        self._watcher = watcher
        self._clock = clock

    def lines(self, lines: Sequence[LogLine]) -> None:
        """Tell lines of output."""
        try:
            self._watcher.lines(lines)
        except Exception:
            logger.exception("the watcher failed")

    def run(
        self,
        news: RunNews,
        run: str,
        job: str,
        *,
        attempt: int = 0,
        worker: str = "",
        error: bytes | None = None,
        failed_step: str = "",
    ) -> None:
        """Tell news of a run; see :class:`RunEvent`."""
        event = RunEvent(
            news=news, run=run, job=job, at=self._clock.now(), attempt=attempt, worker=worker, error=error,
            failed_step=failed_step,
        )  # fmt: skip
        try:
            self._watcher.run_event(event)
        except Exception:
            logger.exception("the watcher failed")

    def worker(self, news: WorkerNews, worker: str, *, code: str = "", pid: int = 0, message: str = "") -> None:
        """Tell news of a worker; see :class:`WorkerEvent`."""
        self._tell_worker(
            WorkerEvent(news=news, worker=worker, at=self._clock.now(), code=code, pid=pid, message=message)
        )

    def blocked(self, blocked: Blocked) -> None:
        """Tell that a worker's loop does not turn."""
        message = f"the worker's main thread has been busy for {blocked.seconds:.1f} s"
        self._tell_worker(
            WorkerEvent(
                news="blocked", worker=blocked.worker, at=self._clock.now(), message=message, run=blocked.run,
                step=blocked.step, stack=blocked.stack,
            )
        )  # fmt: skip

    def _tell_worker(self, event: WorkerEvent) -> None:
        try:
            self._watcher.worker_event(event)
        except Exception:
            logger.exception("the watcher failed")
