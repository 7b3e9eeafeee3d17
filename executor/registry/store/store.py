"""The store: content by its digest, in a folder, for many repositories.

Everything that counts is published by moving a whole file to its place (:mod:`executor.registry.store.durable`), in
an order in which a crash leaves at most bytes that nobody refers to: content, then what says that a repository has it,
then tags; and the other way round when things go. One lock orders all that changes what counts.
"""

from __future__ import annotations

import contextlib
import os
import secrets
import threading
import time
from collections.abc import Callable, Collection, Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Self

from executor.registry.errors import (
    BlobUnknown,
    ContentTooLarge,
    DigestInvalid,
    DiskFull,
    ManifestIncomplete,
    ManifestUnknown,
    QuotaExceeded,
    StillReferred,
    StoreFailed,
    UploadsTooMany,
    UploadUnknown,
)
from executor.registry.store import durable
from executor.registry.store.index import Index, Removed
from executor.registry.store.layout import Layout
from executor.registry.store.limits import Limits
from executor.registry.store.loading import load
from executor.registry.store.manifests import Manifest, Part, read_manifest
from executor.registry.store.room import Room
from executor.registry.store.uploads import Upload, Writer

_SHOWN = 10


@dataclass(frozen=True, slots=True, kw_only=True)
class Collected:
    """What a collection removed: numbers, of what repositories had; and the bytes of the disk that came free."""

    blobs: int = 0
    manifests: int = 0
    bytes: int = 0


class ImageStore:
    """The images of one folder. Methods block on the disk, and may be called from any thread.

    Args:
        layout: the folder, which is this process's.
        lock: what holds it.
        limits: how much is kept.
        clock: monotonic seconds.
        new_id: makes ids of uploads: letters, digits, ``-`` and ``_``, which nobody can guess.
    """

    def __init__(
        self, layout: Layout, lock: int, *, limits: Limits, clock: Callable[[], float], new_id: Callable[[], str]
    ) -> None:
        self.index = Index(environment_of=limits.environment_of, clock=clock)
        self.limits = limits
        self._layout = layout
        self._lock = lock
        self._clock = clock
        self._new_id = new_id
        self._uploads: dict[str, Upload] = {}
        self._room = Room(layout.root, limits=limits, index=self.index, uploads=lambda: list(self._uploads.values()))
        self._changing = threading.Lock()

    @classmethod
    def open(
        cls, folder: Path, *, limits: Limits, clock: Callable[[], float] = time.monotonic,
        new_id: Callable[[], str] = lambda: secrets.token_urlsafe(24),
    ) -> Self:  # fmt: skip
        """Open a folder, or make it.

        Raises:
            RegistryInUse: another process keeps it.
            RegistryUnreadable: it is none of a registry.
        """
        layout = Layout(root=folder)
        store = cls(layout, layout.prepare(), limits=limits, clock=clock, new_id=new_id)
        try:
            load(layout, store.index)
            for repository, id in layout.uploads():
                store._uploads[id] = store._opened(id, repository, "sha256")
        except BaseException:
            store.close()
            raise
        return store

    def close(self) -> None:
        """Let go of the folder; nothing may be asked any more."""
        with self._changing:
            os.close(self._lock)

    # --- uploads ---

    def begin_upload(self, repository: str, algorithm: str = "sha256") -> Upload:
        """Begin an upload; UploadsTooMany, DiskFull or QuotaExceeded when that may not be."""
        self._room.check(repository)
        environment = self.limits.environment_of(repository)
        uploads = list(self._uploads.values())
        if sum(self.limits.environment_of(each.repository) == environment for each in uploads) >= self.limits.uploads:
            raise UploadsTooMany(f"environment '{environment}' has {self.limits.uploads} open uploads")
        with _refusing():
            id = self._new_id()
            path = self._layout.upload(repository, id)
            durable.make_folder(path.parent)
            path.touch(mode=0o600, exist_ok=False)
            upload = self._opened(id, repository, algorithm)
            self._uploads[id] = upload
            return upload

    def upload(self, repository: str, id: str) -> Upload:
        """Return an open upload; UploadUnknown when there is none in the repository."""
        upload = self._uploads.get(id)
        if upload is None or upload.repository != repository:
            raise UploadUnknown("there is no such upload in this repository")
        return upload

    def write(self, writer: Writer, pieces: Sequence[bytes]) -> None:
        """Write bytes of an upload; one that finds no room is over, so that it takes none either."""
        try:
            with _refusing():
                writer.write(pieces)
        except (DiskFull, QuotaExceeded, ContentTooLarge):
            self.cancel_upload(writer.upload)
            raise

    def cancel_upload(self, upload: Upload) -> None:
        """Give an upload up."""
        upload.discard()
        self._uploads.pop(upload.id, None)

    def expire_uploads(self) -> int:
        """Give up the uploads that nobody has gone on with; returns how many."""
        since = self._clock() - self.limits.upload_ttl_s
        expired = [each for each in list(self._uploads.values()) if each.seen < since and not each.is_written]
        for upload in expired:
            self.cancel_upload(upload)
        return len(expired)

    def publish(self, writer: Writer, digest: str) -> None:
        """Make the bytes of an upload a blob of its repository, and end the upload.

        Raises:
            DigestInvalid: they are not those of the digest; the upload is over.
            DiskFull, StoreFailed: the disk refuses; the upload is over.
            UploadSuperseded: another request goes on with it.
        """
        upload = writer.upload
        try:
            with _refusing():
                upload.finish(writer, digest)
        except (DigestInvalid, DiskFull, StoreFailed):
            self.cancel_upload(upload)
            raise
        try:
            with _refusing(), self._changing:
                self._keep(upload.path, digest, upload.offset)
                self._link_blob(upload.repository, digest, upload.offset)
        finally:
            self.cancel_upload(upload)

    # --- blobs ---

    def mount(self, repository: str, source: str, digest: str) -> bool:
        """Make a blob of one repository one of another; False when the first has none such."""
        with _refusing(), self._changing:
            size = self.index.blob(source, digest)
            if size is None:
                return False
            if self.index.blob(repository, digest) is None:
                with self._room.promised(repository, size):
                    self._link_blob(repository, digest, size)
            return True

    def open_blob(self, repository: str, digest: str) -> tuple[int, int]:
        """Return a descriptor to read a blob by, which stays good when it is deleted, and its size."""
        size = self.index.blob(repository, digest)
        if size is not None:
            with _refusing(), contextlib.suppress(FileNotFoundError):
                return os.open(self._layout.content(digest), os.O_RDONLY), size
        raise BlobUnknown(f"repository '{repository}' has no blob {digest}")

    def delete_blob(self, repository: str, digest: str) -> None:
        """Take a blob out of a repository; StillReferred when a manifest needs it."""
        with _refusing(), self._changing:
            if self.index.blob(repository, digest) is None:
                raise BlobUnknown(f"repository '{repository}' has no blob {digest}")
            if parents := self.index.parents(repository, digest):
                raise StillReferred(f"{digest} is part of manifest {parents[0]}")
            self._sweep(repository, self.index.remove(repository, blobs=[digest]))

    # --- manifests ---

    def put_manifest(
        self, repository: str, content: bytes, *, media_type: str, digest: str, tags: Sequence[str]
    ) -> Manifest:
        """Keep a manifest, byte for byte, and let tags stand for it.

        Raises:
            ManifestInvalid: see :func:`executor.registry.store.manifests.read_manifest`.
            ManifestIncomplete: the repository lacks something that it refers to, or has it in another size.
            QuotaExceeded, DiskFull, StoreFailed: there is no room.
        """
        manifest = read_manifest(content, media_type, digest)
        with _refusing(), self._changing:
            self._check_parts(repository, manifest)
            known = self.index.manifest(repository, digest)
            if known != manifest:
                # One that is there as another media type takes no more room than it has.
                room = self._room.promised(repository, len(content)) if known is None else contextlib.nullcontext()
                with room:
                    self._keep_manifest(repository, manifest, content)
            for tag in tags:
                durable.write(self._layout.tag(repository, tag), digest.encode(), by_way_of=self._layout.passing)
                self.index.add_tag(repository, tag, digest)
        return manifest

    def manifest_content(self, repository: str, reference: str) -> tuple[Manifest, bytes]:
        """Return a manifest by tag or digest, and its bytes; ManifestUnknown when there is none."""
        manifest = self.index.manifest(repository, reference)
        if manifest is not None:
            with _refusing(), contextlib.suppress(FileNotFoundError):
                return manifest, self._layout.content(manifest.digest).read_bytes()
        raise ManifestUnknown(f"repository '{repository}' has no manifest '{reference[:150]}'")

    def delete_manifest(self, repository: str, digest: str, in_use: Collection[str]) -> None:
        """Take a manifest and its tags out of a repository; StillReferred when an index or a deployment needs it."""
        with _refusing(), self._changing:
            if self.index.manifest(repository, digest) is None:
                raise ManifestUnknown(f"repository '{repository}' has no manifest {digest}")
            if parents := self.index.parents(repository, digest):
                raise StillReferred(f"{digest} is part of index {parents[0]}")
            if digest in in_use:
                raise StillReferred(f"{digest} is the image of a deployment")
            self._sweep(repository, self.index.remove(repository, manifests=[digest]))

    def delete_tag(self, repository: str, tag: str) -> None:
        """Let a tag stand for nothing any more; ManifestUnknown when it does not stand for anything."""
        with _refusing(), self._changing:
            if not self.index.remove_tag(repository, tag):
                raise ManifestUnknown(f"repository '{repository}' has no manifest '{tag}'")
            durable.remove([self._layout.tag(repository, tag)])

    # --- garbage ---

    def collect(self, in_use: Collection[str], *, grace_s: float | None = None) -> Collected:
        """Remove what nothing needs: no tag, no manifest in use, no list of what tells about those.

        Pushes may go on meanwhile: what came, or was said to be there, within the grace is kept.

        Args:
            in_use: digests of manifests that are needed though no tag may stand for them: those of deployments.
            grace_s: seconds; the limits' if not given.
        """
        grace_s = self.limits.grace_s if grace_s is None else grace_s
        blobs = manifests = freed = 0
        for name in self.index.names():
            with _refusing(), self._changing:
                removed = self.index.remove_unneeded(name, in_use, grace_s=grace_s)
                freed += self._sweep(name, removed)
            blobs += len(removed.blobs)
            manifests += len(removed.manifests)
        return Collected(blobs=blobs, manifests=manifests, bytes=freed + self._remove_orphans())

    def _remove_orphans(self) -> int:
        """Remove content that a crash left without anything that refers to it."""
        freed = 0
        for digest, path in self._layout.contents():
            if not self.index.is_held(digest):
                with _refusing(), self._changing:
                    freed += self._remove_content([digest]) if path.exists() else 0
        return freed

    def _sweep(self, repository: str, removed: Removed) -> int:
        """Remove from the disk what the index has no more: tags first, content last. Returns bytes that came free."""
        durable.remove([self._layout.tag(repository, tag) for tag in removed.tags])
        durable.remove([self._layout.manifest(repository, digest) for digest in removed.manifests])
        durable.remove([self._layout.blob(repository, digest) for digest in removed.blobs])
        return self._remove_content([*removed.manifests, *removed.blobs])

    def _remove_content(self, digests: Sequence[str]) -> int:
        paths = [self._layout.content(digest) for digest in digests if not self.index.is_held(digest)]
        freed = sum(path.stat().st_size for path in paths if path.exists())
        durable.remove(paths)
        return freed

    # --- parts ---

    def _opened(self, id: str, repository: str, algorithm: str) -> Upload:
        return Upload(
            id=id, repository=repository, path=self._layout.upload(repository, id), algorithm=algorithm,
            clock=self._clock, admit=self._room.admit,
        )  # fmt: skip

    def _keep(self, path: Path, digest: str, size: int) -> None:
        """Move bytes that are on the disk to the place of their digest, unless they are there."""
        place = self._layout.content(digest)
        if not (place.exists() and place.stat().st_size == size):
            durable.move(path, place)

    def _link_blob(self, repository: str, digest: str, size: int) -> None:
        place = self._layout.blob(repository, digest)
        if not place.exists():
            durable.write(place, str(size).encode(), by_way_of=self._layout.passing)
        self.index.add_blob(repository, digest, size)

    def _keep_manifest(self, repository: str, manifest: Manifest, content: bytes) -> None:
        if not self.index.is_held(manifest.digest):
            durable.write(self._layout.content(manifest.digest), content, by_way_of=self._layout.passing)
        place = self._layout.manifest(repository, manifest.digest)
        durable.write(place, manifest.media_type.encode(), by_way_of=self._layout.passing)
        self.index.add_manifest(repository, manifest)

    def _check_parts(self, repository: str, manifest: Manifest) -> None:
        def size_of(part: Part, *, is_blob: bool) -> int | None:
            if is_blob:
                return self.index.blob(repository, part.digest)
            child = self.index.manifest(repository, part.digest)
            return child.size if child is not None else None

        sizes = [(part, size_of(part, is_blob=True)) for part in manifest.blobs]
        sizes += [(part, size_of(part, is_blob=False)) for part in manifest.manifests]
        if missing := [part.digest for part, size in sizes if size is None]:
            raise ManifestIncomplete(
                f"repository '{repository}' has no {missing[0]}, to which the manifest refers",
                detail="\n".join(missing[:_SHOWN]),
            )
        for part, size in sizes:
            if size != part.size:
                raise ManifestIncomplete(f"the manifest gives {part.digest} {part.size} bytes, and it has {size}")


@contextlib.contextmanager
def _refusing() -> Iterator[None]:
    """Turn what the disk refuses into what the registry refuses."""
    try:
        yield
    except OSError as error:
        if durable.is_full(error):
            raise DiskFull("the disk has no room for this") from error
        raise StoreFailed(f"the disk refuses: {error.strerror}") from error
