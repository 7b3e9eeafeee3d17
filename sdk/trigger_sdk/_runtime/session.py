"""The worker's session with the server: frames out in batches, frames in at once, and coming back after a loss."""

from __future__ import annotations

import asyncio
import time
from typing import TYPE_CHECKING, Protocol

import msgspec

from trigger_sdk._runtime.connection import Connection
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
    from collections.abc import Sequence

FIRST_PAUSE_S = 0.02
LONGEST_PAUSE_S = 1.0
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
        """The connection has been gone for longer than the lease: others have the runs now."""
        ...


class Session:
    """Keeps a connection to the server, for as long as :meth:`run` runs."""

    def __init__(self, url: str, token: str, handler: SessionHandler) -> None:
        self._url = url
        self._token = token
        self._handler = handler
        self._connection: Connection | None = None
        self._welcome: Welcome | None = None
        self._outgoing: list[ToServer] = []
        self._flush_due = False
        self._sent_at = 0.0
        self._lost_at = 0.0
        self._stopping = False

    @property
    def connected(self) -> bool:
        """True between Welcome and loss."""
        return self._connection is not None and self._welcome is not None

    def send(self, message: ToServer, *, at_once: bool = False) -> None:
        """Send a message with the next frame, or ``at_once``. While there is no connection only output is kept."""
        if not self.connected and not isinstance(message, Logs):
            return
        self._outgoing.append(message)
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
            self._sent_at = time.monotonic()
            self._connection.send(encode_frame(messages))
        elif len(self._outgoing) > LINES_KEPT:
            del self._outgoing[: -LINES_KEPT // 2]

    async def run(self) -> None:
        """Connect, and connect again after a loss, until :meth:`stop`. Raises ProblemError when the server refuses."""
        pause = FIRST_PAUSE_S
        self._lost_at = time.monotonic()
        while not self._stopping:
            try:
                self._connection = await Connection.open(self._url, self._token, self._received)
            except OSError as error:
                self._check_lease()
                if _is_refusal(error):
                    raise ProblemError(Problem(code="session-refused", message=str(error))) from error
                await asyncio.sleep(pause)
                pause = min(LONGEST_PAUSE_S, pause * 2)
                continue
            pause = FIRST_PAUSE_S
            self._connection.send(encode_frame([self._handler.hello()]))
            beat = asyncio.create_task(self._beat())
            try:
                reason = await self._connection.closed
            finally:
                beat.cancel()
                self._connection, self._welcome = None, None
                self._lost_at = time.monotonic()
                self._outgoing = [message for message in self._outgoing if isinstance(message, Logs)]
            if reason.startswith("{"):
                raise ProblemError(Problem.from_dict(msgspec.json.decode(reason)))

    def stop(self) -> None:
        """End the session: flush, say good-bye, let :meth:`run` return."""
        self._stopping = True
        self.flush()
        if self._connection is not None:
            self._connection.close()

    def _received(self, frame: bytes) -> None:
        messages = decode_from_server(frame)
        if self._welcome is None and messages and isinstance(messages[0], Welcome):
            self._welcome = messages.pop(0)  # type: ignore[assignment]
            self._handler.welcomed(self._welcome)  # type: ignore[arg-type]
            self.flush()
        if messages:
            self._handler.handle(messages)

    async def _beat(self) -> None:
        """Give a sign of life when nothing else was sent for a while."""
        while True:
            interval = self._welcome.heartbeat if self._welcome is not None else 1.0
            await asyncio.sleep(interval)
            if time.monotonic() - self._sent_at >= interval * 0.9:
                self.send(Heartbeat())

    def _check_lease(self) -> None:
        ttl = self._last_ttl
        if time.monotonic() - self._lost_at > ttl:
            self._handler.lease_over()

    @property
    def _last_ttl(self) -> float:
        from trigger_sdk.protocol.limits import LEASE_TTL_S

        return self._welcome.lease_ttl if self._welcome is not None else LEASE_TTL_S


def _is_refusal(error: OSError) -> bool:
    return "refused the session" in str(error) and any(code in str(error) for code in ("401", "403", "404"))
