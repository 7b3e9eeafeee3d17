"""What is in a tar that holds an image: OCI's layout, what engines save, or a plain root file system."""

from __future__ import annotations

import hashlib
import os
import posixpath
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Final, Literal

from bundler.cache import Cache, Entry
from bundler.image.bases.contents import ArchiveContents, Member, Stored, open_plain, signature_of
from bundler.image.errors import BaseInvalid
from bundler.image.inflating import GZIP, Inflating
from bundler.image.tar_entries import Entry as TarEntry
from bundler.image.tar_entries import TarParser

Kind = Literal["oci", "docker", "root"]

_TABLE: Final = "archive-table-1"
_UNPACKED: Final = "archive-unpacked-1"
_CHUNK: Final = 1 << 20
_MOST_MEMBERS: Final = 20_000
_SYSTEM: Final = frozenset(("bin", "etc", "lib", "usr"))
"""Folders that a root file system has, and an archive of an image has not."""


@dataclass(frozen=True, slots=True, kw_only=True)
class ArchiveTable:
    """What is in a tar.

    Attributes:
        kind: what the tar is.
        members: its files by name; empty for a root file system.
        is_packed: whether the tar is packed with gzip.
    """

    kind: Kind
    members: Mapping[str, Member]
    is_packed: bool


def archive_table(file: Path, cache: Cache, where: str) -> ArchiveTable:
    """Return what is in a tar, read once and kept while the file stays as it is.

    Raises:
        BaseInvalid: it is no tar, or an archive of an image with what none has.
        OSError: it cannot be read.
    """
    with open_plain(file, where) as stream:
        signature = signature_of(os.fstat(stream.fileno()))
        key = f"{file.absolute()}\0{signature}"
        if (facts := cache.recall(_TABLE, key)) is not None:
            return _from_facts(facts)
        is_packed = stream.read(len(GZIP)) == GZIP
        stream.seek(0)
        inflating, visitor = Inflating(where), _Listing(where)
        parser = TarParser(visitor, where)
        while chunk := stream.read(_CHUNK):
            for piece in inflating.feed(chunk):
                parser.feed(piece)
        for piece in inflating.finish():
            parser.feed(piece)
        parser.finish()
        table = visitor.table(is_packed=is_packed)
        if signature_of(os.fstat(stream.fileno())) == signature:
            cache.remember(_TABLE, key, _to_facts(table))
    return table


def archive_contents(table: ArchiveTable, file: Path, stored: Stored, cache: Cache, where: str) -> ArchiveContents:
    """Return the files in an archive of an image; one that is packed is unpacked into the cache first.

    Args:
        table: what is in it.
        file: the archive.
        stored: the same, with its digest.
        cache: keeps what was unpacked.
        where: names it, for people.
    """
    path = file if not table.is_packed else _unpacked(stored, cache, where).path
    return ArchiveContents(table.members, path, where)


class _Listing:
    """Lists the files of a tar, and what an archive of an image must not have; whether it is one is seen at the end."""

    def __init__(self, where: str) -> None:
        self._where = where
        self._members: dict[str, Member] = {}
        self._tops: set[str] = set()
        self._fault = ""
        self._open: TarEntry | None = None
        self._digest = hashlib.sha256()

    def begin(self, entry: TarEntry) -> None:
        """Note an entry."""
        self._close()
        self._tops.add(entry.name.partition("/")[0])
        if entry.kind == "folder":
            return
        if entry.name in self._members:
            self._fault = self._fault or f"{entry.name!r} more than once"
        if entry.kind in {"symlink", "link"}:
            folder = posixpath.dirname(entry.name) if entry.kind == "symlink" else ""
            target = posixpath.normpath(posixpath.join(folder, entry.target))
            if target.startswith(("/", "../")) or target == "..":
                self._fault = self._fault or f"{entry.name!r}, a link that leaves it"
            else:
                self._note(entry.name, Member(target=target))
        elif entry.kind == "file":
            self._open, self._digest = entry, hashlib.sha256()
        else:
            self._fault = self._fault or f"{entry.name!r}, which is no plain file"

    def data(self, piece: memoryview) -> None:
        """Hash a piece of a file."""
        if self._open is not None:
            self._digest.update(piece)

    def table(self, *, is_packed: bool) -> ArchiveTable:
        """Return what was found."""
        self._close()
        kind = self._kind()
        if kind == "root":
            return ArchiveTable(kind=kind, members={}, is_packed=is_packed)
        if self._fault:
            raise BaseInvalid(f"{self._where} holds {self._fault}")
        return ArchiveTable(kind=kind, members=self._members, is_packed=is_packed)

    def _kind(self) -> Kind:
        if self._tops & _SYSTEM:
            return "root"
        if {"oci-layout", "index.json"} <= self._tops:
            return "oci"
        if "manifest.json" in self._tops:
            return "docker"
        raise BaseInvalid(f"{self._where} is neither an archive of an image nor a root file system")

    def _close(self) -> None:
        if self._open is not None:
            digest = f"sha256:{self._digest.hexdigest()}"
            self._note(self._open.name, Member(digest=digest, size=self._open.size, offset=self._open.offset))
            self._open = None

    def _note(self, name: str, member: Member) -> None:
        if len(self._members) < _MOST_MEMBERS:
            self._members[name] = member
        else:
            self._fault = self._fault or f"more than {_MOST_MEMBERS} files"


def _unpacked(stored: Stored, cache: Cache, where: str) -> Entry:
    """Return an archive without its packing, kept in the cache."""
    entry = cache.find(_UNPACKED, stored.digest)
    if entry is not None:
        return entry
    inflating = Inflating(where)
    with cache.writer() as output, stored.open() as stream:
        while chunk := stream.read(_CHUNK):
            for piece in inflating.feed(chunk):
                output.write(piece)
        for piece in inflating.finish():
            output.write(piece)
        return output.commit(_UNPACKED, stored.digest, {})


def _to_facts(table: ArchiveTable) -> dict[str, Any]:
    members = {name: [each.digest, each.size, each.offset, each.target] for name, each in table.members.items()}
    return {"kind": table.kind, "is_packed": table.is_packed, "members": members}


def _from_facts(facts: Mapping[str, Any]) -> ArchiveTable:
    members = {
        name: Member(digest=digest, size=size, offset=offset, target=target)
        for name, (digest, size, offset, target) in facts["members"].items()
    }
    return ArchiveTable(kind=facts["kind"], members=members, is_packed=facts["is_packed"])
