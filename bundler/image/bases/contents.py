"""Folders and archives that hold images: named files, none of which is trusted before it is hashed."""

from __future__ import annotations

import hashlib
import os
import stat
from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass, field
from io import BufferedReader, RawIOBase
from pathlib import Path
from typing import TYPE_CHECKING, BinaryIO, Final, Protocol

from bundler.cache import Cache
from bundler.image.errors import BaseInvalid, BaseUnreadable
from bundler.model import Digest

if TYPE_CHECKING:
    from _typeshed import WriteableBuffer

_SEEN: Final = "seen-1"
_MOST_LINKS: Final = 4


@dataclass(frozen=True, slots=True, kw_only=True)
class Stored:
    """Bytes on this machine whose digest has been seen.

    Attributes:
        digest: of them.
        size: of them.
        open: returns a new stream of them.
    """

    digest: Digest
    size: int
    open: Callable[[], BinaryIO] = field(repr=False, compare=False)

    def read(self, most: int, where: str) -> bytes:
        """Return all of them; BaseInvalid when they are more than anything honest of their kind."""
        if self.size > most:
            raise BaseInvalid(f"{where} has {self.size} bytes, where at most {most} are expected")
        with self.open() as stream:
            return stream.read()


class Contents(Protocol):
    """A folder or an archive."""

    @property
    def where(self) -> str:
        """Its name, for people."""

    def find(self, name: str) -> Stored | None:
        """Return the file of a name, None when there is none.

        Raises:
            BaseUnreadable: it cannot be read.
            BaseInvalid: it is no plain file.
        """


class FolderContents:
    """The files in a folder.

    Args:
        folder: the folder.
        cache: remembers what has been hashed.
        where: names it, for people.
    """

    def __init__(self, folder: Path, cache: Cache, where: str) -> None:
        self._folder = folder
        self._cache = cache
        self._where = where

    @property
    def where(self) -> str:
        """Its name, for people."""
        return self._where

    def find(self, name: str) -> Stored | None:
        """Return the file of a name; see :class:`Contents`."""
        return stored_file(self._folder / name, self._cache, f"{name} in {self._where}")


@dataclass(frozen=True, slots=True, kw_only=True)
class Member:
    """A file in an archive.

    Attributes:
        digest: of its content; empty for a link.
        size: of its content.
        offset: of its content in the unpacked archive.
        target: name of the file that a link means; empty for a file.
    """

    digest: Digest = ""
    size: int = 0
    offset: int = 0
    target: str = ""


class ArchiveContents:
    """The files in a tar that is not packed.

    Args:
        members: what is in it, by name.
        path: the tar.
        where: names it, for people.
    """

    def __init__(self, members: Mapping[str, Member], path: Path, where: str) -> None:
        self._members = members
        self._path = path
        self._where = where

    @property
    def where(self) -> str:
        """Its name, for people."""
        return self._where

    def find(self, name: str) -> Stored | None:
        """Return the file of a name; see :class:`Contents`. Links are followed within the archive."""
        member = self._members.get(name)
        for _ in range(_MOST_LINKS):
            if member is None or not member.target:
                break
            member = self._members.get(member.target)
        if member is None:
            return None
        if member.target:
            raise BaseInvalid(f"{name} in {self._where} is a link to a link to a link")
        offset, size = member.offset, member.size
        return Stored(digest=member.digest, size=size, open=lambda: _part_of(self._path, offset, size))


def stored_file(path: Path, cache: Cache, where: str) -> Stored | None:
    """Return a file with its digest, None when there is none; read again only when size, times or inode differ.

    Raises:
        BaseUnreadable: it cannot be read.
        BaseInvalid: it is no plain file.
    """
    with _readable(where):
        try:
            stream = open_plain(path, where)
        except (FileNotFoundError, NotADirectoryError):
            return None
        with stream:
            status = os.fstat(stream.fileno())
            key = f"{path.absolute()}\0{signature_of(status)}"
            known = cache.recall(_SEEN, key)
            if known is None:
                known = {"digest": f"sha256:{hashlib.file_digest(stream, 'sha256').hexdigest()}"}
                if signature_of(os.fstat(stream.fileno())) == signature_of(status):
                    cache.remember(_SEEN, key, known)
    return Stored(digest=known["digest"], size=status.st_size, open=lambda: _opened(path, where))


def open_plain(path: Path, where: str) -> BufferedReader:
    """Open a file; a pipe or a device is not waited for, but refused with BaseInvalid."""
    descriptor = os.open(path, os.O_RDONLY | os.O_NONBLOCK | os.O_CLOEXEC)
    if not stat.S_ISREG(os.fstat(descriptor).st_mode):
        os.close(descriptor)
        raise BaseInvalid(f"{where} is no plain file")
    return os.fdopen(descriptor, "rb")


def signature_of(status: os.stat_result) -> str:
    """Return a text that differs when a file has been written to."""
    return f"{status.st_size} {status.st_mtime_ns} {status.st_ctime_ns} {status.st_ino} {status.st_dev}"


class _Part(RawIOBase):
    """A part of a file as a stream of its own."""

    def __init__(self, file: BinaryIO, offset: int, size: int) -> None:
        super().__init__()
        self._file = file
        self._offset = offset
        self._size = size
        self._at = 0

    def readable(self) -> bool:
        return True

    def seekable(self) -> bool:
        return True

    def readinto(self, buffer: WriteableBuffer, /) -> int:
        view = memoryview(buffer).cast("B")
        wanted = max(0, min(len(view), self._size - self._at))
        piece = os.pread(self._file.fileno(), wanted, self._offset + self._at)
        view[: len(piece)] = piece
        self._at += len(piece)
        return len(piece)

    def seek(self, offset: int, whence: int = os.SEEK_SET, /) -> int:
        start = {os.SEEK_SET: 0, os.SEEK_CUR: self._at, os.SEEK_END: self._size}[whence]
        self._at = max(0, start + offset)
        return self._at

    def close(self) -> None:
        if not self.closed:
            self._file.close()
        super().close()


def _part_of(path: Path, offset: int, size: int) -> BinaryIO:
    return BufferedReader(_Part(_opened(path, path.name), offset, size), 1 << 20)


def _opened(path: Path, where: str) -> BinaryIO:
    with _readable(where):
        return open_plain(path, where)


@contextmanager
def _readable(where: str) -> Iterator[None]:
    """Raise what the system refuses as a problem."""
    try:
        yield
    except OSError as error:
        raise BaseUnreadable(f"{where} cannot be read: {error.strerror or error}") from error
