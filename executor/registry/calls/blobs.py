"""Blobs: whether they are there, their bytes, whole or in part, and taking them out of a repository."""

from __future__ import annotations

import os
import re
from typing import Final

from executor.registry.call import RegistryCall
from executor.registry.disk import Disk
from executor.registry.errors import BlobUnknown, RangeUnsatisfiable
from executor.registry.names import check_digest
from executor.registry.replies import BlobReply, Header, Reply, Sendable
from executor.registry.store.store import ImageStore

OCTETS: Final[Header] = (b"content-type", b"application/octet-stream")
_RANGE: Final = re.compile(r"bytes=([0-9]{0,18})-([0-9]{0,18})")


class Blobs:
    """Answers for ``/v2/<repository>/blobs/<digest>``."""

    def __init__(self, store: ImageStore, disk: Disk) -> None:
        self._store = store
        self._disk = disk

    async def get(self, call: RegistryCall) -> Sendable:
        """Return the bytes, or the part of them that is asked for."""
        repository, digest = call.place.repository, check_digest(call.place.target)
        headers = [OCTETS, (b"accept-ranges", b"bytes"), (b"docker-content-digest", digest.encode())]
        if call.method == "HEAD":
            size = self._store.index.blob(repository, digest)
            if size is None:
                raise BlobUnknown(f"repository '{repository}' has no blob {digest}")
            return Reply(headers=headers, size=size)
        descriptor, length = await self._disk.run(self._store.open_blob, repository, digest)
        try:
            part = _part(call.header(b"range"), length)
        except RangeUnsatisfiable:
            os.close(descriptor)
            raise
        start, end = part or (0, length)
        if part is not None:
            headers.append((b"content-range", b"bytes %d-%d/%d" % (start, end - 1, length)))
        return BlobReply(
            descriptor=descriptor, start=start, end=end, status=200 if part is None else 206, headers=headers,
            disk=self._disk, stall_s=call.stall_s,
        )  # fmt: skip

    async def delete(self, call: RegistryCall) -> Sendable:
        """Take it out of the repository."""
        await self._disk.run(self._store.delete_blob, call.place.repository, check_digest(call.place.target))
        return Reply(status=202)


def _part(header: str, size: int) -> tuple[int, int] | None:
    """Return start and end (exclusive) of what a header ``Range`` asks for; None for everything.

    Several ranges at once, and what is malformed, are answered with everything, as HTTP allows.
    """
    match = _RANGE.fullmatch(header.replace(" ", ""))
    if match is None or not (match[1] or match[2]):
        return None
    if not match[1]:
        start, end = max(0, size - int(match[2])), size
    else:
        start, end = int(match[1]), min(int(match[2]) + 1, size) if match[2] else size
        if match[2] and int(match[2]) < int(match[1]):
            return None
    if start >= size or start >= end:
        raise RangeUnsatisfiable(
            f"'{header[:60]}' lies behind the end: the blob has {size} bytes",
            headers=[(b"content-range", b"bytes */%d" % size)],
        )
    return start, end
