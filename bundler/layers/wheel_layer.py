"""Layers of wheels, made without unpacking them to disk."""

from __future__ import annotations

import base64
import csv
import hashlib
import io
import json
import os
import posixpath
from concurrent.futures import ThreadPoolExecutor
from typing import TYPE_CHECKING, Final

from bundler.errors import WheelDamaged
from bundler.layers.archive import Archive, Inflation
from bundler.layers.collisions import Collision, collisions
from bundler.layers.layer_writer import MEDIA_TYPE, LayerWriter
from bundler.layers.reasons import reason
from bundler.layers.scripts import is_placeholder, launcher, with_interpreter
from bundler.layers.wheel_files import WheelFiles, wheel_files
from bundler.model import Layer, Silent

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable, Iterator, Sequence

    from bundler.cache import Cache
    from bundler.layers.archive import Member
    from bundler.layers.bytecode import Compiler
    from bundler.layers.environment import Environment
    from bundler.layers.scheme import Scheme
    from bundler.layers.wheel_files import Placed
    from bundler.model import Progress, Wheel

_KIND: Final = "layer-2"
"""Counts up when the bytes of a layer change for the same wheels."""

INSTALLER: Final = b"trigger\n"
_HEAD_OF_SCRIPT: Final = 64


def wheel_layers(
    groups: Sequence[Sequence[Wheel]],
    *,
    scheme: Scheme,
    cache: Cache,
    compiler: Compiler | None = None,
    history: str = "",
    progress: Progress | None = None,
) -> tuple[list[Layer], tuple[Collision, ...]]:
    """Return a layer for each group of wheels, and the paths that several wheels fill differently.

    Blocks; the work is spread over threads, and over processes where there is bytecode to make.

    Args:
        groups: as :func:`bundler.layers.grouping.group` gives them.
        scheme: where things go.
        cache: keeps layers.
        compiler: makes bytecode; None for none.
        history: names the project, to say why a layer was made anew.
        progress: hears how far it is, in bytes of wheels.
    """
    heard = progress if progress is not None else Silent()
    found = collisions([wheel for wheels in groups for wheel in wheels], scheme, cache)
    dropped = frozenset((name, item.place) for item in found for name in item.dropped)
    sizes = [sum(wheel.path.stat().st_size for wheel in wheels) for wheels in groups]
    heard.start("layers", sum(sizes))

    def make(index: int) -> Layer:
        layer = wheel_layer(
            groups[index], scheme=scheme, cache=cache, compiler=compiler, dropped=dropped, history=history
        )
        heard.advance("layers", sizes[index])
        return layer

    try:
        # The largest first: it takes longest, and the others fit beside it.
        order = sorted(range(len(groups)), key=lambda index: -sizes[index])
        with ThreadPoolExecutor(min(8, os.cpu_count() or 1), thread_name_prefix="layer") as pool:
            made = dict(zip(order, pool.map(make, order), strict=True))
    finally:
        heard.finish("layers")
    return [made[index] for index in range(len(groups))], found


def wheel_layer(
    wheels: Sequence[Wheel],
    *,
    scheme: Scheme,
    cache: Cache,
    compiler: Compiler | None = None,
    dropped: frozenset[tuple[str, str]] = frozenset(),
    history: str = "",
    environment: Environment | None = None,
) -> Layer:
    """Return the layer of wheels.

    Args:
        wheels: what is in it.
        scheme: where things go.
        cache: keeps it.
        compiler: makes bytecode; None for none.
        dropped: name of a distribution and path in the image, of files that are left out.
        history: names the project, to say why the layer was made anew.
        environment: whose frame goes into this layer; None for none.

    Raises:
        WheelInvalid: one is no wheel.
        WheelUnsafe: one would write where it must not, or is ambiguous.
        WheelDamaged: one is not what it says it is.
        WheelTooLarge: one unpacks to more than any honest one.
    """
    ordered = sorted(wheels, key=lambda wheel: wheel.name)
    names = {wheel.name for wheel in ordered}
    left_out = sorted(pair for pair in dropped if pair[0] in names)
    settings = {"scheme": scheme.identity(), "bytecode": compiler.identity if compiler is not None else "none"}
    if environment is not None:
        settings["base's interpreter"] = environment.base_python
    key = json.dumps([settings, [wheel.sha256 for wheel in ordered], left_out], sort_keys=True)
    entry = cache.find(_KIND, key)
    slot, name = _names(ordered)
    parts = {**settings, **{wheel.name: f"{wheel.version} {wheel.sha256}" for wheel in ordered}}
    parts["files of other wheels"] = json.dumps(left_out)
    why = reason(cache, history, slot, parts, is_found=entry is not None)
    if entry is None:
        with cache.writer() as output:
            # Of a virtual environment that we make, the base has none of the folders.
            writer = LayerWriter(output, existing=scheme.existing if environment is None else ())
            if environment is not None:
                environment.add_to(writer)
            filler = _Filler(writer, scheme, compiler, frozenset(left_out))
            for wheel in ordered:
                filler.add(wheel)
            entry = output.commit(_KIND, key, {"diff_id": writer.finish()})
    return Layer(blob=entry.blob(MEDIA_TYPE), diff_id=entry.facts["diff_id"], name=name, reason=why)


def _names(wheels: Sequence[Wheel]) -> tuple[str, str]:
    """Return the slot of a layer in the image, which is the same for other versions, and its name."""
    if len(wheels) == 1:
        return f"wheel {wheels[0].name}", f"wheel {wheels[0].name} {wheels[0].version}"
    return "wheels", f"{len(wheels)} wheels"


class _Filler:
    """Adds wheels to one layer."""

    def __init__(
        self, writer: LayerWriter, scheme: Scheme, compiler: Compiler | None, dropped: frozenset[tuple[str, str]]
    ) -> None:
        self._writer = writer
        self._scheme = scheme
        self._compiler = compiler
        self._dropped = dropped
        self._written: set[str] = set()

    def add(self, wheel: Wheel) -> None:
        """Add everything that installing a wheel makes."""
        rows: list[tuple[str, str, str]] = []
        with Archive(wheel.path) as archive:
            files = wheel_files(wheel, archive, self._scheme)
            placed = [file for file in files.placed if (wheel.name, file.place) not in self._dropped]
            for file in placed:
                digest, size = self._add_file(wheel, archive, file)
                rows.append((file.place, _recorded(digest), str(size)))
            for place, content, is_executable in self._made(wheel, files):
                rows.append((place, recorded(content), str(len(content))))
                self._add_made(place, content, is_executable=is_executable)
            rows.extend(self._add_bytecode(archive, files, placed))
        record = f"{files.site}/{files.metadata}/RECORD"
        rows.append((record, "", ""))
        self._add_made(record, _record(rows, files.site))

    def _add_file(self, wheel: Wheel, archive: Archive, file: Placed) -> tuple[bytes, int]:
        """Add a file of a wheel, unless one with the same content is there; return its digest and size."""
        member = file.member
        if file.is_script and is_placeholder(_head(archive, member)):
            source = archive.whole(member)
            _check(wheel, file, _Hashes(file).updated(source))
            content = with_interpreter(source, self._scheme.interpreter)
            self._add_made(file.place, content, is_executable=True)
            return hashlib.sha256(content).digest(), len(content)
        hashes = _Hashes(file)
        if file.place in self._written:
            for piece in archive.content(member):
                hashes.updated(piece)
        elif member.is_deflated:
            inflation = Inflation(member, archive.name)
            self._writer.spliced(
                file.place, member.size, archive.data(member), hashes.passing(inflation.pieces), member.crc,
                is_executable=file.is_executable,
            )  # fmt: skip
            inflation.finish()
        else:
            content_pieces = hashes.each(archive.content(member))
            self._writer.stored(file.place, member.size, content_pieces, is_executable=file.is_executable)
        self._written.add(file.place)
        _check(wheel, file, hashes)
        return hashes.sha256.digest(), member.size

    def _made(self, wheel: Wheel, files: WheelFiles) -> Iterator[tuple[str, bytes, bool]]:
        """Yield place, content and permission of the files that no wheel has but every installation."""
        for point in files.programs:
            place = f"{self._scheme.scripts}/{point.name}"
            if (wheel.name, place) not in self._dropped:
                yield place, launcher(point, self._scheme.interpreter), True
        yield f"{files.site}/{files.metadata}/INSTALLER", INSTALLER, False

    def _add_made(self, place: str, content: bytes, *, is_executable: bool = False) -> None:
        if place not in self._written:
            self._writer.file(place, content, is_executable=is_executable)
        self._written.add(place)

    def _add_bytecode(
        self, archive: Archive, files: WheelFiles, placed: Iterable[Placed]
    ) -> Iterator[tuple[str, str, str]]:
        if self._compiler is None:
            return
        sources = [
            (file.place, archive.whole(file.member))
            for file in placed
            if file.place.endswith(".py") and file.place.startswith(f"{files.site}/")
        ]
        for bytecode in self._compiler.plain(sources):
            if bytecode.place not in self._written:
                self._writer.file(bytecode.place, bytecode.content, stream=bytecode.stream)
            self._written.add(bytecode.place)
            yield bytecode.place, "", ""


class _Hashes:
    """Digests of a file: the one of the new RECORD, and the one that the wheel's RECORD states if that is another."""

    def __init__(self, file: Placed) -> None:
        self.sha256 = hashlib.sha256()
        stated = file.hashed[0] if file.hashed is not None else "sha256"
        self.stated = self.sha256 if stated == "sha256" else hashlib.new(stated)

    def updated(self, piece: bytes) -> _Hashes:
        """Take in a piece of the content."""
        self.sha256.update(piece)
        if self.stated is not self.sha256:
            self.stated.update(piece)
        return self

    def each(self, pieces: Iterable[bytes]) -> Iterator[bytes]:
        """Take in the content on its way."""
        for piece in pieces:
            self.updated(piece)
            yield piece

    def passing(self, unpack: Callable[[bytes], Iterator[bytes]]) -> Callable[[bytes], Iterator[bytes]]:
        """Return an unpacking on whose way the content is taken in."""
        return lambda data: self.each(unpack(data))


def _check(wheel: Wheel, file: Placed, hashes: _Hashes) -> None:
    if file.hashed is not None and hashes.stated.digest() != file.hashed[1]:
        raise WheelDamaged(f"{file.member.name!r} in {wheel.filename} is not what RECORD says")


def _head(archive: Archive, member: Member) -> bytes:
    inflation = Inflation(member, archive.name)
    for data in archive.data(member):
        for piece in inflation.pieces(data):
            return piece[:_HEAD_OF_SCRIPT]
    return b""


def recorded(content: bytes) -> str:
    """Return the digest of a content as RECORD has it."""
    return _recorded(hashlib.sha256(content).digest())


def _recorded(digest: bytes) -> str:
    return f"sha256={base64.urlsafe_b64encode(digest).decode().rstrip('=')}"


def _record(rows: Iterable[tuple[str, str, str]], site: str) -> bytes:
    """Return RECORD: path from the folder of modules, digest and size of each file."""
    text = io.StringIO()
    relative = (
        (place[len(site) + 1 :] if place.startswith(f"{site}/") else posixpath.relpath(place, site), *rest)
        for place, *rest in rows
    )
    csv.writer(text, lineterminator="\n").writerows(sorted(relative))
    return text.getvalue().encode()
