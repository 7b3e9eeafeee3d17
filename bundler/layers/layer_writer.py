"""Writes a layer: a tar, as a sequence of gzip members, of which some are taken over from wheels as they are.

A gzip file may consist of any number of members, each with its own header and checksum, and unpacks to what they
unpack to, one after the other (RFC 1952, 2.2). So a file that a wheel holds as a raw deflate stream becomes a member
of ten bytes, the stream, and eight bytes of checksum and size that the wheel's directory has; headers and what is made
here become members by :mod:`bundler.layers.deflate`. The bytes of a layer are those of its wheels and files, and of
nothing else. The price: about 125 bytes a file for its tar header, and 36 for two members.
"""

from __future__ import annotations

import hashlib
import struct
import zlib
from typing import TYPE_CHECKING, Final, Protocol

from bundler.layers import deflate, tar

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable, Iterator

MEDIA_TYPE: Final = "application/vnd.oci.image.layer.v1.tar+gzip"

_HEAD: Final = b"\x1f\x8b\x08\0\0\0\0\0\0\xff"
_TRAILER: Final = struct.Struct("<LL")
_MOST_PENDING: Final = 1 << 16


class Output(Protocol):
    """Takes the compressed bytes."""

    def write(self, content: bytes, /) -> object:
        """Append bytes."""


class LayerWriter:
    """Writes one layer.

    Args:
        output: takes the compressed bytes.
        uid: number of the owner of everything in it.
        gid: number of the owner's group.
        existing: folders that are left to the base image.
    """

    def __init__(self, output: Output, *, uid: int = 0, gid: int = 0, existing: Iterable[str] = ()) -> None:
        self._output = output
        self._uid = uid
        self._gid = gid
        self._folders = {"", *existing}
        self._pending = bytearray()
        self._tar = hashlib.sha256()

    def file(self, place: str, content: bytes, *, is_executable: bool = False, stream: bytes | None = None) -> None:
        """Add a file that is in memory.

        Args:
            place: its path in the image.
            content: what is in it.
            is_executable: whether it may be executed.
            stream: the content as a raw deflate stream, if somebody has made one already.
        """
        self._begin(place, len(content), is_executable=is_executable)
        if content:
            self._flush()
            self._tar.update(content)
            packed = deflate.compact(content) if stream is None else stream
            self._output.write(_HEAD + packed + _TRAILER.pack(zlib.crc32(content), len(content) & 0xFFFFFFFF))
        self._end(len(content))

    def spliced(
        self, place: str, size: int, data: Iterable[bytes], unpack: Callable[[bytes], Iterator[bytes]], crc: int,
        *, is_executable: bool = False,
    ) -> None:  # fmt: skip
        """Add a file from the raw deflate stream of its content.

        Args:
            place: its path in the image.
            size: of the content in bytes.
            data: the stream, in pieces.
            unpack: gives what a piece unpacks to; whoever passes it checks that it fits ``size`` and ``crc``.
            crc: CRC-32 of the content.
            is_executable: whether it may be executed.
        """
        self._begin(place, size, is_executable=is_executable)
        self._flush()
        self._output.write(_HEAD)
        for piece in data:
            self._output.write(piece)
            for part in unpack(piece):
                self._tar.update(part)
        self._output.write(_TRAILER.pack(crc, size & 0xFFFFFFFF))
        self._end(size)

    def stored(self, place: str, size: int, content: Iterable[bytes], *, is_executable: bool = False) -> None:
        """Add a file from its content in pieces, not packed; whoever passes it checks that it fits ``size``."""
        self._begin(place, size, is_executable=is_executable)
        self._flush()
        self._output.write(_HEAD)
        crc = 0
        for piece in content:
            crc = zlib.crc32(piece, crc)
            self._tar.update(piece)
            for block in deflate.stored_blocks(piece, is_end=False):
                self._output.write(block)
        for block in deflate.stored_blocks(b"", is_end=True):
            self._output.write(block)
        self._output.write(_TRAILER.pack(crc, size & 0xFFFFFFFF))
        self._end(size)

    def link(self, place: str, target: str) -> None:
        """Add a symbolic link.

        Args:
            place: its path in the image.
            target: what it leads to: an absolute path, or one from its own folder.
        """
        self.folder(place.rpartition("/")[0])
        self._add(tar.header(place, mode=tar.LINK_MODE, uid=self._uid, gid=self._gid, target=target))

    def folder(self, place: str) -> None:
        """Add a folder and those above it, unless they are there."""
        if place in self._folders:
            return
        self.folder(place.rpartition("/")[0])
        self._folders.add(place)
        self._add(tar.header(place, mode=tar.EXECUTABLE_MODE, uid=self._uid, gid=self._gid, is_directory=True))

    def finish(self) -> str:
        """End the layer and return its diff id: the digest of the tar."""
        self._add(tar.END)
        self._flush()
        return f"sha256:{self._tar.hexdigest()}"

    def _begin(self, place: str, size: int, *, is_executable: bool) -> None:
        self.folder(place.rpartition("/")[0])
        mode = tar.EXECUTABLE_MODE if is_executable else tar.FILE_MODE
        self._add(tar.header(place, size=size, mode=mode, uid=self._uid, gid=self._gid))

    def _end(self, size: int) -> None:
        self._pending += tar.padding(size)  # with the next header

    def _add(self, header: bytes) -> None:
        self._pending += header
        if len(self._pending) > _MOST_PENDING:
            self._flush()

    def _flush(self) -> None:
        content = bytes(self._pending)
        self._pending.clear()
        if content:
            self._tar.update(content)
            self._output.write(_HEAD + deflate.runs(content) + _TRAILER.pack(zlib.crc32(content), len(content)))
