"""The other end of a raw WebSocket round trip: ``python -m benchmarks.echo`` prints its address, and ends with stdin.

Served as the executor serves workers: the same server with the same options, on the same loop.
"""

from __future__ import annotations

import asyncio
import sys

import uvloop
from starlette.types import Receive, Scope, Send

from executor.server import serve


async def echo(scope: Scope, receive: Receive, send: Send) -> None:
    """Send back each message."""
    assert scope["type"] == "websocket"
    await receive()
    await send({"type": "websocket.accept"})
    while (event := await receive())["type"] == "websocket.receive":
        await send({"type": "websocket.send", "bytes": event["bytes"]})


async def main() -> None:
    """Serve until nobody holds the other end of stdin any more."""
    async with serve(echo) as serving:
        print(serving.url.replace("http", "ws", 1), flush=True)
        await asyncio.to_thread(sys.stdin.read)


if __name__ == "__main__":
    uvloop.run(main())
