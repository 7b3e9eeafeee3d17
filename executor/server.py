"""Runs an ASGI application on loopback, in this process and on this loop.

::

    async with serve(app, port=8734) as serving:
        print(serving.url)
        await something_that_ends()

WebSockets are served by uvicorn's ``websockets-sansio`` (docs/decisions/0006). Leaving the block stops the server:
nothing new is accepted, requests may end within ``grace_s``, and what is open then is given up.
"""

from __future__ import annotations

import asyncio
import contextlib
import socket
from collections.abc import AsyncIterator, Iterator, Sequence
from contextlib import asynccontextmanager
from dataclasses import dataclass

import uvicorn
from starlette.types import ASGIApp
from uvicorn.protocols.http.httptools_impl import HttpToolsProtocol

from executor.settings import Settings
from executor.sockets import BACKLOG, LOOPBACK, bind, url_of

_HANG_UP_S = 0.15


@dataclass(frozen=True, slots=True, kw_only=True)
class Serving:
    """A server that listens.

    Attributes:
        url: where, such as ``http://127.0.0.1:8734``.
        port: the port, also when any free one was asked for.
    """

    url: str
    port: int


class _Protocol(HttpToolsProtocol):
    """uvicorn's HTTP protocol, which hands WebSockets on, on connections that send small writes at once.

    asyncio sets TCP_NODELAY only where the listening socket was made with its protocol number. Without it a message
    that follows another waits 40 ms for the peer's delayed acknowledgement.
    """

    def connection_made(self, transport: asyncio.Transport) -> None:  # type: ignore[override]  # narrower in uvicorn
        """Set the option, then go on."""
        sock = transport.get_extra_info("socket")
        with contextlib.suppress(OSError):  # the client may be gone again
            sock.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
        super().connection_made(transport)


class _Server(uvicorn.Server):
    """A uvicorn server that leaves the process's signals alone, and gives up what is open after a while, quietly."""

    def __init__(self, config: uvicorn.Config, grace_s: float) -> None:
        super().__init__(config)
        self._grace_s = grace_s
        self.up = asyncio.Event()
        self.stopping = asyncio.Event()

    @contextlib.contextmanager
    def capture_signals(self) -> Iterator[None]:
        """Leave signals to whoever runs the loop."""
        yield

    async def startup(self, sockets: list[socket.socket] | None = None) -> None:
        """Start, and say so."""
        await super().startup(sockets=sockets)
        self.up.set()

    async def main_loop(self) -> None:
        """Wait to be stopped. uvicorn's own wakes ten times a second, for a Date header and limits we do not use."""
        await self.stopping.wait()

    async def shutdown(self, sockets: list[socket.socket] | None = None) -> None:
        """Stop; requests that are open after the grace are cancelled."""
        giving_up = asyncio.get_running_loop().call_later(self._grace_s, self._give_up)
        try:
            await super().shutdown(sockets=sockets)
        finally:
            giving_up.cancel()

    def _give_up(self) -> None:
        """Cancel what is open; then hang up on clients that keep their side of a connection open."""
        for task in list(self.server_state.tasks):
            task.cancel()
        asyncio.get_running_loop().call_later(_HANG_UP_S, self._hang_up)

    def _hang_up(self) -> None:
        self.force_exit = True
        for connection in list(self.server_state.connections):
            if connection.transport is not None:
                connection.transport.abort()


@asynccontextmanager
async def serve(
    app: ASGIApp,
    *,
    host: str = LOOPBACK,
    port: int = 0,
    ipv6: bool = False,
    sockets: Sequence[socket.socket] = (),
    frame_limit: int | None = None,
    grace_s: float = 1.0,
) -> AsyncIterator[Serving]:
    """Serve ``app`` while the block runs.

    Args:
        app: the application.
        host: the address to listen at.
        port: 0 takes any free one.
        ipv6: listen at ``::1`` too, where this machine has it.
        sockets: listening sockets to use in place of ``host`` and ``port``; they are closed at the end.
        frame_limit: most bytes of a WebSocket message; the executor's default if not given.
        grace_s: seconds that open requests get to end.

    Raises:
        PortInUse: something listens there; the hint names it where the system tells.
        AddressUnavailable: the address cannot be used.
    """
    listening = list(sockets) or bind(host, port, ipv6=ipv6)
    config = uvicorn.Config(
        app,
        http=_Protocol,
        ws="websockets-sansio",
        ws_max_size=frame_limit or Settings(token="").frame_limit,
        ws_per_message_deflate=False,
        ws_ping_interval=None,  # workers give signs of life of their own
        lifespan="off",
        log_config=None,
        access_log=False,
        server_header=False,
        date_header=False,
        backlog=BACKLOG,
    )
    server = _Server(config, grace_s)
    running = asyncio.create_task(server.serve(sockets=listening))
    up = asyncio.create_task(server.up.wait())
    try:
        await asyncio.wait({running, up}, return_when=asyncio.FIRST_COMPLETED)
        if running.done():
            running.result()
        yield Serving(url=url_of(listening[0]), port=listening[0].getsockname()[1])
    finally:
        up.cancel()
        server.should_exit = True
        server.stopping.set()
        await asyncio.shield(running)
