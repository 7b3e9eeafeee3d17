"""Uploads: begun, gone on with, asked for, ended, given up; blobs of another repository mounted."""

from __future__ import annotations

import asyncio
import re
from typing import Final

from executor.api.bodies import ClientGone
from executor.registry.access import Authority, read_credential
from executor.registry.call import RegistryCall
from executor.registry.disk import Disk
from executor.registry.errors import (
    ContentTooLarge,
    DigestInvalid,
    SizeInvalid,
    UploadInvalid,
    UploadOutOfOrder,
    UploadStalled,
)
from executor.registry.names import algorithm_of, check_algorithm, check_digest, is_repository
from executor.registry.replies import Header, Reply, Sendable
from executor.registry.store.store import ImageStore
from executor.registry.store.uploads import Upload, Writer

_BATCH: Final = 1024 * 1024
_CONTENT_RANGE: Final = re.compile(r"(?:bytes[= ])?([0-9]{1,18})-([0-9]{1,18})(?:/(?:[0-9]+|\*))?")


class Uploads:
    """Answers for ``/v2/<repository>/blobs/uploads/`` and what is under it."""

    def __init__(self, store: ImageStore, disk: Disk, authority: Authority) -> None:
        self._store = store
        self._disk = disk
        self._authority = authority

    async def begin(self, call: RegistryCall) -> Sendable:
        """Begin an upload; mount a blob, or take one whole, where the request says so."""
        repository = call.place.repository
        mount, source, digest = (call.parameter(name) for name in ("mount", "from", "digest"))
        if mount is not None and source and await self._mounted(call, check_digest(mount), source):
            return _created(repository, mount)
        if digest is not None:
            return await self._single(call, check_digest(digest))
        algorithm = check_algorithm(call.parameter("digest-algorithm") or "sha256")
        upload = await self._disk.run(self._store.begin_upload, repository, algorithm)
        return Reply(status=202, headers=_progress(upload))

    async def status(self, call: RegistryCall) -> Sendable:
        """Say how far an upload is."""
        return Reply(status=204, headers=_progress(self._upload(call)))

    async def go_on(self, call: RegistryCall) -> Sendable:
        """Take the next bytes of an upload."""
        upload = self._upload(call)
        await self._receive(call, upload, publish_as=None)
        return Reply(status=202, headers=_progress(upload))

    async def end(self, call: RegistryCall) -> Sendable:
        """Take the last bytes of an upload, if any are left, and make it a blob."""
        upload = self._upload(call)
        digest = call.parameter("digest")
        if digest is None:
            raise DigestInvalid("the request does not say which digest the upload has", hint="Add `?digest=sha256:…`.")
        await self._receive(call, upload, publish_as=check_digest(digest))
        return _created(call.place.repository, digest)

    async def cancel(self, call: RegistryCall) -> Sendable:
        """Give an upload up."""
        await self._disk.run(self._store.cancel_upload, self._upload(call))
        return Reply(status=204)

    async def _single(self, call: RegistryCall, digest: str) -> Sendable:
        repository = call.place.repository
        if (call.length or 0) > self._store.limits.blob_bytes:
            raise _too_large(call, self._store.limits.blob_bytes)
        upload = await self._disk.run(self._store.begin_upload, repository, algorithm_of(digest))
        try:
            await self._receive(call, upload, publish_as=digest)
        except BaseException:
            # Nobody knows its address, so nobody can go on with it.
            self._disk.start(self._store.cancel_upload, upload)
            raise
        return _created(repository, digest)

    async def _mounted(self, call: RegistryCall, digest: str, source: str) -> bool:
        if not is_repository(source):
            return False
        credential = read_credential(call.headers.get(b"authorization"))
        if await self._authority.judge(credential, source, "pull") != "granted":
            return False
        return await self._disk.run(self._store.mount, call.place.repository, source, digest)

    def _upload(self, call: RegistryCall) -> Upload:
        return self._store.upload(call.place.repository, call.place.target)

    async def _receive(self, call: RegistryCall, upload: Upload, *, publish_as: str | None) -> None:
        """Write a request's body to an upload; publish it in the end, if so asked.

        Of a body that breaks off, what came is kept: the client asks how far it came and goes on.
        """
        at, expected = _announced(call, self._store.limits.blob_bytes, upload)
        try:
            writer = await self._disk.run(upload.begin, at=at, expected=expected)
        except UploadOutOfOrder as error:
            error.headers = _progress(upload)
            raise
        try:
            await self._write_body(call, writer)
            await self._disk.run(writer.complete)
            if publish_as is not None:
                await self._disk.run(self._store.publish, writer, publish_as)
        finally:
            self._disk.start(upload.end, writer)

    async def _write_body(self, call: RegistryCall, writer: Writer) -> None:
        """Write batches in a thread while the next one comes; two of them are in memory at most."""
        batch: list[bytes] = []
        size = 0
        writing: asyncio.Future[None] | None = None
        broken: ClientGone | UploadStalled | None = None
        while True:
            try:
                piece = await call.piece()
            except (ClientGone, UploadStalled) as error:
                broken = error
                break
            if piece is None:
                break
            batch.append(piece)
            size += len(piece)
            if size >= _BATCH:
                if writing is not None:
                    await writing
                writing = self._disk.start(self._store.write, writer, batch)
                batch, size = [], 0
        if writing is not None:
            await writing
        if batch:
            await self._disk.run(self._store.write, writer, batch)
        if broken is not None:
            raise broken


def _announced(call: RegistryCall, most: int, upload: Upload) -> tuple[int | None, int | None]:
    """Return where the bytes of a request belong, and how many there are, as far as the request says it."""
    length = call.length
    header = call.header(b"content-range")
    if length is not None and upload.offset + length > most:
        raise _too_large(call, most)
    if not header:
        return None, length
    match = _CONTENT_RANGE.fullmatch(header)
    if match is None or int(match[2]) < int(match[1]):
        raise UploadInvalid(f"'{header[:60]}' is no Content-Range", hint="Send 'first-last', both in bytes.")
    start, size = int(match[1]), int(match[2]) - int(match[1]) + 1
    if length is not None and length != size:
        raise SizeInvalid(f"the Content-Range '{header[:60]}' has {size} bytes, and the body {length}")
    return start, size


def _too_large(call: RegistryCall, most: int) -> ContentTooLarge:
    return ContentTooLarge(f"a blob may have {most} bytes, and this would have more ({call.length} come)")


def _progress(upload: Upload) -> list[Header]:
    """Return where an upload goes on. ``0-0`` stands for nothing, as engines expect it."""
    location = f"/v2/{upload.repository}/blobs/uploads/{upload.id}"
    return [
        (b"location", location.encode()),
        (b"range", b"0-%d" % max(0, upload.offset - 1)),
        (b"docker-upload-uuid", upload.id.encode()),
    ]


def _created(repository: str, digest: str) -> Reply:
    location = f"/v2/{repository}/blobs/{digest}"
    return Reply(status=201, headers=[(b"location", location.encode()), (b"docker-content-digest", digest.encode())])
