"""Answers of the registry: in the protocol's form, and blobs, which are read while they are sent."""

from __future__ import annotations

import asyncio
import os
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Final, Protocol

from starlette.types import Receive, Scope, Send

from executor.api.answers import Answer
from executor.registry.disk import Disk
from executor.registry.errors import CredentialMissing, RegistryRefused

Header = tuple[bytes, bytes]

_VERSION: Final[Header] = (b"docker-distribution-api-version", b"registry/2.0")
_FIXED: Final[list[Header]] = [_VERSION, (b"x-content-type-options", b"nosniff")]
_CHALLENGE: Final[Header] = (b"www-authenticate", b'Basic realm="trigger", charset="UTF-8"')
_CHUNK: Final = 512 * 1024
_RETRY_AFTER_S: Final = b"2"
_BUSY: Final = frozenset({429, 503})


class Sendable(Protocol):
    """An answer."""

    async def send(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Send it; for HEAD without its body."""
        ...


@dataclass(frozen=True, slots=True, kw_only=True)
class Reply:
    """An answer that is in memory; ``size`` is what HEAD says of a body that was not read, in bytes."""

    status: int = 200
    headers: Sequence[Header] = ()
    body: bytes = b""
    size: int | None = None

    async def send(self, scope: Scope, receive: Receive, send: Send) -> None:  # noqa: ARG002 - of Sendable
        """Send it; for HEAD without its body."""
        size = len(self.body) if self.size is None else self.size
        length = [] if self.status == 204 else [(b"content-length", b"%d" % size)]  # noqa: PLR2004 - HTTP's number
        headers = [*_FIXED, *length, *self.headers]
        await send({"type": "http.response.start", "status": self.status, "headers": headers})
        await send({"type": "http.response.body", "body": b"" if scope["method"] == "HEAD" else self.body})


@dataclass(frozen=True, slots=True, kw_only=True)
class BlobReply:
    """A part of a blob, or all of it.

    Attributes:
        descriptor: to read by; closed in the end.
        start: of the part, in bytes.
        end: where it ends, exclusive.
        status: 200, or 206.
        headers: in addition to the fixed ones and the length.
        disk: reads.
        stall_s: seconds that the client may take no byte.
    """

    descriptor: int
    start: int
    end: int
    status: int
    headers: Sequence[Header]
    disk: Disk
    stall_s: float

    async def send(self, scope: Scope, receive: Receive, send: Send) -> None:  # noqa: ARG002 - of Sendable
        """Send it; ends early when the client is gone."""
        try:
            headers = [*_FIXED, (b"content-length", b"%d" % (self.end - self.start)), *self.headers]
            await send({"type": "http.response.start", "status": self.status, "headers": headers})
            gone = asyncio.create_task(_gone(receive))
            try:
                await self._send_bytes(send, gone)
            finally:
                gone.cancel()
        finally:
            await self.disk.run(os.close, self.descriptor)

    async def _send_bytes(self, send: Send, gone: asyncio.Task[None]) -> None:
        offset = self.start
        while offset < self.end and not gone.done():
            piece = await self.disk.run(os.pread, self.descriptor, min(_CHUNK, self.end - offset), offset)
            offset += len(piece)
            async with asyncio.timeout(self.stall_s):
                await send({"type": "http.response.body", "body": piece, "more_body": True})
            if not piece:
                return  # the file is shorter than it was: the connection is closed, and the client sees that
        await send({"type": "http.response.body", "body": b""})


def refusal(error: RegistryRefused, *, is_body_left: bool) -> Answer:
    """Return the answer for what is refused, in the protocol's form.

    Args:
        error: why.
        is_body_left: whether the request has a body that was not read to its end.
    """
    problem = error.problem
    detail: dict[str, object] = {"code": problem.code}
    detail.update({key: value for key in ("hint", "detail", "where") if (value := getattr(problem, key))})
    headers = [_VERSION, *error.headers]
    if isinstance(error, CredentialMissing):
        headers.append(_CHALLENGE)
    if error.status in _BUSY:
        headers.append((b"retry-after", _RETRY_AFTER_S))
    errors = [{"code": error.word, "message": problem.message, "detail": detail}]
    return Answer.json({"errors": errors}, status=error.status, headers=headers, discard=is_body_left)


async def _gone(receive: Receive) -> None:
    while (await receive())["type"] != "http.disconnect":
        pass
