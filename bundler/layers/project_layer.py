"""The layer of the project's files, and that of files in memory."""

from __future__ import annotations

import hashlib
import json
from typing import TYPE_CHECKING, Final

from bundler.errors import FileChanged
from bundler.layers import deflate
from bundler.layers.layer_writer import MEDIA_TYPE, LayerWriter
from bundler.layers.reasons import reason
from bundler.model import Layer

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator, Sequence
    from pathlib import Path

    from bundler.cache import Cache, Entry
    from bundler.layers.bytecode import Compiler
    from bundler.model import ProjectFile

_KIND: Final = "project-1"
"""Counts up when the bytes of a layer change for the same files."""

_STREAMS: Final = "streams-1"
_CHUNK: Final = 1 << 20
_LARGE: Final = 1 << 21
"""Files from that size on (2 MiB) are not packed: the encoder whose bytes are the same everywhere takes 0.3 s/MiB."""

APP_UID: Final = 10_001
"""Number of the user that jobs run as."""


def project_layer(
    files: Iterable[ProjectFile],
    *,
    cache: Cache,
    root: str = "/app",
    uid: int = APP_UID,
    gid: int = APP_UID,
    compiler: Compiler | None = None,
    history: str = "",
    name: str = "project",
) -> Layer:
    """Return the layer of files, in the order that they are given in.

    Args:
        files: what is in it.
        cache: keeps it.
        root: absolute path in the image that their places are relative to.
        uid: number of the owner.
        gid: number of the owner's group.
        compiler: makes instrumented bytecode; None for none.
        history: names the project, to say why the layer was made anew, and to pack again only what has changed.
        name: of the layer.

    Raises:
        FileChanged: a file changed or went away meanwhile.
    """
    listed = [(file, _digest(file)) for file in files]
    settings = {
        "root": root,
        "owner": f"{uid}:{gid}",
        "bytecode": compiler.identity if compiler is not None else "none",
    }
    contents = [[file.place, file.is_executable, digest] for file, digest in listed]
    key = json.dumps([settings, contents], sort_keys=True)
    entry = cache.find(_KIND, key)
    parts = {**settings, **{file.place: f"{digest}{' x' * file.is_executable}" for file, digest in listed}}
    why = reason(cache, history, name, parts, is_found=entry is not None)
    if entry is None:
        entry = _written(listed, cache, key, _Place(root, uid, gid), compiler, history)
    return Layer(blob=entry.blob(MEDIA_TYPE), diff_id=entry.facts["diff_id"], name=name, reason=why)


class _Place:
    """Where the files go, and whose they are."""

    def __init__(self, root: str, uid: int, gid: int) -> None:
        self.root = root.strip("/")
        self.uid = uid
        self.gid = gid

    def of(self, file: ProjectFile) -> str:
        """Return the path of a file in the image."""
        if file.place.startswith("/") or ".." in file.place.split("/"):
            raise ValueError(file.place)  # whoever lists the files makes sure of it
        return f"{self.root}/{file.place}".lstrip("/")

    def above(self) -> list[str]:
        """Return the folders above the root, which are the base image's."""
        parts = self.root.split("/")
        return ["/".join(parts[:count]) for count in range(1, len(parts))]


def _written(
    listed: Sequence[tuple[ProjectFile, str]],
    cache: Cache,
    key: str,
    place: _Place,
    compiler: Compiler | None,
    history: str,
) -> Entry:
    streams = Streams(cache, history)
    sources = []
    with cache.writer() as output:
        writer = LayerWriter(output, uid=place.uid, gid=place.gid, existing=place.above())
        if place.root:
            writer.folder(place.root)
        for file, digest in listed:
            path = place.of(file)
            if file.size >= _LARGE:
                writer.stored(path, file.size, _pieces(file, digest), is_executable=file.is_executable)
                continue
            content = b"".join(_pieces(file, digest))
            stream = streams.of(content, digest)
            writer.file(path, content, is_executable=file.is_executable, stream=stream)
            if path.endswith(".py"):
                sources.append((path, content))
        for bytecode in compiler.instrumented(sources) if compiler is not None else ():
            writer.file(bytecode.place, bytecode.content, stream=bytecode.stream)
        diff_id = writer.finish()
        streams.keep()
        return output.commit(_KIND, key, {"diff_id": diff_id})


class Streams:
    """Deflate streams of a project's files, kept from build to build, so that only what has changed is packed.

    Args:
        cache: keeps them.
        history: names the project; empty for one that is not remembered.
    """

    def __init__(self, cache: Cache, history: str) -> None:
        self._cache = cache
        self._history = history
        self._kept: dict[str, bytes] = {}
        self._now: dict[str, bytes] = {}
        entry = cache.find(_STREAMS, history) if history else None
        if entry is not None:
            with entry.blob(MEDIA_TYPE).open() as stream:
                data = stream.read()
            self._kept = {digest: data[start:end] for digest, (start, end) in entry.facts.items()}

    def of(self, content: bytes, digest: str) -> bytes:
        """Return the stream of a content."""
        known = self._kept.get(digest)
        self._now[digest] = known if known is not None else deflate.compact(content)
        return self._now[digest]

    def keep(self) -> None:
        """Keep the streams that were asked for."""
        if not self._history or self._now.keys() == self._kept.keys():
            return
        places, at = {}, 0
        for digest, stream in self._now.items():
            places[digest] = [at, at + len(stream)]
            at += len(stream)
        self._cache.put(_STREAMS, self._history, b"".join(self._now.values()), places)


def _digest(file: ProjectFile) -> str:
    try:
        with file.source.open("rb") as stream:
            return hashlib.file_digest(stream, "sha256").hexdigest()
    except OSError as error:
        raise _changed(file.source, f"cannot be read: {error.strerror}") from error


def _pieces(file: ProjectFile, digest: str) -> Iterator[bytes]:
    """Yield the content of a file, and see that it is the one that was hashed."""
    seen = hashlib.sha256()
    size = 0
    try:
        with file.source.open("rb") as stream:
            while piece := stream.read(_CHUNK):
                seen.update(piece)
                size += len(piece)
                yield piece
    except OSError as error:
        raise _changed(file.source, f"cannot be read: {error.strerror}") from error
    if seen.hexdigest() != digest or (size != file.size and file.size >= _LARGE):
        raise _changed(file.source, "changed while it was read")


def _changed(path: Path, fault: str) -> FileChanged:
    return FileChanged(f"{path.name} {fault}", where=str(path))
