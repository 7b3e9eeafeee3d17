"""Finds out what became of runs that no worker tells of: it lost them, or none had them. Tells the watcher."""

from __future__ import annotations

import asyncio
import logging
from collections.abc import Awaitable, Callable

from engine.model import Run
from executor.announcer import Announcer
from executor.watcher import RunNews

logger = logging.getLogger("trigger.executor")

_NEWS: dict[str, RunNews] = {
    "queued": "requeued",
    "completed": "completed",
    "failed": "failed",
    "canceled": "canceled",
    "timed_out": "timed_out",
    "crashed": "crashed",
    "expired": "expired",
}


class Aftermath:
    """Looks up runs one after the other, in one task that ends when there are none.

    Args:
        look_up: returns a run by id.
        announcer: tells the watcher.
    """

    def __init__(self, look_up: Callable[[str], Awaitable[Run | None]], announcer: Announcer) -> None:
        self._look_up = look_up
        self._announcer = announcer
        self._unknown: dict[tuple[str, int], str | None] = {}
        self._task: asyncio.Task[None] | None = None

    def lost(self, run: str, token: int, worker: str) -> None:
        """A worker lost a run that it had with this token."""
        self._look_into(run, token, worker)

    def ended(self, run: str, token: int) -> None:
        """A run ended that no worker had; ``token`` is that of its last attempt, or 0."""
        self._look_into(run, token, None)

    def _look_into(self, run: str, token: int, worker: str | None) -> None:
        self._unknown[run, token] = worker
        if self._task is None:
            self._task = asyncio.get_running_loop().create_task(self._work())

    async def _work(self) -> None:
        try:
            while self._unknown:
                run_id, token = next(iter(self._unknown))
                worker = self._unknown.pop((run_id, token))
                self._tell(await self._look_up(run_id), token, worker)
        except Exception:
            logger.exception("what became of runs could not be found out")
            self._unknown.clear()
        finally:
            self._task = None

    def _tell(self, run: Run | None, token: int, worker: str | None) -> None:
        news = None if run is None else _NEWS.get(run.state)
        if run is None or news is None or run.attempt != token:
            return  # it runs, or ran, elsewhere: that is told where it happens
        if worker is None and news == "requeued":
            return  # it was resumed since
        self._announcer.run(
            news, run.id, run.job, attempt=run.attempt, worker=worker or "", error=run.error,
            failed_step=run.failed_step,
        )  # fmt: skip

    def close(self) -> None:
        """Stop looking."""
        self._unknown.clear()
        if self._task is not None:
            self._task.cancel()
