"""The thread that checks: the newest snapshot is what it works on, and one that is out of date is left."""

from __future__ import annotations

import threading
from collections import deque
from concurrent.futures import Future
from typing import TYPE_CHECKING, Final, TypeVar

if TYPE_CHECKING:
    from collections.abc import Callable

    from analyzer.language_server.snapshot import Snapshot

T = TypeVar("T")

_MOST_ROUNDS: Final = 200
"""Rounds after which a pause is made in any case."""


class Worker:
    """Runs rounds and questions in one thread, one at a time.

    Args:
        run: runs a round on a snapshot; asks its second argument now and then whether to stop.
        in_pause: called when there has been nothing to do for a while after a round.
        idle: how long that is, in seconds.
    """

    def __init__(
        self,
        run: Callable[[Snapshot, Callable[[], bool]], None],
        *,
        in_pause: Callable[[], None],
        idle: float,
    ) -> None:
        self._run = run
        self._in_pause = in_pause
        self._idle = idle
        self._next: Snapshot | None = None
        self._questions: deque[Callable[[], None]] = deque()
        self._interrupted = False
        self._stopped = False
        self._news = threading.Condition()
        # A daemon: a check that is deep in its work does not keep the process alive.
        self._thread = threading.Thread(target=self._work, name="trigger-lsp-check", daemon=True)

    def start(self) -> None:
        """Begin to work."""
        self._thread.start()

    def stop(self) -> None:
        """Take nothing more on; the check that is under way is left at its next look."""
        with self._news:
            self._stopped = True
            self._news.notify()

    def interrupt(self) -> None:
        """Leave the check that is under way: a snapshot is on its way that makes it out of date."""
        self._interrupted = True

    def submit(self, snapshot: Snapshot) -> None:
        """Work on a snapshot next, in the place of one that waits."""
        with self._news:
            self._next = snapshot.after(self._next)
            self._news.notify()

    def ask(self, question: Callable[[], T]) -> Future[T]:
        """Run something between the rounds, in the thread that owns the projects."""
        future: Future[T] = Future()

        def answer() -> None:
            if not future.set_running_or_notify_cancel():
                return
            try:
                future.set_result(question())
            except BaseException as error:  # noqa: BLE001 - it is the asker's
                future.set_exception(error)

        with self._news:
            self._questions.append(answer)
            self._news.notify()
        return future

    def _is_stale(self) -> bool:
        return self._interrupted or self._next is not None or self._stopped

    def _work(self) -> None:
        rounds = 0  # since the last pause
        while True:
            with self._news:
                has_news = self._news.wait_for(self._has_news, self._idle if rounds else None)
                if self._stopped:
                    return
                question = self._questions.popleft() if self._questions else None
                snapshot = None
                if question is None and has_news:
                    snapshot, self._next = self._next, None
                    self._interrupted = False
            if question is not None:
                question()
            elif snapshot is not None:
                self._run(snapshot, self._is_stale)
                rounds += 1
            if not has_news or rounds >= _MOST_ROUNDS:
                self._in_pause()
                rounds = 0

    def _has_news(self) -> bool:
        return self._stopped or bool(self._questions) or self._next is not None
