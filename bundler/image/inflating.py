"""Unpacks layers and archives piece by piece, and stops where one unpacks to more than any honest one does."""

from __future__ import annotations

import zlib
from collections.abc import Iterator
from typing import Final

from bundler.image.errors import BaseInvalid

GZIP: Final = b"\x1f\x8b"
ZSTD: Final = b"\x28\xb5\x2f\xfd"

_PIECE: Final = 1 << 20
_SLICE: Final = 1 << 16
"""Bytes at a time: the rest is copied at the end of each gzip member, and our own layers have thousands."""
_FREE: Final = 1 << 28
"""Bytes that anything may unpack to (256 MiB); beyond, it is held to a ratio."""
_RATIO: Final = 200


class Inflating:
    """Unpacks gzip of any number of members; what is not packed goes through as it is.

    Args:
        where: names what is unpacked, for errors.
    """

    def __init__(self, where: str) -> None:
        self._where = where
        self._head = b""
        self._is_packed: bool | None = None
        self._inflate = zlib.decompressobj(zlib.MAX_WBITS | 16)
        self._taken = 0
        self._given = 0

    def feed(self, data: bytes) -> Iterator[bytes]:
        """Yield what the next bytes unpack to.

        Raises:
            BaseInvalid: they are damaged, or unpack to too much.
        """
        self._taken += len(data)
        if self._is_packed is None:
            data = self._head + data
            if len(data) < len(ZSTD):
                self._head = data
                return
            self._is_packed = data.startswith(GZIP)
        if not self._is_packed:
            yield data
            return
        for start in range(0, len(data), _SLICE):
            yield from self._unpacked(data[start : start + _SLICE])

    def _unpacked(self, data: bytes) -> Iterator[bytes]:
        is_more = bool(data)
        while is_more:
            if self._inflate.eof:
                data = data.lstrip(b"\0")  # what some programs fill the last block with
                if not data:
                    return
                self._inflate = zlib.decompressobj(zlib.MAX_WBITS | 16)
            try:
                piece = self._inflate.decompress(data, _PIECE)
            except zlib.error:
                raise BaseInvalid(f"{self._where} is damaged: it cannot be unpacked") from None
            data = self._inflate.unused_data if self._inflate.eof else self._inflate.unconsumed_tail
            is_more = bool(data) or (len(piece) == _PIECE and not self._inflate.eof)
            self._given += len(piece)
            if self._given > max(_FREE, _RATIO * self._taken):
                raise BaseInvalid(f"{self._where} unpacks to more than {_RATIO} times its size")
            if piece:
                yield piece

    def finish(self) -> Iterator[bytes]:
        """Yield what is left when the last byte has come.

        Raises:
            BaseInvalid: it ends too early.
        """
        if self._is_packed is None and self._head:
            yield self._head
        if self._is_packed and not self._inflate.eof:
            raise BaseInvalid(f"{self._where} is damaged: it ends too early")
