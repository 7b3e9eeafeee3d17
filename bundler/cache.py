"""A folder of what earlier builds made: contents by their digest, found by a key.

::

    FOLDER/v1/blobs/ab/cdef…        a content, named by its sha256
    FOLDER/v1/entries/KIND/ab/cd…   what a key gave: a checksum, and a JSON object with the content's digest and facts
    FOLDER/v1/partial/…             contents that are being written

Both kinds of file appear under their names whole or not at all, so several processes may work in one folder, and a
process may be killed at any point. A content that changed since it was checked (by its size, times and inode, or
because the machine started anew, when a write may have been lost) is read again before it is used; one that is not
what its name says is removed, and its key gives nothing.
"""

from __future__ import annotations

import contextlib
import errno
import hashlib
import json
import os
import tempfile
import time
from dataclasses import dataclass, field
from functools import cache
from pathlib import Path
from typing import TYPE_CHECKING, Any, BinaryIO, Final, Self

from bundler.errors import CacheFull, CacheUnusable, DigestMismatch
from bundler.model import Blob, Digest

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping
    from types import TracebackType

_VERSION: Final = "v1"
_CHUNK: Final = 1 << 20
_FULL: Final = frozenset((errno.ENOSPC, errno.EDQUOT))
_IN_USE_SECONDS: Final = 3600.0
"""What was used or written within that time may be in use by another process: pruning leaves it alone."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Entry:
    """What a key gave.

    Attributes:
        digest: of the content.
        size: of the content in bytes.
        path: the file that holds it.
        facts: what was kept with it, a JSON object.
    """

    digest: Digest
    size: int
    path: Path
    facts: Mapping[str, Any] = field(default_factory=dict)

    def blob(self, media_type: str) -> Blob:
        """Return the content as a blob; it is read once to check it when it is first opened."""
        return Blob(digest=self.digest, size=self.size, media_type=media_type, open=_Checked(self.path, self.digest))


class Cache:
    """A folder of contents and of what keys gave; made when it is first needed.

    Args:
        folder: where it is.
    """

    def __init__(self, folder: Path) -> None:
        self.folder = folder / _VERSION

    def find(self, kind: str, key: str) -> Entry | None:
        """Return what a key gave, None when nothing is there that can be trusted.

        Args:
            kind: what sort of thing it is, a word.
            key: what it depends on; any text.
        """
        place = self._place(kind, key)
        record = _read_record(place)
        if record is None:
            return None
        digest, size, facts = record.get("digest"), record.get("size"), record.get("facts")
        if not (isinstance(digest, str) and isinstance(size, int) and isinstance(facts, dict)):
            return None
        path = self.path_of(digest)
        signature = _signature(path)
        if signature is None or signature[0] != size:
            _remove(place, path)
            return None
        if [*signature, _boot()] != record.get("checked"):
            if _digest_of_file(path) != digest:
                _remove(place, path)
                return None
            with contextlib.suppress(CacheUnusable, CacheFull):
                self._write_record(place, {**record, "checked": [*signature, _boot()]})
        else:
            _touch(place)
        return Entry(digest=digest, size=size, path=path, facts=facts)

    def put(self, kind: str, key: str, content: bytes, facts: Mapping[str, Any] | None = None) -> Entry:
        """Keep a content under a key."""
        with self.writer() as writer:
            writer.write(content)
            return writer.commit(kind, key, facts or {})

    def recall(self, kind: str, key: str) -> Mapping[str, Any] | None:
        """Return the facts that :meth:`remember` kept, None when there are none that can be read."""
        place = self._place(kind, key)
        record = _read_record(place)
        facts = record.get("facts") if record is not None else None
        if not isinstance(facts, dict):
            return None
        _touch(place)
        return facts

    def remember(self, kind: str, key: str, facts: Mapping[str, Any]) -> None:
        """Keep facts without a content under a key; where nothing can be written, they are found out again."""
        with contextlib.suppress(CacheUnusable, CacheFull):
            self._write_record(self._place(kind, key), {"facts": facts})

    def writer(self) -> Writer:
        """Return what writes a content piece by piece; a context manager, at whose end nothing uncommitted is left."""
        return Writer(self)

    def path_of(self, digest: Digest) -> Path:
        """Return where the content of a digest is, or would be."""
        name = digest.removeprefix("sha256:")
        return self.folder / "blobs" / name[:2] / name[2:]

    def prune(self, most_bytes: int) -> int:
        """Remove what has not been used for longest until the rest is small enough.

        What has been used within the last hour stays, whatever its size.

        Returns:
            How many bytes were removed.
        """
        before = time.time() - _IN_USE_SECONDS
        for path in self.folder.glob("partial/*"):
            if _modified(path) < before:
                _remove(path)  # left by a process that was killed
        used, entries = self._uses()
        blobs = {path: stat for path in self.folder.glob("blobs/??/*") if (stat := _stat(path)) is not None}
        total = sum(stat.st_size for stat in blobs.values())
        removed = 0
        for path, stat in sorted(blobs.items(), key=lambda item: (used.get(item[0], 0.0), item[0])):
            last = max(used.get(path, 0.0), stat.st_mtime)
            if last >= before or (total - removed <= most_bytes and path in used):
                continue
            _remove(path, *entries.get(path, ()))
            removed += stat.st_size
        return removed

    def tidy(self, most_bytes: int) -> int:
        """As :meth:`prune`, unless that was done within the hour: it looks at everything that is there."""
        mark = self.folder / "tidied"
        if abs(time.time() - _modified(mark)) < _IN_USE_SECONDS:
            return 0
        with contextlib.suppress(OSError):
            mark.touch()
        return self.prune(most_bytes)

    def _uses(self) -> tuple[dict[Path, float], dict[Path, list[Path]]]:
        """Return when each content was last used, and the entries that name it; old facts are removed on the way."""
        used: dict[Path, float] = {}
        entries: dict[Path, list[Path]] = {}
        long_ago = time.time() - 720 * _IN_USE_SECONDS
        for place in self.folder.glob("entries/*/??/*"):
            record = _read_record(place)
            digest = record.get("digest") if record is not None else None
            if isinstance(digest, str):
                path = self.path_of(digest)
                used[path] = max(used.get(path, 0.0), _modified(place))
                entries.setdefault(path, []).append(place)
            elif record is None or _modified(place) < long_ago:
                _remove(place)
        return used, entries

    def _place(self, kind: str, key: str) -> Path:
        name = hashlib.blake2b(key.encode(), digest_size=20).hexdigest()
        return self.folder / "entries" / kind / name[:2] / name[2:]

    def _write_record(self, place: Path, record: Mapping[str, Any]) -> None:
        body = json.dumps(record, separators=(",", ":"), sort_keys=True).encode()
        with _reported(self.folder):
            file, name = self._partial()
            try:
                with os.fdopen(file, "wb") as out:
                    out.write(_checksum(body) + b"\n" + body)
                _rename(Path(name), place)
            except BaseException:
                _remove(Path(name))
                raise

    def _partial(self) -> tuple[int, str]:
        folder = self.folder / "partial"
        try:
            return tempfile.mkstemp(dir=folder)
        except FileNotFoundError:
            folder.mkdir(parents=True, exist_ok=True)
            return tempfile.mkstemp(dir=folder)


class Writer:
    """Writes one content of a cache; see :meth:`Cache.writer`."""

    def __init__(self, owner: Cache) -> None:
        self._cache = owner
        self._hash = hashlib.sha256()
        self.size = 0
        with _reported(owner.folder):
            file, name = owner._partial()  # noqa: SLF001 - the writer is a part of the cache
            self._file: BinaryIO = os.fdopen(file, "wb")
        self._path: Path | None = Path(name)

    def __enter__(self) -> Self:
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, traceback: TracebackType | None
    ) -> None:
        with contextlib.suppress(OSError):
            self._file.close()
        if self._path is not None:
            _remove(self._path)

    def write(self, content: bytes) -> None:
        """Append to the content."""
        self._hash.update(content)
        self.size += len(content)
        try:
            self._file.write(content)
        except OSError as error:
            raise _problem(error, self._cache.folder) from error

    def commit(self, kind: str, key: str, facts: Mapping[str, Any]) -> Entry:
        """Keep what was written under a key."""
        digest = f"sha256:{self._hash.hexdigest()}"
        path = self._cache.path_of(digest)
        assert self._path is not None, "a writer commits once"  # noqa: S101 - a mistake of ours
        with _reported(self._cache.folder):
            self._file.close()
            signature = _signature(path)
            if signature is None or signature[0] != self.size or _digest_of_file(path) != digest:
                _rename(self._path, path)
                signature = _signature(path)
            else:
                _remove(self._path)
            self._path = None
        record = {"digest": digest, "size": self.size, "facts": facts, "checked": [*(signature or ()), _boot()]}
        self._cache._write_record(self._cache._place(kind, key), record)  # noqa: SLF001 - as above
        return Entry(digest=digest, size=self.size, path=path, facts=facts)


class _Checked:
    """Opens a content, after reading it once to see that it is what its digest says."""

    def __init__(self, path: Path, digest: Digest) -> None:
        self._path = path
        self._digest = digest
        self._is_checked = False

    def __call__(self) -> BinaryIO:
        if not self._is_checked and _digest_of_file(self._path) != self._digest:
            _remove(self._path)
            raise DigestMismatch(
                f"the kept content {self._digest[:19]}… is damaged; it has been removed",
                hint="Build again: it is made anew.",
                where=str(self._path),
            )
        self._is_checked = True
        try:
            return self._path.open("rb")
        except OSError as error:
            raise _problem(error, self._path.parent) from error


def _read_record(place: Path) -> dict[str, Any] | None:
    try:
        checksum, _, body = place.read_bytes().partition(b"\n")
    except OSError:
        return None
    if checksum != _checksum(body):
        return None
    record = json.loads(body)
    return record if isinstance(record, dict) else None


def _checksum(body: bytes) -> bytes:
    return hashlib.blake2b(body, digest_size=8).hexdigest().encode()


def _digest_of_file(path: Path) -> Digest | None:
    try:
        with path.open("rb") as stream:
            return f"sha256:{hashlib.file_digest(stream, 'sha256').hexdigest()}"
    except OSError:
        return None


def _signature(path: Path) -> tuple[int, ...] | None:
    stat = _stat(path)
    return None if stat is None else (stat.st_size, stat.st_mtime_ns, stat.st_ctime_ns, stat.st_ino)


def _stat(path: Path) -> os.stat_result | None:
    try:
        return path.stat()
    except OSError:
        return None


def _modified(path: Path) -> float:
    stat = _stat(path)
    return stat.st_mtime if stat is not None else 0.0


@cache
def _boot() -> str:
    """Return what names this start of the machine; empty where the system does not tell."""
    try:
        return Path("/proc/sys/kernel/random/boot_id").read_text().strip()
    except OSError:
        return ""


def _rename(source: Path, target: Path) -> None:
    try:
        source.replace(target)
    except FileNotFoundError:
        target.parent.mkdir(parents=True, exist_ok=True)
        source.replace(target)


def _touch(path: Path) -> None:
    with contextlib.suppress(OSError):
        os.utime(path)


def _remove(*paths: Path) -> None:
    for path in paths:
        with contextlib.suppress(OSError):
            path.unlink()


@contextlib.contextmanager
def _reported(folder: Path) -> Iterator[None]:
    """Raise what the system refuses as a problem."""
    try:
        yield
    except OSError as error:
        raise _problem(error, folder) from error


def _problem(error: OSError, folder: Path) -> CacheFull | CacheUnusable:
    if error.errno in _FULL:
        return CacheFull("the disk of the build cache is full", detail=str(error), where=str(folder))
    return CacheUnusable(f"the build cache cannot be used: {error.strerror or error}", where=str(folder))
