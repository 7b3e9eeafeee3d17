"""The worker's session with the server: frames out in batches, frames in at once, and coming back after a loss.

Beside the signs of life that the server wants, the worker asks for some of the server's: see :mod:`.lease`.
"""

from __future__ import annotations

import asyncio
import time
from typing import TYPE_CHECKING, Protocol

import msgspec

from trigger_sdk._runtime.connection import Connection
from trigger_sdk._runtime.lease import Lease
from trigger_sdk.errors import ProblemError
from trigger_sdk.protocol.messages import (
    Heartbeat,
    Hello,
    Logs,
    ToServer,
    ToWorker,
    Welcome,
    decode_from_server,
    encode_frame,
)
from trigger_sdk.protocol.problem import Problem

if TYPE_CHECKING:
    from collections.abc import Iterable, Sequence

FIRST_PAUSE_S = 0.02
LONGEST_PAUSE_S = 1.0
CONNECT_S = 10.0
"""Seconds within which a connection is made, and then answered; where nothing gets through, another is tried."""

LINES_KEPT = 10_000
"""Lines of output that wait for a lost connection; older ones are dropped."""


class SessionHandler(Protocol):
    """Who the session speaks for."""

    def hello(self) -> Hello:
        """Return the first message of a new connection."""
        ...

    def welcomed(self, welcome: Welcome) -> None:
        """The server took the session."""
        ...

    def handle(self, messages: Sequence[ToWorker]) -> None:
        """Messages arrived."""
        ...

    def lease_over(self) -> None:
        """The server has not been heard of for longer than the lease: others have the runs now."""
        ...


class Session:
    """Keeps a connection to the server, for as long as :meth:`run` runs.

    Attributes:
        lease: until when the runs that the server gave are ours.
    """

    def __init__(self, url: str, token: str, handler: SessionHandler) -> None:
        self.lease = Lease()
        self._url = url
        self._token = token
        self._handler = handler
        self._connection: Connection | None = None
        self._welcome: Welcome | None = None
        self._outgoing: list[ToServer] = []
        self._flush_due = False
        self._hello_at = 0.0
        self._beat: asyncio.TimerHandle | None = None
        self._stopping = False

    @property
    def connected(self) -> bool:
        """True between Welcome and loss."""
        return self._connection is not None and self._welcome is not None

    def send(self, message: ToServer, *, at_once: bool = False) -> None:
        """Send a message with the next frame, or ``at_once``.

        While there is no connection only output is kept that is no body's: what is a run's, its attempt says again.
        """
        self._outgoing += [message] if self.connected else _outside_bodies([message])
        if at_once:
            self.flush()
        elif not self._flush_due:
            self._flush_due = True
            asyncio.get_running_loop().call_soon(self._flush_turn)

    def _flush_turn(self) -> None:
        """Send what was said in one turn of the loop."""
        self._flush_due = False
        self.flush()

    def flush(self) -> None:
        """Send what waits, as one frame."""
        if self._outgoing and self.connected and self._connection is not None:
            messages, self._outgoing = self._outgoing, []
            self._connection.send(encode_frame(messages))
        elif len(self._outgoing) > LINES_KEPT:
            del self._outgoing[: -LINES_KEPT // 2]

    async def run(self) -> None:
        """Connect, and connect again after a loss, until :meth:`stop`. Raises ProblemError when the server refuses."""
        self._look_later()
        try:
            await self._run()
        finally:
            if self._beat is not None:
                self._beat.cancel()

    async def _run(self) -> None:
        pause = FIRST_PAUSE_S
        while not self._stopping:
            try:
                async with asyncio.timeout(CONNECT_S):
                    self._connection = await Connection.open(self._url, self._token, self._received, self._heard)
            except OSError as error:
                if _is_refusal(error):
                    raise ProblemError(Problem(code="session-refused", message=str(error))) from error
                await asyncio.sleep(pause)
                pause = min(LONGEST_PAUSE_S, pause * 2)
                continue
            self._hello_at = time.monotonic()
            self._connection.send(encode_frame([self._handler.hello()]))
            try:
                reason = await self._connection.closed
            finally:
                welcomed = self._welcome is not None
                self._connection, self._welcome = None, None
                self._outgoing = _outside_bodies(self._outgoing)
            if reason.startswith("{"):
                raise ProblemError(Problem.from_dict(msgspec.json.decode(reason)))
            if welcomed:
                pause = FIRST_PAUSE_S
            elif not self._stopping:  # taken, and sent away: the server cannot have us now
                await asyncio.sleep(pause)
                pause = min(LONGEST_PAUSE_S, pause * 2)

    def stop(self) -> None:
        """End the session: flush, say good-bye, let :meth:`run` return."""
        self._stopping = True
        self.flush()
        if self._connection is not None:
            self._connection.close()

    def _received(self, frame: bytes) -> None:
        if not self.check_lease():
            return  # it arrived while this process was stopped, and others have the runs
        messages = decode_from_server(frame)
        if self._welcome is None and messages and isinstance(messages[0], Welcome):
            self._welcomed(messages.pop(0))  # type: ignore[arg-type]
        if messages:
            self._handler.handle(messages)

    def _welcomed(self, welcome: Welcome) -> None:
        self._welcome = welcome
        self.lease.grant(welcome.lease_ttl, welcome.heartbeat, self._hello_at)
        self._handler.welcomed(welcome)
        self.flush()
        self._look_later()

    def _heard(self, said_at: bytes) -> None:
        """The server answered a ping."""
        if self.check_lease():
            self.lease.confirm(float(said_at))

    def check_lease(self) -> bool:
        """Return whether the runs that are held are ours still; when they are not, drop them and the connection."""
        if not self.lease.over:
            return True
        self._handler.lease_over()
        self.lease.end()  # last: until then no thread begins a task
        if self._connection is not None:
            self._connection.abort()
        return False

    # A timer's callback and not a task: after this process was stopped it comes before any task that slept.
    def _look_later(self) -> None:
        """Look at the lease and give a sign of life after a while."""
        if self._beat is not None:
            self._beat.cancel()
        interval = self._welcome.heartbeat if self._welcome is not None else 1.0
        left = self.lease.left
        delay = interval if left is None else max(0.0, min(interval, left))
        self._beat = asyncio.get_running_loop().call_later(delay, self._look)

    def _look(self) -> None:
        now = time.monotonic()
        if self.check_lease() and self._connection is not None:
            if self._welcome is not None:
                self.send(Heartbeat(), at_once=True)
                self._connection.ping(repr(now).encode())
            elif now - self._hello_at > CONNECT_S:
                self._connection.abort()
        self._look_later()


def _outside_bodies(messages: Iterable[ToServer]) -> list[ToServer]:
    """Return the lines that no body wrote."""
    logs = (message for message in messages if isinstance(message, Logs))
    kept = ([line for line in message.lines if not line.ordinal] for message in logs)
    return [Logs(lines) for lines in kept if lines]


def _is_refusal(error: OSError) -> bool:
    return "refused the session" in str(error) and any(code in str(error) for code in ("401", "403", "404"))
