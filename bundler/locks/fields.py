"""Reading fields of a TOML document that may say anything."""

from __future__ import annotations

import contextlib
import json
import os
import re
import tomllib
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any, Final
from urllib.parse import unquote, urlsplit

from packaging.utils import InvalidName, canonicalize_name

from bundler.cache import Cache
from bundler.errors import CacheFull, CacheUnusable
from bundler.locks.errors import LockInvalid, LockNotFound
from bundler.model import digest_of

_MAX_BYTES: Final = 64 << 20
_KIND: Final = "lock-as-json-1"
_LARGE: Final = 1 << 16
_SHA256: Final = re.compile(r"[0-9a-f]{64}")


def read_bytes(path: Path) -> bytes:
    """Return what is in a file of a lock.

    Raises:
        LockNotFound: it cannot be read.
        LockInvalid: it is far larger than any lock.
    """
    try:
        with path.open("rb") as stream:
            content = stream.read(_MAX_BYTES + 1)
    except OSError as error:
        raise LockNotFound(f"the lock cannot be read: {error.strerror or error}", where=str(path)) from None
    if len(content) > _MAX_BYTES:
        raise LockInvalid(f"the lock is larger than {_MAX_BYTES >> 20} MiB", where=str(path))
    return content


def parse(content: bytes, where: Path, cache: Cache | None = None) -> Fields:
    """Return a document's fields.

    Args:
        content: the document.
        where: where it is, for messages.
        cache: keeps a large one as JSON, which is read ten times as fast; None to read it each time.
    """
    is_kept = cache is not None and len(content) >= _LARGE
    entry = cache.find(_KIND, digest_of(content)) if cache is not None and is_kept else None
    if entry is not None:
        return Fields(json.loads(entry.path.read_bytes()), str(where))
    try:
        table = tomllib.loads(content.decode())
    except (tomllib.TOMLDecodeError, UnicodeDecodeError, RecursionError) as error:
        raise LockInvalid(f"the lock is no TOML: {error}", where=str(where)) from None
    if cache is not None and is_kept:
        with contextlib.suppress(CacheUnusable, CacheFull, RecursionError):
            # Of times, which JSON has no word for, nothing is read.
            cache.put(_KIND, digest_of(content), json.dumps(table, default=lambda _: None).encode())
    return Fields(table, str(where))


class Fields:
    """A table of a document, and where it is, for messages.

    Each method raises :class:`LockInvalid` when the field is of another type.
    """

    def __init__(self, table: object, where: str) -> None:
        if not isinstance(table, Mapping):
            raise LockInvalid("a table is expected here", where=where)
        self._table: Mapping[str, Any] = table
        self.where = where

    def __contains__(self, key: object) -> bool:
        return key in self._table

    def listed(self) -> tuple[str, ...]:
        """Return the keys, in order."""
        return tuple(self._table)

    def text(self, key: str, *, required: bool = False) -> str:
        """Return a string; empty when it is not there."""
        return str(self._typed(key, str, "a string", required=required) or "")

    def flag(self, key: str) -> bool:
        """Return a boolean; False when it is not there."""
        return bool(self._typed(key, bool, "true or false"))

    def size(self, key: str) -> int | None:
        """Return a number of bytes."""
        found = self._typed(key, int, "a number")
        if found is not None and (isinstance(found, bool) or found < 0):
            raise LockInvalid(f"'{key}' is no size", where=self.where)
        return found

    def texts(self, key: str) -> tuple[str, ...]:
        """Return an array of strings."""
        found = self._sequence(key)
        if not all(isinstance(item, str) for item in found):
            raise LockInvalid(f"'{key}' is no array of strings", where=self.where)
        return tuple(found)

    def table(self, key: str) -> Fields:
        """Return a table; an empty one when it is not there."""
        return Fields(self._table.get(key, {}), f"{self.where}: {key}")

    def tables(self, key: str) -> tuple[Fields, ...]:
        """Return an array of tables."""
        return tuple(Fields(item, f"{self.where}: {key}[{at}]") for at, item in enumerate(self._sequence(key)))

    def name(self, key: str = "name") -> str:
        """Return the name of a distribution, normalised."""
        return normalised(self.text(key, required=True), self.where)

    def sha256(self, key: str) -> frozenset[str]:
        """Return a hash written as ``sha256:…``; other algorithms cannot be used, and are as none."""
        algorithm, _, digits = self.text(key).partition(":")
        return checked_sha256(digits, self.where) if algorithm == "sha256" else frozenset()

    def _sequence(self, key: str) -> Sequence[Any]:
        found = self._table.get(key, ())
        if not isinstance(found, list | tuple):
            raise LockInvalid(f"'{key}' is no array", where=self.where)
        return found

    def _typed(self, key: str, kind: type, what: str, *, required: bool = False) -> Any:
        found = self._table.get(key)
        if found is None and not required:
            return None
        if not isinstance(found, kind):
            raise LockInvalid(f"'{key}' is missing" if found is None else f"'{key}' is not {what}", where=self.where)
        return found


def normalised(name: str, where: str) -> str:
    """Return a distribution's name as indexes write it: ``ruamel-yaml``."""
    try:
        return str(canonicalize_name(name, validate=True))
    except InvalidName:
        raise LockInvalid(f"'{name}' is no name of a distribution", where=where) from None


def checked_sha256(digits: str, where: str) -> frozenset[str]:
    """Return the one hash that a lock gives."""
    if not _SHA256.fullmatch(digits.lower()):
        raise LockInvalid(f"'{digits[:80]}' is no sha256", where=where)
    return frozenset((digits.lower(),))


def filename_of(location: str, where: str) -> str:
    """Return the last part of an address or a path."""
    try:
        path = urlsplit(location).path if "://" in location else location
    except ValueError:
        raise LockInvalid("an address that is none", where=where) from None
    name = unquote(path.rstrip("/").rpartition("/")[2])
    if not name or name in {".", ".."} or set(name) & set("/\\\0\r\n"):
        raise LockInvalid("an address without the name of a file", where=where)
    return name


def place_of(root: Path, value: str, where: str) -> Path:
    """Return where a path that is relative to a folder leads. It may lead out of it: workspaces do."""
    if "\0" in value:
        raise LockInvalid("a path with a null byte is no path", where=where)
    return Path(os.path.normpath(root / value))
