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
import errno
import os
import socket
from collections.abc import AsyncIterator, Iterator, Sequence
from contextlib import asynccontextmanager
from dataclasses import dataclass

import uvicorn
from starlette.types import ASGIApp
from uvicorn.protocols.http.httptools_impl import HttpToolsProtocol

from executor.errors import AddressUnavailable, PortInUse
from executor.listeners import who_listens
from executor.settings import Settings

LOOPBACK = "127.0.0.1"
LOOPBACK_6 = "::1"
BACKLOG = 2048
_TRIES = 20
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
    address, bound = listening[0].getsockname()[:2]
    running = asyncio.create_task(server.serve(sockets=listening))
    up = asyncio.create_task(server.up.wait())
    try:
        await asyncio.wait({running, up}, return_when=asyncio.FIRST_COMPLETED)
        if running.done():
            running.result()
        shown = f"[{address}]" if ":" in address else address
        yield Serving(url=f"http://{shown}:{bound}", port=bound)
    finally:
        up.cancel()
        server.should_exit = True
        server.stopping.set()
        await asyncio.shield(running)


def bind(host: str, port: int, *, ipv6: bool = False) -> list[socket.socket]:
    """Return sockets bound to the address, and to the same port at ``::1``. Raises PortInUse, AddressUnavailable."""
    for attempt in range(_TRIES):
        first = _bind(host, port)
        if not ipv6 or host == LOOPBACK_6:
            return [first]
        try:
            return [first, _bind(LOOPBACK_6, first.getsockname()[1])]
        except AddressUnavailable:
            return [first]  # a machine without IPv6
        except PortInUse:
            first.close()
            if port or attempt == _TRIES - 1:
                raise
    raise AssertionError("the loop returns or raises")


def _bind(host: str, port: int) -> socket.socket:
    sock = socket.socket(socket.AF_INET6 if ":" in host else socket.AF_INET, socket.SOCK_STREAM)
    try:
        sock.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
        if sock.family == socket.AF_INET6:
            sock.setsockopt(socket.IPPROTO_IPV6, socket.IPV6_V6ONLY, 1)
        sock.bind((host, port))
        sock.listen(BACKLOG)
        sock.setblocking(False)
    except (OSError, OverflowError) as error:
        sock.close()
        raise _explain(host, port, error) from error
    return sock


def _explain(host: str, port: int, error: OSError | OverflowError) -> PortInUse | AddressUnavailable:
    if not isinstance(error, OSError):
        return AddressUnavailable(f"{port} is not a port; ports are from 0 to 65535")
    if error.errno != errno.EADDRINUSE:
        return AddressUnavailable(f"the server cannot listen at {host} port {port}: {os.strerror(error.errno or 0)}")
    others = who_listens(port)
    named = f"It is {_listed(others)}. " if others else ""
    return PortInUse(
        f"port {port} of {host} is in use",
        hint=f"{named}Stop it, or choose another port with `--port` (0 takes any free one).",
        where=f"{host}:{port}",
    )


def _listed(processes: Sequence[str]) -> str:
    return " and ".join(processes)
