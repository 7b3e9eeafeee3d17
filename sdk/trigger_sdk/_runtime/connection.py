"""A WebSocket connection to the server: a frame is handled in the callback that received it."""

from __future__ import annotations

import asyncio
from typing import TYPE_CHECKING, Final
from urllib.parse import urlsplit

from websockets.client import ClientProtocol
from websockets.frames import Frame, Opcode
from websockets.uri import parse_uri

if TYPE_CHECKING:
    from collections.abc import Callable


READ_BYTES: Final = 256 * 1024
"""The most that is read at once."""


class Connection(asyncio.BufferedProtocol):
    """One connection, from opening handshake to loss.

    Attributes:
        opened: done when the handshake is over; failed with the reason when it is refused.
        closed: done when the connection is lost, with the close reason or the empty string.
    """

    def __init__(
        self, url: str, token: str, on_frame: Callable[[bytes], None], on_pong: Callable[[bytes], None]
    ) -> None:
        self._websocket = ClientProtocol(parse_uri(url), max_size=None)
        self._token = token
        self._on_frame = on_frame
        self._on_pong = on_pong
        self._aborted = False
        self._parts: list[bytes] = []
        # Reading into one buffer: asyncio else maps and unmaps this much memory for each small frame.
        self._buffer = memoryview(bytearray(READ_BYTES))
        self._transport: asyncio.Transport | None = None
        loop = asyncio.get_running_loop()
        self.opened: asyncio.Future[None] = loop.create_future()
        self.closed: asyncio.Future[str] = loop.create_future()

    @classmethod
    async def open(
        cls, url: str, token: str, on_frame: Callable[[bytes], None], on_pong: Callable[[bytes], None]
    ) -> Connection:
        """Connect to ``ws://…``. Raises OSError when nothing listens, ConnectionError when the server refuses."""
        parts = urlsplit(url)
        loop = asyncio.get_running_loop()
        secure = parts.scheme == "wss"
        _, connection = await loop.create_connection(
            lambda: cls(url, token, on_frame, on_pong),
            parts.hostname or "127.0.0.1",
            parts.port or (443 if secure else 80),
            ssl=True if secure else None,
        )
        try:
            await connection.opened
        except BaseException:
            connection.abort()
            raise
        return connection

    def send(self, data: bytes) -> None:
        """Send one binary frame. Does nothing on a lost connection."""
        if self._transport is not None and not self.closed.done() and not self._aborted:
            self._websocket.send_binary(data)
            self._flush()

    def ping(self, data: bytes) -> None:
        """Ask for a sign of life: the other end sends ``data`` back, which goes to ``on_pong``."""
        if self._transport is not None and not self.closed.done():
            self._websocket.send_ping(data)
            self._flush()

    def abort(self) -> None:
        """Give the connection up: nothing more is sent, and nothing that has arrived is handled."""
        self._aborted = True
        if self._transport is not None:
            self._transport.abort()

    def close(self) -> None:
        """Say good-bye."""
        if self._transport is not None and not self.closed.done():
            self._websocket.send_close(1000)
            self._flush()
            self._transport.close()

    # --- asyncio.BufferedProtocol -------------------------------------------------------------------------------

    def connection_made(self, transport: asyncio.BaseTransport) -> None:
        """Send the opening handshake."""
        self._transport = transport  # type: ignore[assignment]
        request = self._websocket.connect()
        request.headers["Authorization"] = f"Bearer {self._token}"
        self._websocket.send_request(request)
        self._flush()

    def get_buffer(self, sizehint: int) -> memoryview:  # noqa: ARG002 - asyncio's signature
        """Lend the buffer that is read into."""
        return self._buffer

    def buffer_updated(self, nbytes: int) -> None:
        """Handle what arrived."""
        self._websocket.receive_data(bytes(self._buffer[:nbytes]))
        self._flush()
        for event in self._websocket.events_received():
            if isinstance(event, Frame):
                self._received(event)
        if not self.opened.done():
            error = self._websocket.handshake_exc
            if error is not None:
                self.opened.set_exception(ConnectionError(f"the server refused the session: {error}"))
                if self._transport is not None:
                    self._transport.abort()
            elif self._websocket.state.name == "OPEN":
                self.opened.set_result(None)

    def eof_received(self) -> bool:
        """Let the connection close."""
        self._websocket.receive_eof()
        self._flush()
        return False

    def connection_lost(self, exc: Exception | None) -> None:
        """Tell those who wait."""
        if not self.opened.done():
            self.opened.set_exception(ConnectionError(f"the connection was lost: {exc or 'closed'}"))
        if not self.closed.done():
            self.closed.set_result(self._websocket.close_reason or "")

    def _received(self, frame: Frame) -> None:
        if self._aborted:
            return
        if frame.opcode is Opcode.PONG:
            self._on_pong(bytes(frame.data))
            return
        if frame.opcode not in (Opcode.BINARY, Opcode.TEXT, Opcode.CONT):
            return
        if frame.fin and not self._parts:
            self._on_frame(bytes(frame.data))
            return
        self._parts.append(bytes(frame.data))
        if frame.fin:
            whole, self._parts = b"".join(self._parts), []
            self._on_frame(whole)

    def _flush(self) -> None:
        transport = self._transport
        if transport is None:
            return
        for data in self._websocket.data_to_send():
            if data:
                transport.write(data)
            elif transport.can_write_eof():
                transport.write_eof()
