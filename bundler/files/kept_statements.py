"""What files import, kept from build to build by their contents, so that only a file that has changed is read again."""

from __future__ import annotations

import sys
from hashlib import blake2b
from typing import TYPE_CHECKING, Final

import msgspec

from bundler.files.import_statements import Statements

if TYPE_CHECKING:
    from collections.abc import Callable

    from bundler.cache import Cache

_KIND: Final = f"imports-1-{sys.version_info[0]}.{sys.version_info[1]}"
"""Counts up when statements come out differently for the same file; another Python reads other syntax."""


class KeptStatements:
    """Statements by content.

    Args:
        cache: keeps them; None for none.
        history: names the project; those of its last build are kept.
    """

    def __init__(self, cache: Cache | None, history: str) -> None:
        self._cache = cache
        self._history = history
        self._kept = dict(cache.recall(_KIND, history) or {}) if cache is not None else {}
        self._now: dict[str, object] = {}

    def of(self, content: bytes, read: Callable[[bytes], Statements]) -> Statements:
        """Return what a content imports: as it was kept, or as ``read`` finds it.

        Raises:
            Exception: whatever ``read`` raises; nothing is kept then.
        """
        if self._cache is None:
            return read(content)
        key = blake2b(content, digest_size=20).hexdigest()
        kept = self._kept.get(key)
        try:
            found = msgspec.convert(kept, Statements)
        except msgspec.ValidationError:
            found = read(content)
            kept = msgspec.to_builtins(found)
        self._now[key] = kept
        return found

    def keep(self) -> None:
        """Keep what was asked for."""
        if self._cache is not None and self._now.keys() != self._kept.keys():
            self._cache.remember(_KIND, self._history, self._now)
