"""Hands the news of commits to the listener and to those who wait for the end of a run."""

from __future__ import annotations

from asyncio import AbstractEventLoop, Future
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from itertools import groupby

from engine.listener import Listener
from engine.transaction import Arrived, Assigned, Ended, Lost, NewRun, News


class Outbox:
    """Tells, on the loop, in the order of commits."""

    def __init__(self, listener: Listener, loop: AbstractEventLoop) -> None:
        self._listener = listener
        self._loop = loop
        self._watchers: dict[str, list[Future[None]]] = {}

    def send(self, news: Sequence[News], ended: Sequence[str]) -> None:
        """Tell the listener of a commit, after the callbacks of the futures that were just done have run."""
        if news:
            self._loop.call_soon(self._tell, news)
        if self._watchers and ended:
            self.wake(ended)

    def wake(self, ended: Sequence[str] | None) -> None:
        """Let those who wait for these runs look; None is all."""
        for run_id in list(self._watchers) if ended is None else ended:
            for future in self._watchers.get(run_id, ()):
                if not future.done():
                    future.set_result(None)

    def _tell(self, news: Sequence[News]) -> None:
        for worker, items in groupby(news, key=_assigned_to):
            if worker is not None:
                self._listener.assigned(worker, [item.assignment for item in items if isinstance(item, Assigned)])
                continue
            for item in items:
                if isinstance(item, Arrived):
                    self._listener.arrived(item.worker, item.run_id, item.token, item.entries)
                elif isinstance(item, Lost):
                    self._listener.lost(item.worker, item.run_id, item.token)
                elif isinstance(item, NewRun):
                    self._listener.created(item.run_id, item.job)
                elif isinstance(item, Ended):
                    self._listener.ended(item.run_id, item.token)

    @contextmanager
    def watch(self, run_id: str) -> Iterator[Future[None]]:
        """Give a future that is done when the run has ended."""
        future: Future[None] = self._loop.create_future()
        self._watchers.setdefault(run_id, []).append(future)
        try:
            yield future
        finally:
            watchers = self._watchers[run_id]
            watchers.remove(future)
            if not watchers:
                del self._watchers[run_id]

    def close(self) -> None:
        """Let go of those who wait."""
        for futures in self._watchers.values():
            for future in futures:
                if not future.done():
                    future.set_result(None)


def _assigned_to(news: News) -> str | None:
    """Return the worker that a run was given to; None for other news."""
    return news.worker if isinstance(news, Assigned) else None
