"""What a container writes, as an engine sends it: pieces of two streams, each with a head of eight bytes."""

from __future__ import annotations

import struct
from collections.abc import Iterable
from typing import Final

_HEAD: Final = struct.Struct(">BxxxL")
_STDERR: Final = 2


class Outputs:
    """Takes both streams apart.

    Args:
        most: bytes that are kept of each; what comes after them is read and dropped.
    """

    def __init__(self, most: int) -> None:
        self._most = most
        self.stdout = bytearray()
        self.stderr = bytearray()
        self.is_cut = False

    def take(self, pieces: Iterable[bytes]) -> None:
        """Take what is sent, however it is cut into pieces; a last part that is not whole is kept as far as it goes."""
        pending = bytearray()
        target, left = self.stdout, 0
        for piece in pieces:
            pending += piece
            while pending:
                if not left:
                    if len(pending) < _HEAD.size:
                        break
                    stream, left = _HEAD.unpack_from(pending)
                    target = self.stderr if stream == _STDERR else self.stdout
                    del pending[: _HEAD.size]
                    continue
                self._keep(target, bytes(pending[:left]))
                taken = min(left, len(pending))
                del pending[:taken]
                left -= taken

    def _keep(self, target: bytearray, content: bytes) -> None:
        room = self._most - len(target)
        self.is_cut = self.is_cut or len(content) > room
        target += content[: max(room, 0)]
