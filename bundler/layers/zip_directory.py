"""The central directory of a zip archive, zip64 included, read strictly.

It must end where the file ends and begin where the entries end: an archive that has something before, behind or
between can be read in two ways.
"""

from __future__ import annotations

import os
import struct
import zlib
from dataclasses import dataclass
from typing import TYPE_CHECKING, Final

from bundler.errors import WheelInvalid, WheelTooLarge, WheelUnsafe

if TYPE_CHECKING:
    from collections.abc import Iterator

STORED: Final = 0
DEFLATED: Final = 8

_END: Final = struct.Struct("<4sHHHHLLH")
_END_MAGIC: Final = b"PK\x05\x06"
_LOCATOR: Final = struct.Struct("<4sLQL")
_LOCATOR_MAGIC: Final = b"PK\x06\x07"
_END64: Final = struct.Struct("<4sQHHLLQQQQ")
_END64_MAGIC: Final = b"PK\x06\x06"
_CENTRAL: Final = struct.Struct("<4sBBBBHHHHLLLHHHHHLL")
_CENTRAL_MAGIC: Final = b"PK\x01\x02"
_LONGEST_COMMENT: Final = 0xFFFF
_FULL_16: Final = 0xFFFF
_FULL_32: Final = 0xFFFFFFFF
_UTF_8: Final = 0x800
_ZIP64: Final = 0x0001
_UNICODE_PATH: Final = 0x7075
_LARGEST_DIRECTORY: Final = 1 << 27


@dataclass(frozen=True, slots=True, kw_only=True)
class Record:
    """One record of a directory, as it stands there.

    Attributes:
        name: decoded.
        raw_name: as bytes.
        system: on which it was made; 3 is Unix.
        mode: type and permission bits of Unix.
        flags: general purpose bits.
        method: of packing.
        crc: CRC-32 of the content.
        packed: size of the data in bytes.
        size: of the content in bytes.
        offset: of the local header in the file.
        end: where all entries end.
    """

    name: str
    raw_name: bytes
    system: int
    mode: int
    flags: int
    method: int
    crc: int
    packed: int
    size: int
    offset: int
    end: int


@dataclass(frozen=True, slots=True)
class _Place:
    """Where the directory is: its offset and size in bytes, and how many records it has."""

    start: int
    size: int
    count: int


def read_directory(file: int, size: int, where: str, most: int) -> list[Record]:
    """Return the records of an archive.

    Args:
        file: descriptor of the open file.
        size: of the file in bytes.
        where: name of the archive, for errors.
        most: records that it may have.

    Raises:
        WheelInvalid: it is no zip archive.
        WheelUnsafe: it is ambiguous.
        WheelTooLarge: it has more records.
    """
    tail_size = min(size, _END.size + _LOCATOR.size + _LONGEST_COMMENT)
    tail = os.pread(file, tail_size, size - tail_size)
    place = _find(file, size, tail, where)
    if place.count > most or place.size > _LARGEST_DIRECTORY:
        raise WheelTooLarge(f"{where} holds {place.count} files")
    data = os.pread(file, place.size, place.start)
    records = list(_records(data, place, where))
    if len(records) != place.count:
        raise WheelUnsafe(f"{where} holds {len(records)} files and says {place.count}")
    if records and min(record.offset for record in records) != 0:
        raise WheelUnsafe(f"{where} has something before its first file")
    return records


def _find(file: int, size: int, tail: bytes, where: str) -> _Place:
    """Return where the directory is, from what stands at the end of the file."""
    at = tail.rfind(_END_MAGIC)
    if at < 0 or len(tail) - at < _END.size:
        raise WheelInvalid(f"{where} is no zip archive")
    _, disk, first_disk, here, count, directory_size, start, comment = _END.unpack_from(tail, at)
    if at + _END.size + comment != len(tail):
        raise WheelUnsafe(f"{where} has something behind its end")
    if (disk, here) != (first_disk, count) or disk not in {0, _FULL_16}:
        raise WheelInvalid(f"{where} is a part of a zip archive")
    place = _Place(start, directory_size, count)
    end = size - len(tail) + at
    locator = tail[at - _LOCATOR.size : at] if at >= _LOCATOR.size else b""
    if locator.startswith(_LOCATOR_MAGIC):
        end, place = _find64(file, end - _LOCATOR.size, locator, place, where)
    elif _FULL_16 in {count, disk} or _FULL_32 in {directory_size, start}:
        raise WheelInvalid(f"{where} lacks the end that its size asks for")
    if place.start + place.size != end:
        raise WheelUnsafe(f"the directory of {where} is not where it should be")
    return place


def _find64(file: int, before: int, locator: bytes, short: _Place, where: str) -> tuple[int, _Place]:
    """Return where the directory ends, and the directory, from the zip64 end; what both ends say must be the same."""
    _, _, at, disks = _LOCATOR.unpack(locator)
    end = os.pread(file, _END64.size, at) if at + _END64.size <= before else b""
    if len(end) < _END64.size or not end.startswith(_END64_MAGIC) or disks > 1:
        raise WheelUnsafe(f"the zip64 end of {where} is not where it should be")
    _, end_size, _, _, disk, first_disk, here, count, size, start = _END64.unpack(end)
    if at + 12 + end_size != before or disk or first_disk or here != count:
        raise WheelUnsafe(f"the zip64 end of {where} is not what it should be")
    pairs = ((short.count, count, _FULL_16), (short.size, size, _FULL_32), (short.start, start, _FULL_32))
    if any(said not in {known, full} for said, known, full in pairs):
        raise WheelUnsafe(f"the two ends of {where} contradict each other")
    return at, _Place(start, size, count)


def _records(data: bytes, place: _Place, where: str) -> Iterator[Record]:
    at = 0
    while at < len(data):
        if len(data) - at < _CENTRAL.size or not data.startswith(_CENTRAL_MAGIC, at):
            raise WheelInvalid(f"the directory of {where} is damaged")
        (_, _, system, _, _, flags, method, _, _, crc, packed, size, name_size, extra_size, comment_size,
         disk, _, attributes, offset) = _CENTRAL.unpack_from(data, at)  # fmt: skip
        name_at = at + _CENTRAL.size
        extra_at = name_at + name_size
        at = extra_at + extra_size + comment_size
        if at > len(data):
            raise WheelInvalid(f"the directory of {where} is damaged")
        raw_name = data[name_at:extra_at]
        name = _decoded(raw_name, flags, where)
        if extra_size:
            extra = data[extra_at : extra_at + extra_size]
            packed, size, offset = _extended(extra, (packed, size, offset), raw_name, name, where)
        if disk not in {0, _FULL_16} or offset + packed > place.start:
            raise WheelUnsafe(f"{name!r} in {where} is not inside the archive")
        yield Record(
            name=name, raw_name=raw_name, system=system, mode=attributes >> 16, flags=flags, method=method, crc=crc,
            packed=packed, size=size, offset=offset, end=place.start,
        )  # fmt: skip


def _decoded(raw: bytes, flags: int, where: str) -> str:
    if raw.isascii():
        return raw.decode("ascii")
    try:
        return raw.decode("utf-8" if flags & _UTF_8 else "cp437")
    except UnicodeDecodeError as error:
        raise WheelUnsafe(f"the name {raw!r} in {where} is no text") from error


def _extended(
    extra: bytes, sizes: tuple[int, int, int], raw_name: bytes, name: str, where: str
) -> tuple[int, int, int]:
    """Return packed size, size and offset with those of zip64 in place of the full ones."""
    packed, size, offset = sizes
    seen = False
    at = 0
    while at + 4 <= len(extra):
        kind, length = struct.unpack_from("<HH", extra, at)
        body = extra[at + 4 : at + 4 + length]
        at += 4 + length
        if len(body) < length:
            raise WheelInvalid(f"the directory of {where} is damaged")
        if kind == _UNICODE_PATH and body != b"\1" + struct.pack("<L", zlib.crc32(raw_name)) + name.encode():
            raise WheelUnsafe(f"{name!r} in {where} has two names")
        if kind != _ZIP64:
            continue
        wanted = [value == _FULL_32 for value in (size, packed, offset)]
        if seen or len(body) < 8 * sum(wanted):
            raise WheelUnsafe(f"{name!r} in {where} has more than one size")
        seen = True
        numbers = iter(struct.unpack_from(f"<{sum(wanted)}Q", body))
        size, packed, offset = (next(numbers) if full else value
                                for full, value in zip(wanted, (size, packed, offset), strict=True))  # fmt: skip
    return packed, size, offset
