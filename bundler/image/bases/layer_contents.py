"""What a layer of a base holds, as far as a build must know it: interpreters, the C library, and what it takes away."""

from __future__ import annotations

import hashlib
import re
import struct
from collections.abc import Callable, Mapping
from dataclasses import asdict, dataclass, field
from typing import Any, BinaryIO, Final

from bundler.cache import Cache
from bundler.image.errors import BaseInvalid
from bundler.image.inflating import ZSTD, Inflating
from bundler.image.tar_entries import Entry, TarParser
from bundler.model import Digest

_KIND: Final = "layer-contents-1"
_CHUNK: Final = 1 << 20
_INTERPRETER: Final = re.compile(r"(?:.*/)?bin/python\d+\.\d+")
_MUSL: Final = re.compile(r"(?:.*/)?lib/ld-musl-[^/]+\.so\.1")
_GLIBC: Final = re.compile(r"(?:.*/)?libc(?:-\d+\.\d+\.so|\.so\.6)")
_GLIBC_VERSION: Final = re.compile(rb"GNU C Library [^\n]{0,80}? version (\d{1,2})\.(\d{1,3})")
_MOST_LIBC: Final = 1 << 24
_MOST_NAMES: Final = 200_000
_ELF_MACHINE: Final = struct.Struct("<4sBBB9xHH")
_ELF_HEAD: Final = 20
_MACHINES: Final = {62: "amd64", 183: "arm64"}
_OPAQUE: Final = ".wh..wh..opq"
_WHITEOUT: Final = ".wh."


@dataclass(frozen=True, slots=True, kw_only=True)
class LayerContents:
    """What is known of the tar of a layer.

    Attributes:
        diff_id: its digest.
        size: its size in bytes.
        interpreters: paths of files and links called ``bin/pythonX.Y``, without a slash in front.
        architectures: of those that are programs, by path, as in OCI.
        has_musl: whether the loader of musl is in it.
        glibc: version of the C library of GNU in it, ``[2, 36]``; empty when it is not there.
        removed: paths of lower layers that it takes away, with what is below them.
        emptied: folders of lower layers whose contents it takes away.
    """

    diff_id: Digest
    size: int
    interpreters: tuple[str, ...] = ()
    architectures: Mapping[str, str] = field(default_factory=dict)
    has_musl: bool = False
    glibc: tuple[int, ...] = ()
    removed: tuple[str, ...] = ()
    emptied: tuple[str, ...] = ()

    @classmethod
    def from_facts(cls, facts: Mapping[str, Any]) -> LayerContents:
        """Read what was kept in a cache."""
        lists = {name: tuple(facts[name]) for name in ("interpreters", "glibc", "removed", "emptied")}
        return cls(**{**facts, **lists})


class LayerScan:
    """Takes the bytes of a layer as they are stored, in pieces of any size, and tells what is in it.

    Args:
        where: names the layer, for errors.
    """

    def __init__(self, where: str) -> None:
        self._where = where
        self._inflating = Inflating(where)
        self._visitor = _Found(where)
        self._parser = TarParser(self._visitor, where)
        self._packed = hashlib.sha256()
        self._tar = hashlib.sha256()
        self._size = 0

    def feed(self, data: bytes) -> None:
        """Take the next bytes; BaseInvalid when they are none of a layer."""
        self._packed.update(data)
        for piece in self._inflating.feed(data):
            self._unpacked(piece)

    def finish(self, expected: Digest = "") -> LayerContents:
        """The last byte has come: return what was found.

        Args:
            expected: digest that the bytes must have; empty for any.

        Raises:
            BaseInvalid: it is another, or the layer is not complete.
        """
        for piece in self._inflating.finish():
            self._unpacked(piece)
        self._parser.finish()
        if expected and expected != self.digest:
            raise BaseInvalid(f"{self._where} is not {expected}")
        return self._visitor.contents(f"sha256:{self._tar.hexdigest()}", self._size)

    @property
    def digest(self) -> Digest:
        """Digest of the bytes so far, as they are stored."""
        return f"sha256:{self._packed.hexdigest()}"

    def _unpacked(self, piece: bytes) -> None:
        if not self._size and piece.startswith(ZSTD):
            raise BaseInvalid(
                f"{self._where} is packed with zstd, and cannot be looked into here",
                hint='Say where the interpreter is: python = "/usr/bin/python3.11"; or pack the base with gzip.',
            )
        self._tar.update(piece)
        self._size += len(piece)
        self._parser.feed(piece)


class _Found:
    """Collects what matters of the entries of a layer."""

    def __init__(self, where: str) -> None:
        self._where = where
        self._interpreters: dict[str, None] = {}
        self._architectures: dict[str, str] = {}
        self._removed: dict[str, None] = {}
        self._emptied: dict[str, None] = {}
        self._has_musl = False
        self._glibc: tuple[int, ...] = ()
        self._name = ""
        self._wanted = 0
        self._content = bytearray()

    def begin(self, entry: Entry) -> None:
        """Note an entry by its name."""
        self._see()
        name = entry.name
        folder, _, last = name.rpartition("/")
        if last == _OPAQUE:
            self._emptied[folder] = None
        elif last.startswith(_WHITEOUT) and not last.startswith(".wh..wh."):
            self._removed[f"{folder}/{last.removeprefix(_WHITEOUT)}".lstrip("/")] = None
        elif _INTERPRETER.fullmatch(name) and entry.kind in {"file", "link", "symlink"}:
            self._interpreters[name] = None
            self._want(name, min(entry.size, _ELF_HEAD))
        elif _GLIBC.fullmatch(name) and entry.kind == "file":
            self._want(name, min(entry.size, _MOST_LIBC))
        elif _MUSL.fullmatch(name):
            self._has_musl = True
        if len(self._removed) + len(self._emptied) + len(self._interpreters) > _MOST_NAMES:
            raise BaseInvalid(f"{self._where} takes away more files than any honest layer does")

    def data(self, piece: memoryview) -> None:
        """Keep the beginning of a program, and the C library."""
        if self._wanted:
            part = piece[: self._wanted]
            self._wanted -= len(part)
            self._content += part

    def contents(self, diff_id: Digest, size: int) -> LayerContents:
        """Return what was found."""
        self._see()
        return LayerContents(
            diff_id=diff_id, size=size, interpreters=tuple(self._interpreters), architectures=self._architectures,
            has_musl=self._has_musl, glibc=self._glibc, removed=tuple(self._removed), emptied=tuple(self._emptied),
        )  # fmt: skip

    def _want(self, name: str, size: int) -> None:
        self._name, self._wanted = name, size

    def _see(self) -> None:
        """Understand the content that was kept."""
        content = bytes(self._content)
        self._content.clear()
        self._wanted = 0
        if not content:
            return
        if _INTERPRETER.fullmatch(self._name):
            if len(content) == _ELF_HEAD and content.startswith(b"\x7fELF"):
                machine = _ELF_MACHINE.unpack(content)[-1]
                self._architectures[self._name] = _MACHINES.get(machine, f"machine {machine}")
        elif version := _GLIBC_VERSION.search(content):
            self._glibc = (int(version[1]), int(version[2]))


def layer_contents(digest: Digest, open_layer: Callable[[], BinaryIO], cache: Cache, where: str) -> LayerContents:
    """Return what a layer on this machine holds; it is read once, and what was found is kept.

    Args:
        digest: of its bytes as they are stored.
        open_layer: opens them.
        cache: keeps what was found.
        where: names the layer, for errors.

    Raises:
        BaseInvalid: it is no layer, or not the one of that digest.
    """
    if (known := recalled(digest, cache)) is not None:
        return known
    scan = LayerScan(where)
    with open_layer() as stream:
        while chunk := stream.read(_CHUNK):
            scan.feed(chunk)
    found = scan.finish(digest)
    remember(digest, found, cache)
    return found


def recalled(digest: Digest, cache: Cache) -> LayerContents | None:
    """Return what was found in a layer earlier."""
    facts = cache.recall(_KIND, digest)
    return None if facts is None else LayerContents.from_facts(facts)


def remember(digest: Digest, contents: LayerContents, cache: Cache) -> None:
    """Keep what was found in a layer."""
    cache.remember(_KIND, digest, asdict(contents))
