"""When to check: at once after a change, and once for a burst of them."""

from __future__ import annotations

import asyncio
from typing import TYPE_CHECKING, Final

from analyzer.language_server.snapshot import Snapshot

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable
    from pathlib import Path

    from analyzer.language_server.documents import Document
    from analyzer.language_server.worker import Worker

QUIET_S: Final = 0.015
"""How long after a change a further one is waited for: those of one action of the user come together."""

LONGEST_S: Final = 0.1
"""How long changes may follow each other before a check begins all the same."""


class Schedule:
    """Hands snapshots to the worker. Belongs to the event loop.

    Args:
        worker: checks them.
        documents: gives the open documents.
    """

    def __init__(self, worker: Worker, documents: Callable[[], tuple[Document, ...]]) -> None:
        self._worker = worker
        self._documents = documents
        self._changed: set[Path] | None = set()
        self._is_moved = False
        self._requested = 0
        self._done = 0
        self._timer: asyncio.TimerHandle | None = None
        self._first = 0.0
        self._waiting: list[tuple[int, asyncio.Future[None]]] = []

    def changed(self, paths: Iterable[Path] | None = None, *, is_moved: bool = True) -> None:
        """Say that files changed.

        Args:
            paths: the files; None when anything may have.
            is_moved: whether files may have come or gone.
        """
        loop = asyncio.get_running_loop()
        self._requested += 1
        if paths is None:
            self._changed = None
        elif self._changed is not None:
            self._changed.update(paths)
        self._is_moved = self._is_moved or is_moved
        self._worker.interrupt()
        if self._timer is None:
            self._first = loop.time()
        else:
            self._timer.cancel()
        due = min(loop.time() + QUIET_S, self._first + LONGEST_S)
        self._timer = loop.call_at(due, self._submit)

    def _submit(self) -> None:
        self._timer = None
        changed = None if self._changed is None else frozenset(self._changed)
        snapshot = Snapshot(
            number=self._requested, documents=self._documents(), changed=changed, is_moved=self._is_moved
        )
        self._changed, self._is_moved = set(), False
        self._worker.submit(snapshot)

    def finished(self, number: int) -> None:
        """Say that the round of a snapshot has been worked off, and its outcomes delivered."""
        self._done = max(self._done, number)
        still = []
        for wanted, future in self._waiting:
            if wanted > self._done:
                still.append((wanted, future))
            elif not future.done():
                future.set_result(None)
        self._waiting = still

    async def settled(self, timeout: float) -> bool:
        """Wait until all that has changed so far has been checked.

        Args:
            timeout: seconds to wait at most.

        Returns:
            Whether it has.
        """
        if self._requested <= self._done:
            return True
        future: asyncio.Future[None] = asyncio.get_running_loop().create_future()
        self._waiting.append((self._requested, future))
        try:
            await asyncio.wait_for(future, timeout)
        except TimeoutError:
            return False
        return True
