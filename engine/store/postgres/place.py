"""Where a database is, who is asking, and what its locks and its channel are called."""

from __future__ import annotations

import zlib
from dataclasses import dataclass
from typing import Final

LOCKS: Final = 21_080
"""The first half of every advisory lock of ours; the second half says in which schema, and what for."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Place:
    """Where a database is, and who is asking.

    Attributes:
        url: as libpq takes it.
        shown: the same without its password.
        executor: this engine's name.
        schema: the schema of the tables.
        lease_s: seconds without a sign of life until an engine counts as gone.
    """

    url: str
    shown: str
    executor: str
    schema: str
    lease_s: float

    def lock(self, purpose: str) -> int:
        """Return the second half of an advisory lock."""
        return zlib.crc32(f"{self.schema}.{purpose}".encode()) - 2**31

    @property
    def channel(self) -> str:
        """Return the channel of the signals."""
        return f"trigger_{zlib.crc32(self.schema.encode()):08x}"
