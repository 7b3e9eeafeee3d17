"""Reads tars piece by piece, as they come, and without trust; nothing is ever unpacked.

What is understood is what engines understand: ustar, PAX, and GNU's long names, large numbers and sparse files.
"""

from __future__ import annotations

import struct
from dataclasses import dataclass
from typing import Final, Literal, Protocol

from bundler.image.errors import BaseInvalid

Kind = Literal["file", "folder", "link", "symlink", "sparse", "other"]

BLOCK: Final = 512
_MOST_MEANT: Final = 1 << 20
"""Bytes of a name, or of all PAX records of an entry."""
_MOST_ENTRIES: Final = 5_000_000
_KINDS: Final[dict[bytes, Kind]] = {
    b"0": "file", b"\0": "file", b"7": "file", b"1": "link", b"2": "symlink", b"5": "folder", b"S": "sparse",
}  # fmt: skip
_WITHOUT_CONTENT: Final = frozenset(b"123456")
"""Links, devices and folders, whatever size their headers say."""
_META: Final = frozenset((b"L", b"K", b"x", b"X", b"g"))
_CHECKSUM: Final = slice(148, 156)
_ZERO: Final = bytes(BLOCK)
_LARGE_NUMBER: Final = 0x80
_NEGATIVE: Final = 0x40
_HAS_MORE, _HAS_STILL_MORE = 482, 504
"""Bytes that say that another block of a sparse file's map follows."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Entry:
    """An entry of a tar.

    Attributes:
        name: without ``./`` in front and ``/`` behind.
        kind: what it is.
        size: bytes of content that follow the header.
        target: of a link.
        offset: of the content, from the first byte of the tar.
    """

    name: str
    kind: Kind
    size: int
    target: str
    offset: int


class Visitor(Protocol):
    """Hears what is in a tar."""

    def begin(self, entry: Entry) -> None:
        """An entry begins."""

    def data(self, piece: memoryview) -> None:
        """A piece of the content of the entry that began last; good until this returns."""


class TarParser:
    """Takes the bytes of a tar in pieces of any size.

    Args:
        visitor: hears what is in it.
        where: names the tar, for errors.
    """

    def __init__(self, visitor: Visitor, where: str) -> None:
        self._visitor = visitor
        self._where = where
        self._position = 0
        self._header = bytearray()
        self._left = 0
        self._padding = 0
        self._meta_kind = b""
        self._meta = bytearray()
        self._records: dict[str, str] = {}
        self._global: dict[str, str] = {}
        self._pending: bytes | None = None
        self._zeros = 0
        self._entries = 0

    @property
    def is_ended(self) -> bool:
        """Whether the two empty blocks that end a tar have come; what follows them means nothing."""
        return self._zeros > 1

    def feed(self, data: bytes) -> None:
        """Take the next bytes.

        Raises:
            BaseInvalid: they are none of a tar.
        """
        view, at = memoryview(data), 0
        while at < len(view) and not self.is_ended:
            if self._left:
                part = view[at : at + self._left]
                self._left -= len(part)
                self._take(part)
            elif self._padding:
                part = view[at : at + self._padding]
                self._padding -= len(part)
            else:
                part = view[at : at + BLOCK - len(self._header)]
                self._header += part
            at += len(part)
            self._position += len(part)
            if len(self._header) == BLOCK:
                block = bytes(self._header)
                self._header.clear()
                self._block(block)
            if self._meta_kind and not self._left:
                self._meant()

    def finish(self) -> None:
        """The last byte has come.

        Raises:
            BaseInvalid: the tar ends within an entry.
        """
        if not self.is_ended and (self._left or self._padding or self._header or self._pending or not self._entries):
            raise BaseInvalid(f"{self._where} is no complete tar")

    def _take(self, part: memoryview) -> None:
        if self._meta_kind:
            self._meta += part
        else:
            self._visitor.data(part)

    def _block(self, block: bytes) -> None:
        if self._pending is not None:
            if not block[_HAS_STILL_MORE]:
                header, self._pending = self._pending, None
                self._begin(header, "sparse", self._size(header))
            return
        if block == _ZERO:
            self._zeros += 1
            return
        self._zeros = 0
        self._check(block)
        flag_byte = block[156:157]
        size = self._size(block)
        if flag_byte in _META:
            if size > _MOST_MEANT:
                raise BaseInvalid(f"{self._where} has a name of {size} bytes")
            self._meta_kind, self._left, self._padding = flag_byte, size, -size % BLOCK
            return
        kind = _KINDS.get(flag_byte, "other")
        if kind == "sparse" and block[_HAS_MORE]:
            self._pending = block
            return
        self._begin(block, kind, size)

    def _begin(self, block: bytes, kind: Kind, size: int) -> None:
        self._entries += 1
        if self._entries > _MOST_ENTRIES:
            raise BaseInvalid(f"{self._where} has more than {_MOST_ENTRIES} entries")
        records = {**self._global, **self._records}
        self._records.clear()
        name = records.get("GNU.sparse.name") or records.get("path") or _name(block)
        target = records.get("linkpath") or _text(block[157:257])
        if kind == "file" and name.endswith("/"):
            kind = "folder"
        if block[156] in _WITHOUT_CONTENT:
            size = 0
        elif "size" in records:
            size = self._number(records["size"])
        self._left, self._padding = size, -size % BLOCK
        self._visitor.begin(Entry(name=self._place(name), kind=kind, size=size, target=target, offset=self._position))

    def _place(self, name: str) -> str:
        """Return a name as a path from the root; one that leaves it is what no honest tar has."""
        parts = [part for part in name.split("/") if part not in {"", "."}]
        if ".." in parts or "\0" in name:
            raise BaseInvalid(f"{self._where} holds {name[:200]!r}, which leaves its folder")
        return "/".join(parts)

    def _meant(self) -> None:
        """Keep what an entry says of the next one, or of all that follow."""
        kind, content = self._meta_kind, bytes(self._meta)
        self._meta_kind = b""
        self._meta.clear()
        if kind == b"L":
            self._records.setdefault("path", _text(content))
        elif kind == b"K":
            self._records.setdefault("linkpath", _text(content))
        else:
            (self._global if kind == b"g" else self._records).update(self._pax(content))

    def _pax(self, content: bytes) -> dict[str, str]:
        """Return PAX records, each of which begins with its length."""
        found = {}
        at = 0
        while at < len(content) and content[at]:
            digits, space, _ = content[at : at + 20].partition(b" ")
            length = int(digits) if space and digits.isdigit() else 0
            name, equals, value = content[at + len(digits) + 1 : at + length - 1].partition(b"=")
            if not equals or at + length > len(content) or content[at + length - 1 : at + length] != b"\n":
                raise BaseInvalid(f"{self._where} has PAX records that cannot be read")
            found[name.decode("utf-8", "surrogateescape")] = value.decode("utf-8", "surrogateescape")
            at += length
        return found

    def _check(self, block: bytes) -> None:
        stated = _octal(block[_CHECKSUM])
        unsigned = sum(block) - sum(block[_CHECKSUM]) + 8 * 0x20
        if stated != unsigned:
            signed = sum(struct.unpack("512b", block)) - sum(struct.unpack("8b", block[_CHECKSUM])) + 8 * 0x20
            if stated != signed:
                raise BaseInvalid(f"{self._where} is no tar, or a damaged one")

    def _size(self, block: bytes) -> int:
        field = block[124:136]
        if field[0] & _LARGE_NUMBER:
            number = int.from_bytes(bytes([field[0] & ~_LARGE_NUMBER]) + field[1:], "big")
            size: int | None = None if field[0] & _NEGATIVE or number >= 1 << 63 else number
        else:
            size = _octal(field)
        if size is None:
            raise BaseInvalid(f"{self._where} has an entry whose size is no number")
        return size

    def _number(self, text: str) -> int:
        if not (text.isascii() and text.isdigit()) or len(text) > 18:  # noqa: PLR2004 - digits that surely fit 63 bits
            raise BaseInvalid(f"{self._where} has an entry whose size is no number")
        return int(text)


def _name(block: bytes) -> str:
    name, prefix = _text(block[:100]), _text(block[345:500])
    is_ustar = block[257:263] == b"ustar\0"
    return f"{prefix}/{name}" if is_ustar and prefix else name


def _text(field: bytes) -> str:
    return field.partition(b"\0")[0].decode("utf-8", "surrogateescape")


def _octal(field: bytes) -> int | None:
    digits = field.partition(b"\0")[0].strip(b" ")
    try:
        return int(digits, 8) if digits and not digits.startswith((b"-", b"+")) else 0 if not digits else None
    except ValueError:
        return None
