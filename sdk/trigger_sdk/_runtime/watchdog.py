"""Watches the worker's main thread: keeps the lease alive while it is blocked, names the culprit, interrupts a body.

Async tasks share the main thread with the bodies and the session. A task that blocks it (``time.sleep`` in an
``async def``) is told of; a body that does is interrupted after a while, since a body has no business to take long.
"""

from __future__ import annotations

import http.client
import json
import signal
import sys
import threading
import time
import traceback
from http import HTTPStatus
from typing import TYPE_CHECKING, Protocol
from urllib.parse import urlsplit

from trigger_sdk.errors import BodyBlocked
from trigger_sdk.protocol.messages import Blocked, encode_frame

if TYPE_CHECKING:
    import asyncio
    from types import FrameType

    from trigger_sdk._runtime.places import Places

CHECK_S = 0.5
"""Seconds between looks."""

NEWS_AFTER_S = 2.0
"""Seconds of silence after which the server is told."""

INTERRUPT_AFTER_S = 10.0
"""Seconds after which a body that blocks is interrupted."""


class Watched(Protocol):
    """What is watched."""

    @property
    def busy(self) -> bool:
        """True while any run is held."""
        ...

    @property
    def turning(self) -> str:
        """The run whose body is on the main thread right now, or empty."""
        ...

    def heard(self, said_at: float) -> None:
        """The server heard at this time of ``time.monotonic()`` that this process lives."""
        ...


class Watchdog:
    """A daemon thread; see the module's docstring."""

    def __init__(
        self,
        watched: Watched,
        loop: asyncio.AbstractEventLoop,
        places: Places,
        *,
        api_url: str,
        token: str,
        worker_id: str,
        interrupt_after: float = INTERRUPT_AFTER_S,
    ) -> None:
        self._watched = watched
        self._loop = loop
        self._places = places
        self._api = urlsplit(api_url)
        self._token = token
        self._worker_id = worker_id
        self._interrupt_after = interrupt_after
        self._main = threading.main_thread().ident or 0
        self._turned = threading.Event()
        self._wake = threading.Event()
        self._interrupt: str = ""

    def start(self) -> None:
        """Start watching. Called on the main thread."""
        signal.signal(signal.SIGUSR2, self._on_signal)
        threading.Thread(target=self._watch, name="watchdog", daemon=True).start()

    def wake(self) -> None:
        """There are runs to watch now."""
        self._wake.set()

    def _watch(self) -> None:
        while True:
            if not self._watched.busy:
                self._wake.clear()
                if not self._watched.busy:
                    self._wake.wait()
            self._turned.clear()
            try:
                self._loop.call_soon_threadsafe(self._turned.set)
            except RuntimeError:
                return  # the loop is closed: the process ends
            if not self._turned.wait(NEWS_AFTER_S):
                self._blocked(time.monotonic() - NEWS_AFTER_S)
            time.sleep(CHECK_S)

    def _blocked(self, since: float) -> None:
        told_at = 0.0
        interrupted = False
        while not self._turned.is_set():
            now = time.monotonic()
            run = self._watched.turning
            if now - told_at > NEWS_AFTER_S + 1:
                told_at = now
                self._tell(run, now - since)
            if run and not interrupted and now - since > self._interrupt_after:
                interrupted = True
                self._interrupt = run
                signal.pthread_kill(self._main, signal.SIGUSR2)
            self._turned.wait(CHECK_S)

    def _tell(self, run: str, blocked_for: float) -> None:
        frame = sys._current_frames().get(self._main)  # noqa: SLF001 - the documented way to another thread's stack
        stack = "".join(traceback.format_stack(frame)[-12:]) if frame is not None else ""
        where = self._places.here(frame) if frame is not None else ""
        news = Blocked(self._worker_id, run, where, blocked_for, stack)
        said_at = time.monotonic()
        try:
            connection = http.client.HTTPConnection(self._api.hostname or "", self._api.port or 80, timeout=5)
            connection.request(
                "POST",
                "/api/v1/worker/blocked",
                body=encode_frame([news]),
                headers={"Content-Type": "application/msgpack", "Authorization": f"Bearer {self._token}"},
            )
            response = connection.getresponse()
            known = response.status == HTTPStatus.OK and json.loads(response.read())["known"]
            connection.close()
        except (OSError, http.client.HTTPException, ValueError, KeyError, TypeError):
            return  # the server is away: the session will notice
        if known:
            self._watched.heard(said_at)

    def _on_signal(self, _number: int, frame: FrameType | None) -> None:
        """On the main thread: raise in the body, if it is still the body that blocks."""
        run, self._interrupt = self._interrupt, ""
        if not run or run != self._watched.turning or frame is None:
            return
        where = self._places.here(frame)
        if where:
            raise BodyBlocked.at(where, self._interrupt_after)
