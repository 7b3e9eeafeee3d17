"""An answer of the API before it is sent."""

from __future__ import annotations

import asyncio
import json
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Self

import msgspec
from starlette.types import Receive, Scope, Send

DISCARD_LIMIT = 64 * 1024 * 1024
DISCARD_S = 2.0
"""How much of a refused body is read, and for how long, so that the client gets to read the refusal."""

_encode = msgspec.json.Encoder().encode

JSON = b"application/json"

_FIXED: list[tuple[bytes, bytes]] = [
    (b"cache-control", b"no-store"),
    (b"x-content-type-options", b"nosniff"),
]


@dataclass(frozen=True, slots=True, kw_only=True)
class Answer:
    """Status, JSON and headers.

    Attributes:
        status: HTTP's number.
        body: JSON, or what ``content`` says.
        headers: in addition to the fixed ones.
        discard: True when the request's body was not read to its end.
        content: the body's type.
    """

    status: int
    body: bytes
    headers: Sequence[tuple[bytes, bytes]] = ()
    discard: bool = False
    content: bytes = JSON

    @classmethod
    def json(
        cls, value: object, *, status: int = 200, headers: Sequence[tuple[bytes, bytes]] = (), discard: bool = False
    ) -> Self:
        """Return an answer with ``value`` (plain data or msgspec Structs) as JSON."""
        return cls(status=status, body=encode(value), headers=headers, discard=discard)

    async def send(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Send it; for HEAD without the body."""
        headers = [
            (b"content-type", self.content),
            *_FIXED,
            (b"content-length", str(len(self.body)).encode()),
            *self.headers,
        ]
        await send({"type": "http.response.start", "status": self.status, "headers": headers})
        body = b"" if scope["method"] == "HEAD" else self.body
        if self.discard:
            await send({"type": "http.response.body", "body": body, "more_body": True})
            await _discard(receive)
            body = b""
        await send({"type": "http.response.body", "body": body})


async def _discard(receive: Receive) -> None:
    """Read on for a while: closing a connection with unread bytes resets it, and the client loses the answer."""
    left = DISCARD_LIMIT
    try:
        async with asyncio.timeout(DISCARD_S):
            while left > 0:
                event = await receive()
                if event["type"] != "http.request" or not event.get("more_body"):
                    return
                left -= len(event["body"])
    except TimeoutError:
        return


def encode(value: object) -> bytes:
    """Return JSON in UTF-8; texts that are no Unicode come out escaped."""
    try:
        return _encode(value)
    except UnicodeEncodeError:
        return json.dumps(msgspec.to_builtins(value)).encode()
