"""Listens to the other engines on a database, holds this engine's name, and stands for the roles."""

from __future__ import annotations

import contextlib
import logging
import random
import select
import socket
import threading
import time
from collections.abc import Callable
from typing import Final

import psycopg
from psycopg import sql

from engine.store.interface import Heard
from engine.store.postgres import trouble
from engine.store.postgres.connection import BoundedConnection, connect
from engine.store.postgres.place import LOCKS, Place

LOOK_S: Final = 2.0
"""Between two looks at what signals may have been missed, whether the roles are free and whether somebody is gone."""

_SILENT_PART: Final = 0.25
"""The part of a lease after which an engine without any transaction should give a sign of life."""

_FIRST_RETRY_S: Final = 0.1
_LAST_RETRY_S: Final = 3.0

_log = logging.getLogger("trigger.engine")


class PostgresLink:
    """Implements :class:`engine.store.interface.Link` by LISTEN and advisory locks on a connection of its own."""

    def __init__(self, place: Place, raw: BoundedConnection | None) -> None:
        self._place = place
        self._raw = raw
        self._news = 0
        self._chief = False
        self._expected = 0
        self._named = raw is not None
        self._stopping = False
        self._wake, self._waker = socket.socketpair()
        self._thread: threading.Thread | None = None
        self._heard: Callable[[Heard], None] = lambda _: None

    def start(self, heard: Callable[[Heard], None]) -> Heard:
        """Begin to listen, on the connection that holds the name."""
        self._heard = heard
        first = Heard()
        try:
            first = self._listen()
        except psycopg.Error as error:
            _log.warning("The other executors cannot be heard: %s", trouble.told(error))
            self._lose()
        self._thread = threading.Thread(target=self._work, name="trigger-link", daemon=True)
        self._thread.start()
        return first

    def stop(self) -> None:
        """End the thread and the connection, and so free the name and the roles."""
        if self._stopping:
            return
        self._stopping = True
        self._waker.send(b".")
        if self._thread is not None:
            self._thread.join()
        self._lose()
        self._wake.close()
        self._waker.close()

    def _lose(self) -> None:
        if self._raw is not None:
            self._raw.close()
        self._raw = None
        self._chief = self._named = False

    def _listen(self) -> Heard:
        """Listen on a connection that may be new; whatever was signalled before is missed."""
        if self._raw is None:
            self._raw = connect(self._place.url, {}, name=f"{self._place.executor} link")
        self._raw.execute(sql.SQL("LISTEN {}").format(sql.Identifier(self._place.channel)))
        heard = self._look()
        self._news = self._expected
        return heard._replace(missed=True)

    def _try_lock(self, purpose: str) -> bool:
        row = self._connected.execute(
            "SELECT pg_try_advisory_lock(%s::int, %s::int)", (LOCKS, self._place.lock(purpose))
        ).fetchone()
        return row is not None and bool(row[0])

    @property
    def _connected(self) -> BoundedConnection:
        if self._raw is None:
            raise psycopg.OperationalError("the connection is lost")
        return self._raw

    def _look(self) -> Heard:
        """See whether signals were missed, whether the roles are free, and who is gone.

        An engine that gives no sign of life itself, though it listens, leaves the roles to others.
        """
        row = self._connected.execute(
            "SELECT (SELECT news FROM pulse), ARRAY(SELECT name FROM executors"
            " WHERE seen_at < extract(epoch FROM clock_timestamp()) - %s),"
            " (SELECT extract(epoch FROM clock_timestamp())::float8 - seen_at FROM executors WHERE name = %s)",
            (self._place.lease_s, self._place.executor),
        ).fetchone()
        news, dead, silent_s = (0, [], None) if row is None else row
        alive = silent_s is not None and silent_s < self._place.lease_s
        missed = self._news < self._expected  # what was signalled before the look before this one has come by now
        self._expected = news
        if missed:
            self._news = news
        if not self._named:
            self._named = self._try_lock(f"executor {self._place.executor}")
        if alive and not self._chief:
            self._chief = self._try_lock("roles")
        elif self._chief and not alive:
            self._connected.execute("SELECT pg_advisory_unlock(%s::int, %s::int)", (LOCKS, self._place.lock("roles")))
            self._chief = False
        return Heard(
            missed=missed,
            chief=self._chief,
            dead=tuple(name for name in dead if self._chief and name != self._place.executor),
            silent=silent_s is None or silent_s > self._place.lease_s * _SILENT_PART,
        )

    def _work(self) -> None:
        delay = _FIRST_RETRY_S
        while not self._stopping:
            try:
                if self._raw is None:
                    self._tell(self._listen())
                    delay = _FIRST_RETRY_S
                if self._take_signals():
                    self._tell(self._look())
            except psycopg.Error as error:
                _log.debug("The connection to the other executors is lost: %s", trouble.told(error))
                self._lose()
                self._tell(Heard())
                self._pause(delay * random.uniform(0.5, 1.0))  # noqa: S311 - so that engines do not come all at once
                delay = min(delay * 2, _LAST_RETRY_S)

    def _take_signals(self) -> bool:
        """Pass on signals until the next look is due; False when it is time to stop."""
        due = time.monotonic() + min(LOOK_S, self._place.lease_s * _SILENT_PART)
        while True:
            for signal in self._connected.notifies(timeout=0):
                self._pass_on(signal.payload)
            left = due - time.monotonic()
            if left <= 0:
                return True
            self._pause(left, self._connected.fileno())
            if self._stopping:
                return False

    def _pass_on(self, payload: str) -> None:
        number, executor, text = payload.split(" ", 2)
        missed = int(number) > self._news + 1
        self._news = max(self._news, int(number))
        if missed or executor != self._place.executor:
            self._tell(Heard(text=text, missed=missed, chief=self._chief))

    def _pause(self, seconds: float, *files: int) -> None:
        """Wait, or until there is something to read, or it is time to stop."""
        poll = select.poll()
        for file in (self._wake.fileno(), *files):
            poll.register(file, select.POLLIN)
        poll.poll(seconds * 1000)

    def _tell(self, heard: Heard) -> None:
        # A loop that is closed has nobody left to tell.
        with contextlib.suppress(RuntimeError):
            self._heard(heard)
