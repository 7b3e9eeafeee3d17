"""Uploads on their way: bytes in a file, hashed as they come, which count for nothing until they are published."""

from __future__ import annotations

import hashlib
import os
import threading
from collections.abc import Callable, Iterable
from pathlib import Path
from typing import Final

from executor.registry.errors import (
    ContentTooLarge,
    DigestInvalid,
    SizeInvalid,
    UploadOutOfOrder,
    UploadSuperseded,
    UploadUnknown,
)
from executor.registry.names import algorithm_of
from executor.registry.store import durable

_READ: Final = 1024 * 1024


class Upload:
    """One upload. Methods block on the disk, and may be called from any thread.

    Of several requests that write to one upload, the last to come is the one that goes on: the connection of those
    before it is most likely broken, which the server may hear of much later.

    Args:
        id: its name.
        repository: to which it goes.
        path: its file, which is there.
        algorithm: by which its bytes are hashed as they come.
        clock: monotonic seconds.
        admit: is asked before bytes are written, with their number; raises what refuses them, or counts them in
            ``admitted``, which is what the upload has and will have in a moment.
    """

    def __init__(
        self, *, id: str, repository: str, path: Path, algorithm: str, clock: Callable[[], float],
        admit: Callable[[Upload, int], None],
    ) -> None:  # fmt: skip
        self.id = id
        self.repository = repository
        self.path = path
        self.offset = self.admitted = path.stat().st_size
        self.seen = clock()
        self.is_over = False
        self._clock = clock
        self._admit = admit
        self._algorithm = algorithm
        # What a process before this one has written was hashed by that one.
        self._hash = hashlib.new(algorithm) if not self.offset else None
        self._lock = threading.RLock()
        self._writer: Writer | None = None

    @property
    def is_written(self) -> bool:
        """Whether a request is writing to it."""
        return self._writer is not None

    def begin(self, *, at: int | None = None, expected: int | None = None) -> Writer:
        """Return what writes the next bytes; whoever wrote before may not go on.

        Args:
            at: where the request says that its bytes belong; UploadOutOfOrder when that is not where it goes on.
            expected: how many bytes there will be, where the request says so.
        """
        with self._lock:
            self._check()
            if at is not None and at != self.offset:
                raise UploadOutOfOrder(f"the chunk begins at byte {at}, and the upload goes on at {self.offset}")
            self.seen = self._clock()
            self._writer = Writer(self, start=self.offset, expected=expected)
            return self._writer

    def end(self, writer: Writer) -> None:
        """Note that a request writes no more."""
        with self._lock:
            self.seen = self._clock()
            if self._writer is writer:
                self._writer = None

    def append(self, writer: Writer, pieces: Iterable[bytes]) -> None:
        """Write bytes. What a full disk took of them is not counted."""
        with self._lock:
            self._check()
            if self._writer is not writer:
                raise UploadSuperseded("another request goes on with this upload")
            pieces = list(pieces)
            self._admit(self, sum(map(len, pieces)))
            if self._hash is None:
                self._hash = self._hashed(self._algorithm)
            descriptor = os.open(self.path, os.O_WRONLY)
            try:
                for piece in pieces:
                    _write(descriptor, piece, self.offset)
                    self._hash.update(piece)
                    self.offset += len(piece)
            finally:
                os.close(descriptor)
            self.seen = self._clock()

    def cut(self, writer: Writer, offset: int) -> None:
        """Forget what a request has written behind an offset."""
        with self._lock:
            if self._writer is writer and not self.is_over:
                self.offset = self.admitted = offset
                self._hash = None
                os.truncate(self.path, offset)

    def finish(self, writer: Writer, digest: str) -> None:
        """See that the bytes are those of a digest, and bring them to the disk; then nothing more is written.

        Raises:
            DigestInvalid: they are not.
            UploadSuperseded: another request goes on with the upload.
        """
        with self._lock:
            self._check()
            if self._writer is not writer:
                raise UploadSuperseded("another request goes on with this upload")
            if self.path.stat().st_size != self.offset:
                os.truncate(self.path, self.offset)
            algorithm = algorithm_of(digest)
            known = self._hash if self._hash is not None and algorithm == self._algorithm else None
            found = (known or self._hashed(algorithm)).hexdigest()
            if f"{algorithm}:{found}" != digest:
                raise DigestInvalid(f"the {self.offset} bytes that came are {algorithm}:{found}, and not {digest}")
            durable.sync_file(self.path)
            self.is_over = True

    def discard(self) -> None:
        """Give it up; its bytes are removed."""
        with self._lock:
            self.is_over = True
            self._writer = None
            self.path.unlink(missing_ok=True)

    def _check(self) -> None:
        if self.is_over:
            raise UploadUnknown("the upload is over")

    def _hashed(self, algorithm: str) -> hashlib._Hash:
        found = hashlib.new(algorithm)
        left = self.offset
        with self.path.open("rb") as file:
            while left and (piece := file.read(min(left, _READ))):
                found.update(piece)
                left -= len(piece)
        return found


class Writer:
    """What one request writes to an upload, from where it is at ``start``; ``expected`` is in bytes, or None."""

    def __init__(self, upload: Upload, *, start: int, expected: int | None) -> None:
        self.upload = upload
        self.start = start
        self.expected = expected
        self._came = 0

    def write(self, pieces: Iterable[bytes]) -> None:
        """Write bytes; SizeInvalid, and nothing of the request is kept, when they are more than there should be."""
        pieces = list(pieces)
        self._came += sum(map(len, pieces))
        if self.expected is not None and self._came > self.expected:
            self.upload.cut(self, self.start)
            raise SizeInvalid(f"more than the {self.expected} bytes came that were announced")
        self.upload.append(self, pieces)

    def complete(self) -> None:
        """Note that the request's body is at its end; SizeInvalid, and nothing of it is kept, when it was too short."""
        if self.expected is not None and self._came != self.expected:
            self.upload.cut(self, self.start)
            raise SizeInvalid(f"{self._came} bytes came, and {self.expected} were announced")


def check_size(size: int, most: int) -> None:
    """Raise ContentTooLarge for more bytes than a blob may have."""
    if size > most:
        raise ContentTooLarge(f"a blob may have {most} bytes, and this has {size} or more")


def _write(descriptor: int, piece: bytes, offset: int) -> None:
    left = memoryview(piece)
    while left:
        count = os.pwrite(descriptor, left, offset)
        left, offset = left[count:], offset + count
