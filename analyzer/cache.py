"""Facts kept between checks: one file for each content, so that an edited file alone is read again."""

from __future__ import annotations

import contextlib
import os
import sys
from hashlib import blake2b
from typing import TYPE_CHECKING, Final, TypeVar

import msgspec

from analyzer.facts import module as facts_module
from analyzer.facts.module import ModuleFacts

if TYPE_CHECKING:
    from collections.abc import Callable
    from pathlib import Path

T = TypeVar("T")

_KEEP_ENTRIES: Final = 20_000
"""Entries over which a check forgets those that are read least recently, about 100 MB."""


def content_key(content: bytes) -> str:
    """Return the key of a file's content under this version of the facts and of Python."""
    salt = f"{facts_module.VERSION}:{sys.version_info[0]}.{sys.version_info[1]}".encode()
    return blake2b(content, digest_size=16, key=salt).hexdigest()


class FactsCache:
    """A folder of facts by content.

    An entry that cannot be read is made anew; a folder that cannot be written is no reason to fail.

    Args:
        folder: where the entries are; created when it is first needed.
    """

    def __init__(self, folder: Path) -> None:
        self.folder = folder
        self._facts = msgspec.msgpack.Decoder(ModuleFacts)
        self._encoder = msgspec.msgpack.Encoder()
        self._made: set[str] = set()

    def facts(self, content: bytes, read: Callable[[bytes], ModuleFacts]) -> ModuleFacts:
        """Return the facts of a content: those that are kept, or those that ``read`` gives."""
        key = content_key(content)
        found = self.load(key, self._facts)
        if found is not None:
            return found
        facts = read(content)
        self.store(key, facts)
        return facts

    def load(self, key: str, decoder: msgspec.msgpack.Decoder[T]) -> T | None:
        """Return the entry of a key, None when there is none that can be read."""
        try:
            return decoder.decode(self._place(key).read_bytes())
        except (OSError, msgspec.MsgspecError, RecursionError):
            return None

    def store(self, key: str, value: object) -> None:
        """Keep an entry; whole, or not at all."""
        with contextlib.suppress(RecursionError):
            self.store_bytes(key, self._encoder.encode(value))

    def store_bytes(self, key: str, content: bytes) -> None:
        """Keep an entry that is encoded already."""
        place = self._place(key)
        temporary = place.with_name(f"{place.name}.{os.getpid()}.tmp")
        try:
            if place.parent.name not in self._made:
                place.parent.mkdir(parents=True, exist_ok=True)
                self._made.add(place.parent.name)
            temporary.write_bytes(content)
            temporary.replace(place)
        except OSError:
            with contextlib.suppress(OSError):
                temporary.unlink(missing_ok=True)

    def prune(self) -> None:
        """Remove the entries that have not been written for longest when there are very many."""
        entries = list(self.folder.glob("??/*"))
        if len(entries) <= _KEEP_ENTRIES:
            return
        dated = []
        for entry in entries:
            with contextlib.suppress(OSError):
                dated.append((entry.stat().st_mtime_ns, entry))
        for _, entry in sorted(dated)[: len(dated) - _KEEP_ENTRIES // 2]:
            with contextlib.suppress(OSError):
                entry.unlink()

    def _place(self, key: str) -> Path:
        return self.folder / key[:2] / f"{key[2:]}.msgpack"
