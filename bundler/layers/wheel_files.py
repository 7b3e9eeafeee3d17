"""What is in a wheel and where each file goes: the installation of a wheel as a value.

Follows the binary distribution format (PEP 427 and its successors): ``NAME-VERSION.data/KEY/`` is spread over the
scheme, signatures and what installers leave behind are dropped, entry points become programs.
"""

from __future__ import annotations

import base64
import binascii
import csv
import re
from dataclasses import dataclass
from email.parser import Parser
from typing import TYPE_CHECKING, Final

from bundler.errors import WheelInvalid, WheelUnsafe
from bundler.layers.scripts import EntryPoint, entry_points

if TYPE_CHECKING:
    from collections.abc import Mapping

    from bundler.layers.archive import Archive, Member
    from bundler.layers.scheme import Scheme
    from bundler.model import Wheel

_DROPPED: Final = frozenset(("RECORD", "RECORD.jws", "RECORD.p7s", "INSTALLER", "REQUESTED", "direct_url.json"))
"""Files of the metadata that are made anew, or are not true of an image."""

_HASHES: Final = {"sha256": 32, "sha384": 48, "sha512": 64}
_PYTHON: Final = re.compile(r"python[0-9.]*")


@dataclass(frozen=True, slots=True, kw_only=True)
class Placed:
    """A file of a wheel and its place.

    Attributes:
        member: the file in the archive.
        place: its path in the image.
        is_script: whether its first line may have to be rewritten.
        is_executable: whether it gets the permission to be executed.
        hashed: algorithm and digest that RECORD states; None when it states none that can be checked.
    """

    member: Member
    place: str
    is_script: bool
    is_executable: bool
    hashed: tuple[str, bytes] | None


@dataclass(frozen=True, slots=True, kw_only=True)
class WheelFiles:
    """What a wheel puts into an image.

    Attributes:
        site: folder in the image that its modules go into.
        metadata: name of its folder of metadata, ``numpy-2.1.0.dist-info``.
        placed: its files in order of their places.
        programs: entry points that become programs.
    """

    site: str
    metadata: str
    placed: tuple[Placed, ...]
    programs: tuple[EntryPoint, ...]

    def places(self, scheme: Scheme) -> set[str]:
        """Return every path that it puts something at."""
        own = {f"{self.site}/{self.metadata}/{name}" for name in ("RECORD", "INSTALLER")}
        return own | {file.place for file in self.placed} | {f"{scheme.scripts}/{p.name}" for p in self.programs}


def wheel_files(wheel: Wheel, archive: Archive, scheme: Scheme) -> WheelFiles:
    """Return what a wheel puts where.

    Raises:
        WheelInvalid: its metadata is missing or cannot be understood.
        WheelUnsafe: a file would go where it must not.
    """
    members = {member.name: member for member in archive.members}
    metadata = _metadata_folder(wheel, members)
    for name in ("METADATA", "RECORD"):
        if f"{metadata}/{name}" not in members:
            raise WheelInvalid(f"{wheel.filename} has no {name}")
    site = scheme.purelib if _is_pure(wheel, archive, members, metadata) else scheme.platlib
    hashes = _hashes(wheel, archive.whole(members[f"{metadata}/RECORD"]))
    spread = _Spread(wheel, scheme, site, metadata)
    placed = [
        spread.placed(member, hashes.get(name))
        for name, member in members.items()
        if not (name.startswith(f"{metadata}/") and name[len(metadata) + 1 :] in _DROPPED)
    ]
    points = members.get(f"{metadata}/entry_points.txt")
    programs = entry_points(_text(archive.whole(points), "entry_points.txt", wheel), wheel.filename) if points else []
    replaced = {f"{scheme.scripts}/{point.name}" for point in programs}  # a launcher wins over a script, as in pip
    files = WheelFiles(
        site=site,
        metadata=metadata,
        placed=tuple(sorted((file for file in placed if file.place not in replaced), key=lambda file: file.place)),
        programs=tuple(programs),
    )
    _check_places(wheel, files, scheme)
    return files


def _metadata_folder(wheel: Wheel, members: Mapping[str, Member]) -> str:
    folders = {
        name.partition("/")[0] for name in members if name.partition("/")[0].endswith(".dist-info") and "/" in name
    }
    if len(folders) != 1:
        found = ", ".join(sorted(folders)) or "none"
        raise WheelInvalid(f"{wheel.filename} should have one folder of metadata (*.dist-info); found: {found}")
    folder = folders.pop()
    if _normalised(folder.removesuffix(".dist-info").rpartition("-")[0]) != _normalised(wheel.name):
        raise WheelInvalid(f"the metadata in {wheel.filename} is that of another distribution: {folder}")
    return folder


def _normalised(name: str) -> str:
    return re.sub(r"[-_.]+", "-", name).lower()


def _is_pure(wheel: Wheel, archive: Archive, members: Mapping[str, Member], metadata: str) -> bool:
    member = members.get(f"{metadata}/WHEEL")
    if member is None:
        raise WheelInvalid(f"{wheel.filename} has no WHEEL")
    headers = Parser().parsestr(_text(archive.whole(member), "WHEEL", wheel))
    version = str(headers.get("Wheel-Version", "")).strip()
    if version.partition(".")[0] != "1":
        raise WheelInvalid(f"{wheel.filename} is of version {version or 'none'} of the wheel format; 1 is known")
    return str(headers.get("Root-Is-Purelib", "")).strip().lower() == "true"


def _hashes(wheel: Wheel, record: bytes) -> dict[str, tuple[str, bytes]]:
    """Return algorithm and digest of each path in RECORD that has one which can be checked."""
    found: dict[str, tuple[str, bytes]] = {}
    try:
        rows = list(csv.reader(_text(record, "RECORD", wheel).splitlines()))
    except csv.Error as error:
        raise WheelInvalid(f"RECORD of {wheel.filename} cannot be read", detail=str(error)) from error
    for row in rows:
        algorithm, _, digest = (row[1] if len(row) > 1 else "").partition("=")
        if algorithm not in _HASHES:
            continue
        try:
            value = base64.urlsafe_b64decode(digest + "=" * (-len(digest) % 4))
        except (binascii.Error, ValueError):
            value = b""
        if len(value) != _HASHES[algorithm]:
            raise WheelInvalid(f"RECORD of {wheel.filename} has no digest for {row[0]!r} but {digest!r}")
        if found.setdefault(row[0], (algorithm, value)) != (algorithm, value):
            raise WheelUnsafe(f"RECORD of {wheel.filename} has two digests for {row[0]!r}")
    return found


def _text(content: bytes, name: str, wheel: Wheel) -> str:
    try:
        return content.decode("utf-8-sig" if name != "RECORD" else "utf-8")
    except UnicodeDecodeError as error:
        raise WheelInvalid(f"{name} of {wheel.filename} is no text") from error


class _Spread:
    """Finds the place of each file of one wheel."""

    def __init__(self, wheel: Wheel, scheme: Scheme, site: str, metadata: str) -> None:
        self._wheel = wheel
        self._site = site
        stem = metadata.removesuffix(".dist-info")
        self._folders = {
            "purelib": scheme.purelib,
            "platlib": scheme.platlib,
            "scripts": scheme.scripts,
            "headers": f"{scheme.headers}/{stem.rpartition('-')[0]}",
            "data": scheme.data,
        }

    def placed(self, member: Member, hashed: tuple[str, bytes] | None) -> Placed:
        """Return a file with its place."""
        # As pip has it: whatever stands before ".data", which some write otherwise than the folder of metadata.
        top, _, inside = member.name.partition("/")
        if not (inside and top.endswith(".data")):
            return Placed(
                member=member, place=f"{self._site}/{member.name}", is_script=False,
                is_executable=member.is_executable, hashed=hashed,
            )  # fmt: skip
        key, _, rest = inside.partition("/")
        if key not in self._folders or not rest:
            raise WheelInvalid(f"{self._wheel.filename} has data of an unknown kind: {member.name!r}")
        is_script = key == "scripts"
        return Placed(
            member=member, place=f"{self._folders[key]}/{rest}", is_script=is_script,
            is_executable=is_script or member.is_executable, hashed=hashed,
        )  # fmt: skip


def _check_places(wheel: Wheel, files: WheelFiles, scheme: Scheme) -> None:
    """Refuse two files at one place, and one in the interpreter's."""
    seen: set[str] = set()
    programs = [f"{scheme.scripts}/{point.name}" for point in files.programs]
    for place in [*(file.place for file in files.placed), *programs]:
        if place in seen:
            raise WheelUnsafe(f"{wheel.filename} has two files for /{place}")
        seen.add(place)
        folder, _, name = place.rpartition("/")
        if f"/{place}" == scheme.interpreter or (folder == scheme.scripts and _PYTHON.fullmatch(name)):
            raise WheelUnsafe(f"{wheel.filename} would replace the image's interpreter, /{place}")
    folders = {place.rpartition("/")[0] for place in seen}
    if both := sorted(seen & folders):
        raise WheelUnsafe(f"{wheel.filename} has a file and a folder at /{both[0]}")
