"""Writes zip archives byte by byte, honest and dishonest ones, and wheels of them."""

import base64
import hashlib
import struct
import zlib
from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from bundler.model import Wheel


@dataclass(kw_only=True)
class Packed:
    """One entry, and what it lies about.

    Attributes:
        name: its name; bytes stand as they are.
        content: what is in it.
        method: 0 or 8, or one that nobody knows.
        mode: type and permission bits of Unix.
        flags: general purpose bits; bit 3 writes a data descriptor.
        data: what is there in place of the packed content.
        central: fields that the directory has in place of the true ones: crc, packed, size, offset.
        local: the same for the local header, and name.
        zip64: whether sizes stand in 64 bits.
        system: on which it was made.
    """

    name: str | bytes
    content: bytes = b""
    method: int = 8
    mode: int = 0o100644
    flags: int = 0
    data: bytes | None = None
    central: dict[str, Any] = field(default_factory=dict)
    local: dict[str, Any] = field(default_factory=dict)
    zip64: bool = False
    system: int = 3


def raw_deflate(content: bytes) -> bytes:
    """Return a raw deflate stream."""
    packer = zlib.compressobj(6, zlib.DEFLATED, -15)
    return packer.compress(content) + packer.flush()


def zip_bytes(
    entries: Iterable[Packed], *, before: bytes = b"", behind: bytes = b"", count: int | None = None
) -> bytes:
    """Return an archive.

    Args:
        entries: what is in it.
        before: bytes in front of the first entry.
        behind: bytes after the end.
        count: how many records the end says there are.
    """
    body, directory, number = bytearray(before), bytearray(), 0
    for entry in entries:
        number += 1
        offset = len(body)
        _add(entry, body, directory, offset)
    start = len(body)
    total = number if count is None else count
    end = struct.pack("<4sHHHHLLH", b"PK\5\6", 0, 0, total, total, len(directory), start, 0)
    return bytes(body + directory) + end + behind


def with_zip64_end(archive: bytes) -> bytes:
    """Return an archive whose end is one of 64 bits."""
    end = archive[-22:]
    _, _, _, _, count, size, start, _ = struct.unpack("<4sHHHHLLH", end)
    long_end = struct.pack("<4sQHHLLQQQQ", b"PK\6\6", 44, 45, 45, 0, 0, count, count, size, start)
    locator = struct.pack("<4sLQL", b"PK\6\7", 0, len(archive) - 22, 1)
    short = struct.pack("<4sHHHHLLH", b"PK\5\6", 0, 0, 0xFFFF, 0xFFFF, 0xFFFFFFFF, 0xFFFFFFFF, 0)
    return archive[:-22] + long_end + locator + short


def _add(entry: Packed, body: bytearray, directory: bytearray, offset: int) -> None:
    packed = entry.data
    if packed is None:
        packed = entry.content if entry.method == 0 else raw_deflate(entry.content)
    name = entry.name if isinstance(entry.name, bytes) else entry.name.encode()
    flags = entry.flags | (0 if name.isascii() or isinstance(entry.name, bytes) else 0x800)
    true = {"crc": zlib.crc32(entry.content), "packed": len(packed), "size": len(entry.content), "name": name}
    here = {**true, **entry.local}
    there = {**true, "offset": offset, **entry.central}
    descriptor = b""
    if flags & 8:
        descriptor = struct.pack("<4sLLL", b"PK\7\x08", here["crc"], here["packed"], here["size"])
        here = {**here, "crc": 0, "packed": 0, "size": 0}
    sizes, extra, local_extra = (there["packed"], there["size"]), b"", b""
    local_sizes = (here["packed"], here["size"])
    if entry.zip64:
        extra = struct.pack("<HHQQ", 1, 16, there["size"], there["packed"])
        local_extra = struct.pack("<HHQQ", 1, 16, here["size"], here["packed"])
        sizes = local_sizes = (0xFFFFFFFF, 0xFFFFFFFF)
    body += struct.pack(
        "<4sHHHHHLLLHH", b"PK\3\4", 20, flags, entry.method, 0, 33, here["crc"], *local_sizes,
        len(here["name"]), len(local_extra),
    ) + here["name"] + local_extra + packed + descriptor  # fmt: skip
    directory += struct.pack(
        "<4sBBBBHHHHLLLHHHHHLL", b"PK\1\2", 20, entry.system, 20, 0, flags, entry.method, 0, 33, there["crc"], *sizes,
        len(there["name"]), len(extra), 0, 0, 0, entry.mode << 16, there["offset"],
    ) + there["name"] + extra  # fmt: skip


def record_row(name: str, content: bytes) -> str:
    """Return a row of RECORD."""
    digest = base64.urlsafe_b64encode(hashlib.sha256(content).digest()).decode().rstrip("=")
    return f"{name},sha256={digest},{len(content)}\n"


def wheel_entries(
    name: str, version: str, files: Mapping[str, bytes], *, is_pure: bool = True,
    executable: frozenset[str] = frozenset()
) -> list[Packed]:  # fmt: skip
    """Return the entries of a wheel with files, its metadata and RECORD, which comes last."""
    folder = f"{name}-{version}.dist-info"
    contents = dict(files)
    contents.setdefault(f"{folder}/METADATA", f"Metadata-Version: 2.1\nName: {name}\nVersion: {version}\n".encode())
    wheel = f"Wheel-Version: 1.0\nGenerator: test\nRoot-Is-Purelib: {str(is_pure).lower()}\nTag: py3-none-any\n"
    contents.setdefault(f"{folder}/WHEEL", wheel.encode())
    rows = "".join(record_row(path, content) for path, content in contents.items())
    contents.setdefault(f"{folder}/RECORD", f"{rows}{folder}/RECORD,,\n".encode())
    return [
        Packed(name=path, content=content, mode=0o100755 if path in executable else 0o100644)
        for path, content in contents.items()
    ]


def write_wheel(folder: Path, name: str, version: str, archive: bytes) -> Wheel:
    """Write an archive as a wheel and return what the store would say of it."""
    path = folder / f"{name}-{version}-py3-none-any.whl"
    path.write_bytes(archive)
    return Wheel(
        name=name.replace("_", "-").replace(".", "-").lower(),
        version=version,
        filename=path.name,
        sha256=hashlib.sha256(archive).hexdigest(),
        path=path,
    )


def made_wheel(folder: Path, name: str, files: Mapping[str, bytes], version: str = "1.0", **options: Any) -> Wheel:
    """Write an honest wheel."""
    return write_wheel(folder, name, version, zip_bytes(wheel_entries(name, version, files, **options)))
