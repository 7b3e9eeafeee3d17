"""Reads wheels as zip archives, without trust: what two readers could understand differently is refused.

The central directory is read first, whole and strictly (:func:`read_directory`); each entry's local header is held
against it when the entry is read. Entries that overlap, hide something before the archive or lie about their size do
not get through. What an entry unpacks to is limited by what the directory says, and that by :class:`Limits`.
"""

from __future__ import annotations

import os
import re
import stat
import struct
import zlib
from dataclasses import dataclass
from itertools import pairwise
from typing import TYPE_CHECKING, Final, Self

from bundler.errors import WheelDamaged, WheelInvalid, WheelTooLarge, WheelUnsafe
from bundler.layers.zip_directory import DEFLATED, STORED, Record, read_directory

if TYPE_CHECKING:
    from collections.abc import Iterator
    from pathlib import Path
    from types import TracebackType

_LOCAL: Final = struct.Struct("<4sHHHHHLLLHH")
_LOCAL_MAGIC: Final = b"PK\x03\x04"
_ENCRYPTED: Final = 0x1 | 0x40 | 0x2000
_PATCH: Final = 0x20
_DESCRIPTOR: Final = 0x8
_UNIX: Final = 3
_CHUNK: Final = 1 << 18
_PIECE: Final = 1 << 22
_SMALL: Final = 1 << 23
"""Entries up to that size (8 MiB) are read and unpacked in one go."""
_MOST_IN_MEMORY: Final = 1 << 26
_CONTROL: Final = re.compile(r"[\x00-\x1f\x7f-\x9f]")
_LONGEST_PART: Final = 255
_LONGEST_PATH: Final = 3_000


@dataclass(frozen=True, slots=True, kw_only=True)
class Limits:
    """What a wheel may unpack to.

    Attributes:
        total: bytes in all.
        ratio: times its own size, for what unpacks to more than ``free`` bytes.
        free: bytes that any wheel may unpack to.
        entries: files in it.
    """

    total: int = 32 << 30
    ratio: int = 100
    free: int = 1 << 28
    entries: int = 200_000


@dataclass(frozen=True, slots=True, kw_only=True)
class Member:
    """A file in a wheel.

    Attributes:
        name: its path in the archive, which is known to stay inside.
        size: unpacked, in bytes, as the directory says.
        packed: size of the data, in bytes.
        crc: CRC-32 of the content, as the directory says.
        is_deflated: whether the data is a raw deflate stream; else it is the content.
        is_executable: whether anybody may execute it.
        record: the directory's record.
        limit: where the next entry begins; this one ends before.
    """

    name: str
    size: int
    packed: int
    crc: int
    is_deflated: bool
    is_executable: bool
    record: Record
    limit: int


class Archive:
    """An open wheel; a context manager.

    Args:
        path: the file.
        limits: what it may unpack to.

    Raises:
        WheelInvalid: it is no zip archive that can be read.
        WheelUnsafe: it is ambiguous, or a name leaves its place.
        WheelTooLarge: it unpacks to more than the limits.
    """

    def __init__(self, path: Path, limits: Limits | None = None) -> None:
        self.name = path.name
        try:
            self._file = os.open(path, os.O_RDONLY | getattr(os, "O_CLOEXEC", 0))
        except OSError as error:
            raise WheelInvalid(f"{path.name} cannot be opened: {error.strerror}", where=str(path)) from error
        try:
            self.size = os.fstat(self._file).st_size
            self.members = self._read_members(limits or Limits())
        except BaseException:
            os.close(self._file)
            raise

    def __enter__(self) -> Self:
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, traceback: TracebackType | None
    ) -> None:
        os.close(self._file)

    def data(self, member: Member) -> Iterator[bytes]:
        """Yield the data of a file as it stands in the archive, packed, in pieces.

        Raises:
            WheelUnsafe: the local header says something else than the directory.
        """
        record = member.record
        start, first = self._after_local_header(member)
        end = start + member.packed
        if first:
            yield first
            start += len(first)
        while start < end:
            piece = self._read(start, min(_CHUNK, end - start), member)
            yield piece
            start += len(piece)
        if record.flags & _DESCRIPTOR:
            self._check_descriptor(member, end)

    def content(self, member: Member) -> Iterator[bytes]:
        """Yield the content of a file in pieces; size and CRC are checked at the end.

        Raises:
            WheelDamaged: the content is not what the directory says.
            WheelUnsafe: as :meth:`data`.
        """
        inflation = Inflation(member, self.name)
        for piece in self.data(member):
            yield from inflation.pieces(piece)
        inflation.finish()

    def whole(self, member: Member) -> bytes:
        """Return the content of a file that is needed in memory (metadata, scripts); at most 64 MiB."""
        if member.size > _MOST_IN_MEMORY:
            raise WheelTooLarge(f"{member.name} in {self.name} has {member.size >> 20} MiB, where a text is expected")
        return b"".join(self.content(member))

    def _read_members(self, limits: Limits) -> tuple[Member, ...]:
        records = read_directory(self._file, self.size, self.name, limits.entries)
        files = [record for record in records if not self._is_directory(record)]
        self._check_sizes(files, limits)
        by_place = sorted(records, key=lambda record: record.offset)
        limit_of = {a.offset: b.offset for a, b in pairwise(by_place)}
        if len(limit_of) < len(records) - 1:
            raise WheelUnsafe(f"two entries of {self.name} share their data")
        members = tuple(
            Member(
                name=record.name,
                size=record.size,
                packed=record.packed,
                crc=record.crc,
                is_deflated=record.method == DEFLATED,
                is_executable=bool(record.mode & 0o111) and record.system == _UNIX,
                record=record,
                limit=limit_of.get(record.offset, record.end),
            )
            for record in files
        )
        self._check_tree(members)
        return members

    def _is_directory(self, record: Record) -> bool:
        """Tell whether a record is a folder's, after checking that it is a folder's or a plain file's."""
        where = f"{record.name!r} in {self.name}"
        if fault := fault_of_name(record.name.removesuffix("/")):
            raise WheelUnsafe(f"the name {where} {fault}")
        if record.flags & _ENCRYPTED:
            raise WheelUnsafe(f"{where} is encrypted")
        if record.flags & _PATCH or record.method not in {STORED, DEFLATED}:
            raise WheelInvalid(f"{where} is packed by a method that wheels do not use ({record.method})")
        kind = stat.S_IFMT(record.mode) if record.system == _UNIX else 0
        is_directory = record.name.endswith("/")
        if kind and kind != (stat.S_IFDIR if is_directory else stat.S_IFREG):
            raise WheelUnsafe(f"{where} is no plain file" + (" but a link" if kind == stat.S_IFLNK else ""))
        if is_directory and record.size:
            raise WheelUnsafe(f"{where} is a folder with a content")
        if record.method == STORED and record.size != record.packed:
            raise WheelUnsafe(f"{where} has two sizes")
        return is_directory

    def _check_sizes(self, files: list[Record], limits: Limits) -> None:
        total = sum(record.size for record in files)
        if total > limits.total or (total > limits.free and total > limits.ratio * self.size):
            raise WheelTooLarge(f"{self.name} has {self.size >> 10} KiB and unpacks to {total >> 20} MiB")

    def _check_tree(self, members: tuple[Member, ...]) -> None:
        names = {member.name for member in members}
        if len(names) < len(members):
            seen: set[str] = set()
            twice = sorted(member.name for member in members if member.name in seen or seen.add(member.name))  # type: ignore[func-returns-value]
            raise WheelUnsafe(f"{self.name} holds {twice[0]!r} more than once")
        folders: set[str] = set()
        for name in names:
            folder = name.rpartition("/")[0]
            while folder and folder not in folders:
                folders.add(folder)
                folder = folder.rpartition("/")[0]
        if both := sorted(names & folders):
            raise WheelUnsafe(f"{both[0]!r} in {self.name} is a file and a folder")

    def _after_local_header(self, member: Member) -> tuple[int, bytes]:
        """Return where the data of an entry begins, and the data if the entry is small."""
        record = member.record
        named = _LOCAL.size + len(record.raw_name)
        small = member.packed <= _SMALL
        wanted = min(named + 64 + (member.packed if small else 0), member.limit - record.offset)
        head = self._read(record.offset, wanted, member) if wanted >= named else b""
        if len(head) < named:
            raise WheelUnsafe(f"{member.name!r} in {self.name} overlaps what follows it")
        magic, _, flags, method, _, _, crc, packed, size, name_size, extra_size = _LOCAL.unpack_from(head)
        same = (magic, name_size, flags & ~0x800, method) == (
            _LOCAL_MAGIC, len(record.raw_name), record.flags & ~0x800, record.method,
        )  # fmt: skip
        if not same or head[_LOCAL.size : named] != record.raw_name:
            raise WheelUnsafe(f"{member.name!r} in {self.name} is called or packed differently where its data is")
        if not flags & _DESCRIPTOR and not _same_sizes(record, crc, packed, size):
            raise WheelUnsafe(f"{member.name!r} in {self.name} has another size where its data is")
        start = record.offset + named + extra_size
        if start + member.packed > member.limit:
            raise WheelUnsafe(f"{member.name!r} in {self.name} overlaps what follows it")
        if not small:
            return start, b""
        data = head[named + extra_size : named + extra_size + member.packed]
        if len(data) < member.packed:
            data = self._read(start, member.packed, member)
        return start, data

    def _check_descriptor(self, member: Member, start: int) -> None:
        """Hold the sizes after the data against the directory's: with or without magic, of 32 or 64 bits."""
        after = self._read(start, min(24, member.limit - start), member) if member.limit > start else b""
        forms = [
            magic + struct.pack(layout, member.crc, member.packed, member.size)
            for layout, most in (("<LLL", 0xFFFFFFFF), ("<LQQ", 1 << 63))
            if max(member.packed, member.size) <= most
            for magic in (b"PK\x07\x08", b"")
        ]
        if not any(after.startswith(form) for form in forms):
            raise WheelUnsafe(f"{member.name!r} in {self.name} has another size after its data")

    def _read(self, start: int, size: int, member: Member) -> bytes:
        try:
            data = os.pread(self._file, size, start)
        except OSError as error:
            raise WheelDamaged(f"{self.name} cannot be read: {error.strerror}") from error
        if len(data) < size:
            raise WheelDamaged(f"{self.name} ends within {member.name!r}")
        return data


class Inflation:
    """Unpacks one file, piece by piece, and checks that it is what the directory says.

    Args:
        member: the file.
        where: name of the archive, for errors.
    """

    def __init__(self, member: Member, where: str) -> None:
        self._member = member
        self._where = where
        self._left = member.size
        self._crc = 0
        self._inflate = zlib.decompressobj(-zlib.MAX_WBITS) if member.is_deflated else None

    def pieces(self, data: bytes) -> Iterator[bytes]:
        """Yield what a piece of data unpacks to, at most one byte more in all than the directory says."""
        if self._inflate is None:
            yield self._checked(data)
            return
        try:
            while True:
                most = self._left + 1 if self._left < _SMALL else _PIECE
                piece = self._inflate.decompress(data, most)
                if piece:
                    yield self._checked(piece)
                data = self._inflate.unconsumed_tail
                if len(piece) < most and not data:
                    return
        except zlib.error as error:
            raise self._damaged("cannot be unpacked") from error

    def finish(self) -> None:
        """Check that the content is complete."""
        if self._inflate is not None and (not self._inflate.eof or self._inflate.unused_data):
            raise self._damaged("does not end where it should")
        if self._left or self._crc != self._member.crc:
            raise self._damaged("is not what the directory says")

    def _checked(self, piece: bytes) -> bytes:
        self._left -= len(piece)
        if self._left < 0:
            raise self._damaged("is larger than the directory says")
        self._crc = zlib.crc32(piece, self._crc)
        return piece

    def _damaged(self, fault: str) -> WheelDamaged:
        return WheelDamaged(f"{self._member.name!r} in {self._where} {fault}")


def fault_of_name(name: str) -> str:
    """Return why a path must not be used, empty when it may be: ``"leaves its folder"``."""
    parts = name.split("/")
    try:
        sizes = [len(part.encode()) for part in parts]
    except UnicodeEncodeError:
        return "is no text"
    faults = (
        (0 in sizes, "is absolute or has an empty part"),
        (not {".", ".."}.isdisjoint(parts), "leaves its folder"),
        ("\\" in name or name[1:2] == ":", "is a path of Windows"),
        (_CONTROL.search(name) is not None, "has control characters"),
        (max(sizes) > _LONGEST_PART or sum(sizes) + len(sizes) > _LONGEST_PATH, "is too long"),
    )
    return next((fault for is_so, fault in faults if is_so), "")


def _same_sizes(record: Record, crc: int, packed: int, size: int) -> bool:
    """Compare a local header with the directory; a size of all ones stands in a zip64 field, which nobody needs."""
    full = 0xFFFFFFFF
    return crc == record.crc and packed in {record.packed, full} and size in {record.size, full}
