"""The other end of the raw round trips: ``python -m benchmarks.echo`` prints two addresses, and ends with stdin.

At the first it serves as the executor serves workers: the same server with the same options. At the second it serves
with the WebSocket library's own server. Both on the executor's kind of loop.
"""

from __future__ import annotations

import asyncio
import sys

import uvloop
from starlette.types import Receive, Scope, Send
from websockets.asyncio.server import ServerConnection
from websockets.asyncio.server import serve as serve_by_library

from executor.server import serve
from executor.sockets import LOOPBACK


async def echo(scope: Scope, receive: Receive, send: Send) -> None:
    """Send back each message."""
    assert scope["type"] == "websocket"
    await receive()
    await send({"type": "websocket.accept"})
    while (event := await receive())["type"] == "websocket.receive":
        await send({"type": "websocket.send", "bytes": event["bytes"]})


async def echo_by_library(connection: ServerConnection) -> None:
    """Send back each message."""
    async for message in connection:
        await connection.send(message)


async def main() -> None:
    """Serve until nobody holds the other end of stdin any more."""
    library = serve_by_library(echo_by_library, LOOPBACK, 0, compression=None)
    async with serve(echo) as serving, library as other:
        port = next(iter(other.sockets)).getsockname()[1]
        print(serving.url.replace("http", "ws", 1), f"ws://{LOOPBACK}:{port}", flush=True)
        await asyncio.to_thread(sys.stdin.read)


if __name__ == "__main__":
    uvloop.run(main())
