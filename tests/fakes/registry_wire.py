"""A small HTTP server on a real socket, which also does what good servers do not: cut, lie about lengths, hang up."""

from __future__ import annotations

import asyncio
import contextlib
import socket
import ssl
import struct
from collections.abc import Awaitable, Callable
from dataclasses import dataclass, field
from http import HTTPStatus
from urllib.parse import parse_qs, urlsplit


class HangUp(Exception):
    """The handler wants the connection reset, without an answer."""


@dataclass(kw_only=True)
class Received:
    """A request; ``headers`` by names written small."""

    method: str
    target: str
    headers: dict[str, str]
    body: bytes = b""
    is_cut: bool = False

    @property
    def path(self) -> str:
        return urlsplit(self.target).path

    @property
    def query(self) -> dict[str, list[str]]:
        return parse_qs(urlsplit(self.target).query)

    def first(self, name: str) -> str:
        """Return the first value of a parameter of the query; empty for none."""
        return self.query.get(name, [""])[0]


@dataclass(kw_only=True)
class Reply:
    """An answer. ``cut_at`` bytes of the body are sent before the connection is cut, whatever the length says."""

    status: int = 200
    headers: dict[str, str] = field(default_factory=dict)
    body: bytes = b""
    cut_at: int | None = None


Handler = Callable[[Received], Awaitable[Reply]]


class WireServer:
    """Serves one handler. ``cut_body`` says after how many bytes of a body the connection is cut; None for never."""

    def __init__(self, handler: Handler, *, cut_body: Callable[[Received], int | None] = lambda _: None) -> None:
        self._handler = handler
        self._cut_body = cut_body
        self._server: asyncio.Server | None = None
        self._writers: dict[asyncio.StreamWriter, asyncio.Task[object] | None] = {}
        self.received: list[Received] = []

    async def start(self, *, tls: ssl.SSLContext | None = None) -> WireServer:
        self._server = await asyncio.start_server(self._serve, "127.0.0.1", 0, ssl=tls)
        return self

    @property
    def port(self) -> int:
        assert self._server is not None
        port: int = self._server.sockets[0].getsockname()[1]
        return port

    async def close(self) -> None:
        if self._server is not None:
            self._server.close()
            for writer, task in list(self._writers.items()):
                writer.transport.abort()
                if task is not None:
                    await task
            await self._server.wait_closed()

    async def _serve(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        self._writers[writer] = asyncio.current_task()
        try:
            while request := await self._read(reader):
                self.received.append(request)
                reply = await self._handler(request)
                await _write(writer, request, reply)
                if reply.cut_at is not None or request.is_cut:
                    reset(writer)
                    return
        except HangUp:
            reset(writer)
        except (OSError, asyncio.IncompleteReadError, EOFError):
            pass
        finally:
            del self._writers[writer]
            writer.close()
            with contextlib.suppress(OSError):
                await writer.wait_closed()

    async def _read(self, reader: asyncio.StreamReader) -> Received | None:
        # A server of plain HTTP sees at the first byte that this is TLS.
        opening = await reader.readexactly(1)
        if opening == b"\x16":
            raise HangUp
        head = opening + await reader.readuntil(b"\r\n\r\n")
        first, *lines = head.decode("latin-1").split("\r\n")
        words = first.split(" ")
        if len(words) != 3:
            return None
        pairs = [line.split(":", 1) for line in lines if ":" in line]
        request = Received(
            method=words[0], target=words[1], headers={name.strip().lower(): value.strip() for name, value in pairs}
        )
        length = int(request.headers.get("content-length", "0"))
        cut = self._cut_body(request)
        if cut is not None and cut < length:
            request.is_cut, length = True, cut
        request.body = await reader.readexactly(length)
        return request


async def _write(writer: asyncio.StreamWriter, request: Received, reply: Reply) -> None:
    if request.is_cut:
        return
    reason = HTTPStatus(reply.status).phrase
    headers = {"Content-Length": str(len(reply.body)), **reply.headers}
    lines = [f"HTTP/1.1 {reply.status} {reason}", *(f"{name}: {value}" for name, value in headers.items())]
    body = b"" if request.method == "HEAD" else reply.body[: reply.cut_at]
    writer.write("\r\n".join([*lines, "", ""]).encode("latin-1") + body)
    await writer.drain()


def reset(writer: asyncio.StreamWriter) -> None:
    """Close a connection so that the other side sees a reset rather than an end."""
    connection = writer.get_extra_info("socket")
    if connection is not None:
        with contextlib.suppress(OSError):
            connection.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, struct.pack("ii", 1, 0))
    writer.transport.abort()
