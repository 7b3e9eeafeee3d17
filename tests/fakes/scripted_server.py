"""The server's end of worker sessions over a real WebSocket, played by a test."""

from __future__ import annotations

import asyncio
from contextlib import asynccontextmanager
from typing import TYPE_CHECKING, Any, TypeVar

from websockets.asyncio.server import ServerConnection, serve

from trigger_sdk.protocol.entries import Entry
from trigger_sdk.protocol.messages import Hello, Start, Welcome, decode_from_worker, encode_frame

if TYPE_CHECKING:
    from collections.abc import AsyncIterator

    from trigger_sdk.protocol.messages import ToServer, ToWorker

T = TypeVar("T")


class ScriptedServer:
    """Takes sessions, keeps what workers say, says what the test wants.

    Attributes:
        received: every message, in order, over all connections.
        tokens: the Authorization headers of the connections.
    """

    def __init__(self) -> None:
        self.received: list[ToServer] = []
        self.tokens: list[str | None] = []
        self.url = ""
        self._connections: list[ServerConnection] = []
        self._changed = asyncio.Condition()

    async def _take(self, connection: ServerConnection) -> None:
        self._connections.append(connection)
        assert connection.request is not None
        self.tokens.append(connection.request.headers.get("Authorization"))
        async for frame in connection:
            assert isinstance(frame, bytes)
            async with self._changed:
                self.received += decode_from_worker(frame)
                self._changed.notify_all()

    async def expect(self, kind: type[T], *, count: int = 1) -> T:
        """Return the ``count``-th message of a kind, when it is there."""
        async with asyncio.timeout(10), self._changed:
            while len(found := [message for message in self.received if isinstance(message, kind)]) < count:
                await self._changed.wait()
        return found[count - 1]

    async def welcome(self, *, count: int = 1, kept: list[str] | None = None) -> Hello:
        """Take the ``count``-th session."""
        hello = await self.expect(Hello, count=count)
        await self.say(Welcome(lease_ttl=15.0, heartbeat=3.0, kept=kept or []))
        return hello

    async def say(self, *messages: ToWorker) -> None:
        """Send messages as one frame on the newest connection."""
        await self._connections[-1].send(encode_frame(list(messages)))

    async def start(self, job: str, payload: bytes = b"", **fields: Any) -> Start:
        """Give a run to the worker."""
        start = Start(
            run="run_1", token=1, job=job, payload=payload, attempt=1, created_at=1000.0, began_at=1000.0, **fields
        )
        await self.say(start)
        return start

    async def cut(self) -> None:
        """Cut the newest connection without a good-bye."""
        transport = self._connections[-1].transport
        transport.abort()
        await self._connections[-1].wait_closed()


@asynccontextmanager
async def scripted_server() -> AsyncIterator[ScriptedServer]:
    """Serve on a free port."""
    script = ScriptedServer()
    async with serve(script._take, "127.0.0.1", 0) as server:
        port = next(iter(server.sockets)).getsockname()[1]
        script.url = f"ws://127.0.0.1:{port}/api/v1/worker"
        yield script


def committed(entries: list[Entry], first: int) -> list[Entry]:
    """Return entries as the engine would have committed them."""
    import msgspec

    return [msgspec.structs.replace(entry, seq=first + n, at=1000.0 + first + n) for n, entry in enumerate(entries)]
