"""Wheels that were fetched or built before, found by the hash of their bytes."""

from __future__ import annotations

from collections.abc import Iterable
from pathlib import Path
from typing import Final

from bundler.cache import Cache, Writer
from bundler.errors import DigestMismatch
from bundler.locks.model import Distribution, LockedFile
from bundler.model import Wheel

_KIND: Final = "wheel"
_BUILT: Final = "built-wheel"


class WheelStore:
    """Wheels in a build cache, each under its sha256: what is in it has been checked.

    Args:
        cache: where they are kept.
    """

    def __init__(self, cache: Cache) -> None:
        self._cache = cache

    def find(self, distribution: Distribution, file: LockedFile) -> Wheel | None:
        """Return a wheel that is here already and whole; None when it must be fetched."""
        for sha256 in sorted(file.sha256s):
            entry = self._cache.find(_KIND, sha256)
            if entry is not None and entry.digest == f"sha256:{sha256}":
                return _wheel(distribution, file.filename, sha256, entry.path)
        return None

    def writer(self) -> Writer:
        """Return what takes the bytes of a wheel; :meth:`keep` them, or they are gone at its end."""
        return self._cache.writer()

    def keep(self, writer: Writer, found: str, distribution: Distribution, file: LockedFile) -> Wheel:
        """Keep the bytes that were written, which are those that the lock says.

        Args:
            writer: what took them.
            found: their sha256.
            distribution: whose wheel it is.
            file: what the lock says of it.

        Raises:
            DigestMismatch: they are others.
        """
        check(file, found, writer.size)
        entry = writer.commit(_KIND, found, {"filename": file.filename})
        if entry.digest != f"sha256:{found}":
            raise DigestMismatch(f"'{file.filename}' was kept with other bytes than were checked")
        return _wheel(distribution, file.filename, found, entry.path)

    def find_built(self, distribution: Distribution, key: str) -> Wheel | None:
        """Return the wheel that was built under a key before; None when it must be built."""
        entry = self._cache.find(_BUILT, key)
        filename = entry.facts.get("filename") if entry is not None else None
        if entry is None or not isinstance(filename, str):
            return None
        return _wheel(distribution, filename, entry.digest.removeprefix("sha256:"), entry.path)

    def keep_built(self, distribution: Distribution, path: Path, key: str) -> Wheel:
        """Keep a wheel that was built, under a key that says of what and for what."""
        with self._cache.writer() as writer, path.open("rb") as stream:
            while chunk := stream.read(1 << 20):
                writer.write(chunk)
            entry = writer.commit(_BUILT, key, {"filename": path.name})
        return _wheel(distribution, path.name, entry.digest.removeprefix("sha256:"), entry.path)


def check(file: LockedFile, found: str, size: int) -> None:
    """Compare what came with what the lock says.

    Raises:
        DigestMismatch: it is something else.
    """
    if file.size is not None and size != file.size:
        raise DigestMismatch(f"'{file.filename}' has {size} bytes, and {file.size} in the lock")
    if file.sha256s and found not in file.sha256s:
        raise DigestMismatch(
            f"'{file.filename}' is not what the lock says: its sha256 is {found}", detail=_expected(file.sha256s)
        )


def _expected(sha256s: Iterable[str]) -> str:
    return "\n".join(f"expected sha256: {one}" for one in sorted(sha256s))


def _wheel(distribution: Distribution, filename: str, sha256: str, path: Path) -> Wheel:
    version = distribution.version or filename.split("-")[1]
    return Wheel(name=distribution.name, version=version, filename=filename, sha256=sha256, path=path)
