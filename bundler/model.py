"""Values that the stages of a build pass on: from files and a lock to layers, and from layers to an image."""

from __future__ import annotations

import hashlib
from contextlib import contextmanager
from dataclasses import dataclass, field
from io import BytesIO
from pathlib import Path
from typing import TYPE_CHECKING, BinaryIO, Literal, Protocol

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator

Digest = str
"""``sha256:`` and 64 small hexadecimal digits."""

Architecture = Literal["amd64", "arm64"]


def digest_of(content: bytes) -> Digest:
    """Return the digest of bytes."""
    return f"sha256:{hashlib.sha256(content).hexdigest()}"


@dataclass(frozen=True, slots=True, kw_only=True)
class Platform:
    """What an image runs on.

    Attributes:
        architecture: as in OCI: ``amd64``, ``arm64``.
        os: ``linux``.
        variant: of the architecture, ``v8``; empty for none.
    """

    architecture: Architecture
    os: str = "linux"
    variant: str = ""

    def __str__(self) -> str:
        return "/".join(part for part in (self.os, self.architecture, self.variant) if part)


@dataclass(frozen=True, slots=True, kw_only=True)
class Target:
    """What wheels are chosen for.

    Attributes:
        python: version of the image's Python, ``(3, 11)``.
        platform: what the image runs on.
        glibc: version of the image's C library.
    """

    python: tuple[int, int]
    platform: Platform
    glibc: tuple[int, int] = (2, 36)


@dataclass(frozen=True, slots=True, kw_only=True)
class Blob:
    """Bytes with a digest, which can be read again and again: an upload that breaks off is begun anew.

    Attributes:
        digest: of the bytes.
        size: in bytes.
        media_type: what they are.
        open: returns a new stream of them, which the caller closes.
    """

    digest: Digest
    size: int
    media_type: str
    open: Callable[[], BinaryIO] = field(repr=False, compare=False)

    @classmethod
    def of(cls, content: bytes, media_type: str) -> Blob:
        """Return a blob of bytes in memory."""
        return cls(digest=digest_of(content), size=len(content), media_type=media_type, open=lambda: BytesIO(content))

    @classmethod
    def at(cls, path: Path, digest: Digest, media_type: str) -> Blob:
        """Return a blob of a file, whose digest is known."""
        return cls(digest=digest, size=path.stat().st_size, media_type=media_type, open=lambda: path.open("rb"))


@dataclass(frozen=True, slots=True, kw_only=True)
class Layer:
    """A layer of an image.

    Attributes:
        blob: its compressed bytes.
        diff_id: digest of the tar inside.
        name: what is in it, for people: ``wheel numpy 2.1.0``, ``project``.
        reason: why it was made anew; empty when it was there already.
    """

    blob: Blob
    diff_id: Digest
    name: str
    reason: str = ""


@dataclass(frozen=True, slots=True, kw_only=True)
class Wheel:
    """A wheel in the store, whose bytes have been checked.

    Attributes:
        name: normalised name of the distribution, ``ruamel-yaml``.
        version: its version.
        filename: ``numpy-2.1.0-cp311-cp311-manylinux_2_17_x86_64.whl``.
        sha256: of the file, 64 hexadecimal digits.
        path: the file in the store.
    """

    name: str
    version: str
    filename: str
    sha256: str
    path: Path


@dataclass(frozen=True, slots=True, kw_only=True, order=True)
class ProjectFile:
    """A file of the project that goes into the image.

    Attributes:
        place: its path in the project, with slashes.
        source: where it is now.
        size: in bytes.
        is_executable: whether its owner may execute it.
    """

    place: str
    source: Path
    size: int
    is_executable: bool = False


class Progress(Protocol):
    """Hears how far something is that may take a while."""

    def start(self, name: str, total: int | None = None) -> None:
        """Something begins; ``total`` in bytes when it is known."""

    def advance(self, name: str, amount: int) -> None:
        """So many bytes more are done."""

    def finish(self, name: str) -> None:
        """It has ended."""


@contextmanager
def telling(progress: Progress, name: str) -> Iterator[None]:
    """Tell that something of no known size is under way while the block runs."""
    progress.start(name)
    try:
        yield
    finally:
        progress.finish(name)


class Silent:
    """Tells nobody."""

    def start(self, name: str, total: int | None = None) -> None:
        """Tell nobody."""

    def advance(self, name: str, amount: int) -> None:
        """Tell nobody."""

    def finish(self, name: str) -> None:
        """Tell nobody."""
