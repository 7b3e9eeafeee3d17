"""Hands the news of commits to the listener and to those who wait for the end of a run."""

from __future__ import annotations

from asyncio import AbstractEventLoop, Future
from collections.abc import Iterator, Sequence
from contextlib import contextmanager

from engine.listener import Listener
from engine.model import Assignment
from engine.transaction import Arrived, Assigned, News


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
        if self._watchers:
            for run_id in ended:
                for future in self._watchers.get(run_id, ()):
                    if not future.done():
                        future.set_result(None)

    def _tell(self, news: Sequence[News]) -> None:
        assigned: list[Assignment] = []
        worker = ""
        for item in news:
            if isinstance(item, Assigned):
                if item.worker != worker and assigned:
                    self._listener.assigned(worker, assigned)
                    assigned = []
                worker = item.worker
                assigned.append(item.assignment)
                continue
            if assigned:
                self._listener.assigned(worker, assigned)
                assigned = []
            if isinstance(item, Arrived):
                self._listener.arrived(item.worker, item.run_id, item.token, item.entries)
            else:
                self._listener.lost(item.worker, item.run_id, item.token)
        if assigned:
            self._listener.assigned(worker, assigned)

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
