"""What is uploaded, from any position on and as often as it takes."""

from __future__ import annotations

import asyncio
import hashlib
from collections.abc import AsyncGenerator, Callable
from contextlib import aclosing
from dataclasses import dataclass
from typing import BinaryIO, Protocol

from bundler.errors import DigestMismatch
from bundler.model import Blob, Digest, Progress

_CHUNK = 1024 * 1024


class Content(Protocol):
    """The bytes of a blob, wherever they are."""

    @property
    def digest(self) -> Digest:
        """What they must be."""

    @property
    def size(self) -> int:
        """How many there are."""

    def chunks(self, start: int) -> AsyncGenerator[bytes, None]:
        """Give those from a position on."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Local:
    """A blob on this machine."""

    blob: Blob

    @property
    def digest(self) -> Digest:
        """What it must be."""
        return self.blob.digest

    @property
    def size(self) -> int:
        """How many bytes it has."""
        return self.blob.size

    async def chunks(self, start: int) -> AsyncGenerator[bytes, None]:
        """Give the bytes from a position on, read in a thread."""
        stream = await asyncio.to_thread(_opened_at, self.blob, start)
        try:
            while chunk := await asyncio.to_thread(stream.read, _CHUNK):
                yield chunk
        finally:
            stream.close()


@dataclass(frozen=True, slots=True, kw_only=True)
class Remote:
    """A blob in another registry. ``stream`` gives it from the first byte, and checks it."""

    digest: Digest
    size: int
    stream: Callable[[], AsyncGenerator[bytes, None]]

    async def chunks(self, start: int) -> AsyncGenerator[bytes, None]:
        """Give the bytes from a position on; those before it are fetched too, since they are checked."""
        skip = start
        async with aclosing(self.stream()) as chunks:
            async for chunk in chunks:
                if len(chunk) > skip:
                    yield chunk[skip:]
                skip = max(0, skip - len(chunk))


class Meter:
    """Tells how far an upload or download is, also when parts of it are done twice."""

    def __init__(self, progress: Progress, name: str, total: int | None) -> None:
        """Say that it begins."""
        self._progress = progress
        self._name = name
        self._mark = 0
        progress.start(name, total)

    def at(self, position: int) -> None:
        """So many bytes have been moved since the beginning."""
        if position > self._mark:
            self._progress.advance(self._name, position - self._mark)
            self._mark = position

    def finish(self) -> None:
        """It has ended."""
        self._progress.finish(self._name)


@dataclass(frozen=True, slots=True, kw_only=True)
class Part:
    """A part of a blob as the body of a request.

    Attributes:
        content: the whole.
        start: its first byte.
        size: number of bytes.
        meter: hears how far the upload is.
    """

    content: Content
    start: int
    size: int
    meter: Meter

    async def chunks(self) -> AsyncGenerator[bytes, None]:
        """Give its bytes; DigestMismatch when there are less than the blob says."""
        remaining = self.size
        if not remaining:
            return
        async with aclosing(self.content.chunks(self.start)) as chunks:
            async for chunk in chunks:
                sent = chunk[:remaining]
                remaining -= len(sent)
                yield sent
                self.meter.at(self.start + self.size - remaining)
                if not remaining:
                    return
        raise DigestMismatch(f"the blob {self.content.digest} ends {remaining} bytes before its size")


async def verify(content: Content) -> None:
    """Read everything and compare it with the digest; DigestMismatch when it is something else."""
    found = hashlib.new(content.digest.partition(":")[0])
    async for chunk in content.chunks(0):
        await asyncio.to_thread(found.update, chunk)
    if found.hexdigest() != content.digest.partition(":")[2]:
        raise DigestMismatch(f"the blob {content.digest} has changed since its digest was taken")


def _opened_at(blob: Blob, start: int) -> BinaryIO:
    stream = blob.open()
    try:
        if stream.seekable():
            stream.seek(start)
        else:
            while start and (skipped := stream.read(min(start, _CHUNK))):
                start -= len(skipped)
    except BaseException:
        stream.close()
        raise
    return stream
