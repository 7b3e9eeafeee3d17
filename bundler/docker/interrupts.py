"""Blocking calls in threads, which end when whoever waits for them is cancelled."""

from __future__ import annotations

import asyncio
import contextlib
import threading
from collections.abc import Callable, Iterable, Iterator
from typing import Any, TypeVar

T = TypeVar("T")


class Interrupted(Exception):
    """Work was given up because nobody waits for it any more. It never leaves the thread's own call."""


class Interrupt:
    """Ends a call that another thread is in, by ending its connection.

    The engine notices that, and gives up what it was asked for.
    """

    def __init__(self) -> None:
        self._lock = threading.Lock()
        self._is_set = False
        self._response: Any = None

    def set(self) -> None:
        """End the call, now or as soon as it has a connection."""
        with self._lock:
            self._is_set = True
            response = self._response
        if response is not None:
            _shut_down(response)

    def watch(self, response: Any) -> None:
        """Let an answer that is being read be what is ended; at once if that has been said already."""
        with self._lock:
            self._response = response
            is_set = self._is_set
        if is_set:
            _shut_down(response)

    def check(self) -> None:
        """Raise Interrupted when the call is to end."""
        if self._is_set:
            raise Interrupted

    def guarded(self, pieces: Iterable[bytes]) -> Iterator[bytes]:
        """Yield what is sent, until the call is to end; empty pieces, which would end it, are left out."""
        for piece in pieces:
            self.check()
            if piece:
                yield piece


async def in_thread(work: Callable[[Interrupt], T]) -> T:
    """Return what a function returns that runs in a thread; when the caller is cancelled, wait for its end too."""
    interrupt = Interrupt()
    task = asyncio.ensure_future(asyncio.to_thread(work, interrupt))
    try:
        return await asyncio.shield(task)
    except asyncio.CancelledError:
        interrupt.set()
        with contextlib.suppress(Exception):
            await task
        raise


def _shut_down(response: Any) -> None:
    # What the connection raises when it is closed already is of no interest: it is closed.
    with contextlib.suppress(Exception):
        response.raw.shutdown()
