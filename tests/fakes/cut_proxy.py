"""A TCP proxy on loopback that a test can cut: connections are lost, or nothing gets through for a while."""

from __future__ import annotations

import asyncio
import contextlib
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager


class CutProxy:
    """Passes bytes on between its clients and a server.

    Attributes:
        url: where it listens.
        connections: how many clients have connected so far.
    """

    def __init__(self, port: int) -> None:
        self.url = ""
        self.connections = 0
        self._port = port
        self._through = asyncio.Event()
        self._through.set()
        self._refusing = False
        self._transports: set[asyncio.WriteTransport] = set()
        self._pumps: set[asyncio.Task[None]] = set()

    def cut(self) -> None:
        """Lose every connection, and take no new one until :meth:`heal`."""
        self._refusing = True
        self._lose_all()

    def blackhole(self) -> None:
        """Let nothing through, in either direction, and lose nothing: connections stand, also new ones."""
        self._through.clear()

    def heal(self, *, lose: bool = False) -> None:
        """Let everything through again; with ``lose``, what was on its way is lost with its connections."""
        if lose:
            self._lose_all()
        self._refusing = False
        self._through.set()

    def _lose_all(self) -> None:
        for transport in self._transports:
            transport.abort()

    async def take(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        """Serve one client."""
        self._transports.add(writer.transport)
        try:
            if self._refusing:
                writer.transport.abort()
                return
            self.connections += 1
            await self._through.wait()
            there, back = await asyncio.open_connection("127.0.0.1", self._port)
            self._transports.add(back.transport)
            try:
                pumps = [asyncio.create_task(self._pump(reader, back)), asyncio.create_task(self._pump(there, writer))]
                self._pumps.update(pumps)
                await asyncio.wait(pumps)
                self._pumps.difference_update(pumps)
            finally:
                self._transports.discard(back.transport)
                back.transport.abort()
        finally:
            self._transports.discard(writer.transport)
            writer.transport.abort()

    async def _pump(self, source: asyncio.StreamReader, target: asyncio.StreamWriter) -> None:
        named, name = (f"Host: 127.0.0.1:{port}".encode() for port in (self.url.rpartition(":")[2], self._port))
        with contextlib.suppress(ConnectionError):
            while True:
                await self._through.wait()
                data = await source.read(64 * 1024)
                await self._through.wait()
                if not data:
                    break
                target.write(data.replace(named, name))  # the server answers to its own name only
                await target.drain()
        target.close()


@asynccontextmanager
async def cut_proxy(server_url: str) -> AsyncIterator[CutProxy]:
    """Run a proxy in front of a server while the block runs."""
    proxy = CutProxy(int(server_url.rpartition(":")[2]))
    server = await asyncio.start_server(proxy.take, "127.0.0.1", 0)
    proxy.url = f"http://127.0.0.1:{server.sockets[0].getsockname()[1]}"
    try:
        yield proxy
    finally:
        server.close()
        proxy.heal(lose=True)
        proxy.cut()
        await asyncio.sleep(0)
