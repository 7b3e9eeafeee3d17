"""Where everything is in a registry's folder.

::

    version                                        1
    lock                                           held while a process keeps the registry
    content/sha256/ab/<hex>                        bytes, once for all repositories
    repositories/<prod+app>/blobs/sha256-<hex>     the size of a blob that the repository has
    repositories/<prod+app>/manifests/sha256-<hex> the media type of a manifest that the repository has
    repositories/<prod+app>/tags/<tag>             the digest of a manifest
    uploads/<prod+app>/<id>                        bytes that have come so far
    passing/                                       small files on their way; emptied at each start

Slashes in names are ``+`` here, which no name has: a repository is one folder, and none lies in another. What a name
may be (:mod:`executor.registry.names`) keeps everything inside the folder.
"""

from __future__ import annotations

import contextlib
import fcntl
import os
import shutil
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Final

from executor.registry.errors import RegistryInUse, RegistryUnreadable
from executor.registry.names import is_digest, is_repository, is_tag
from executor.registry.store import durable

_VERSION: Final = "1"


@dataclass(frozen=True, slots=True, kw_only=True)
class Layout:
    """The places in one folder, of which ``root`` is the address."""

    root: Path

    @property
    def passing(self) -> Path:
        """Where small files are until they are whole."""
        return self.root / "passing"

    def content(self, digest: str) -> Path:
        """Return where the bytes of a digest are."""
        algorithm, _, encoded = digest.partition(":")
        return self.root / "content" / algorithm / encoded[:2] / encoded

    def repository(self, name: str) -> Path:
        """Return the folder of a repository."""
        return self.root / "repositories" / name.replace("/", "+")

    def blob(self, name: str, digest: str) -> Path:
        """Return what says that a repository has a blob, and its size."""
        return self.repository(name) / "blobs" / digest.replace(":", "-")

    def manifest(self, name: str, digest: str) -> Path:
        """Return what says that a repository has a manifest, and what its media type is."""
        return self.repository(name) / "manifests" / digest.replace(":", "-")

    def tag(self, name: str, tag: str) -> Path:
        """Return what says which manifest a tag stands for."""
        return self.repository(name) / "tags" / tag

    def upload(self, name: str, id: str) -> Path:
        """Return where the bytes of an upload are."""
        return self.root / "uploads" / name.replace("/", "+") / id

    def prepare(self) -> int:
        """Make the folder, or see that it is a registry's; return a descriptor that holds it for this process.

        Raises:
            RegistryInUse: another process holds it.
            RegistryUnreadable: it is something else, or of a newer release.
        """
        durable.make_folder(self.root)
        lock = os.open(self.root / "lock", os.O_RDWR | os.O_CREAT | os.O_CLOEXEC, 0o600)
        try:
            fcntl.flock(lock, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except BlockingIOError:
            os.close(lock)
            raise RegistryInUse(f"another process keeps its images in {self.root}") from None
        try:
            self._check_version()
            shutil.rmtree(self.passing, ignore_errors=True)
            for name in ("passing", "content", "repositories", "uploads"):
                durable.make_folder(self.root / name)
            durable.write(self.root / "version", _VERSION.encode(), by_way_of=self.passing)
        except BaseException:
            os.close(lock)
            raise
        return lock

    def repositories(self) -> Iterator[str]:
        """Yield the names of all repositories; folders that are none are passed over."""
        for name in _entries(self.root / "repositories"):
            if is_repository(name.replace("+", "/")):
                yield name.replace("+", "/")

    def blobs(self, name: str) -> Iterator[str]:
        """Yield the digests of a repository's blobs."""
        return _digests(self.repository(name) / "blobs")

    def manifests(self, name: str) -> Iterator[str]:
        """Yield the digests of a repository's manifests."""
        return _digests(self.repository(name) / "manifests")

    def tags(self, name: str) -> Iterator[str]:
        """Yield a repository's tags."""
        return (entry for entry in _entries(self.repository(name) / "tags") if is_tag(entry))

    def uploads(self) -> Iterator[tuple[str, str]]:
        """Yield the repository and the id of each upload."""
        for folder in _entries(self.root / "uploads"):
            for id in _entries(self.root / "uploads" / folder):
                yield folder.replace("+", "/"), id

    def contents(self) -> Iterator[tuple[str, Path]]:
        """Yield the digest and the place of everything that has been published."""
        for algorithm in _entries(self.root / "content"):
            for part in _entries(self.root / "content" / algorithm):
                folder = self.root / "content" / algorithm / part
                for encoded in _entries(folder):
                    if is_digest(f"{algorithm}:{encoded}"):
                        yield f"{algorithm}:{encoded}", folder / encoded

    def _check_version(self) -> None:
        path = self.root / "version"
        if path.exists():
            version = path.read_text().strip()
            if version != _VERSION:
                raise RegistryUnreadable(
                    f"{self.root} has images in a form '{version[:20]}', and '{_VERSION}' is known here",
                    hint="Start the release that wrote it, or a newer one.",
                )
        elif foreign := sorted(set(_entries(self.root)) - {"lock", "passing", "content", "repositories", "uploads"}):
            raise RegistryUnreadable(
                f"{self.root} is no registry's folder: it has '{foreign[0]}'", hint="Name a folder that is empty."
            )


def _entries(folder: Path) -> list[str]:
    with contextlib.suppress(FileNotFoundError, NotADirectoryError):
        return os.listdir(folder)  # noqa: PTH208 - names are wanted, of which there may be many
    return []


def _digests(folder: Path) -> Iterator[str]:
    for entry in _entries(folder):
        digest = entry.replace("-", ":", 1)
        if is_digest(digest):
            yield digest
