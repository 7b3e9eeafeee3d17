"""Writes to standard output from a thread of its own, so that a slow terminal or pipe never holds up the server."""

from __future__ import annotations

import os
import select
import threading
from collections.abc import Callable
from typing import Final

MOST_WAITING: Final = 4 * 1024 * 1024
"""Characters that may wait to be written; what comes on top is counted and left out."""


class Screen:
    """An output stream that never blocks whoever writes to it.

    Args:
        descriptor: what to write to, or None to write nothing (standard output was closed from the start).
        broken: called once, on the writing thread, when nobody reads any more.
        most_waiting: see :data:`MOST_WAITING`.
    """

    def __init__(self, descriptor: int | None, broken: Callable[[], None], *, most_waiting: int = MOST_WAITING) -> None:
        self._descriptor = descriptor
        self._broken = broken
        self._most = most_waiting
        self._waiting: list[str] = []
        self._size = 0
        self._left_out = 0
        self._news = threading.Condition()
        self._closing = descriptor is None
        self._thread = threading.Thread(target=self._run, name="screen", daemon=True)
        if descriptor is not None:
            self._thread.start()

    def write(self, text: str) -> None:
        """Take whole lines, each with its newline, to be written soon."""
        with self._news:
            if self._closing:
                return
            if self._size + len(text) > self._most:
                self._left_out += text.count("\n")
                return
            self._waiting.append(text)
            self._size += len(text)
            self._news.notify()

    def close(self, timeout: float) -> None:
        """Write what waits, for at most ``timeout`` seconds; later writes do nothing."""
        with self._news:
            if self._closing:
                return
            self._closing = True
            self._news.notify()
        self._thread.join(timeout)

    def _run(self) -> None:
        while True:
            with self._news:
                while not self._waiting and not self._left_out and not self._closing:
                    self._news.wait()
                lines, self._waiting = self._waiting, []
                size = sum(map(len, lines))
                if self._left_out:
                    lines.append(_left_out_line(self._left_out))
                    self._left_out = 0
                if not lines:
                    return  # closing, and all is written
            text = "".join(lines)
            try:
                self._write(text.encode("utf-8", "backslashreplace"))
            except OSError:
                with self._news:
                    self._closing = True
                    self._waiting.clear()
                self._broken()
                return
            with self._news:
                self._size -= size

    def _write(self, data: bytes) -> None:
        view = memoryview(data)
        while view and self._descriptor is not None:
            try:
                view = view[os.write(self._descriptor, view) :]
            except BlockingIOError:  # whoever started us left the descriptor non-blocking
                select.select([], [self._descriptor], [])


def _left_out_line(count: int) -> str:
    return f"({count} lines are left out here: the terminal takes them too slowly; `trigger runs show` has them)\n"
