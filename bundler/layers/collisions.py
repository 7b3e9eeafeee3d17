"""Files that more than one wheel has.

Installers let the last one win, whichever that is. Here it is the wheel whose name sorts last, in any grouping: the
others' files are left out of their layers. Files with the same content (``__init__.py`` of shared packages) are no
conflict.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Final

from bundler.errors import WheelInvalid
from bundler.layers.archive import Archive
from bundler.layers.wheel_files import wheel_files

if TYPE_CHECKING:
    from collections.abc import Sequence

    from bundler.cache import Cache
    from bundler.layers.scheme import Scheme
    from bundler.model import Wheel

_KIND: Final = "collisions-2"


@dataclass(frozen=True, slots=True, kw_only=True)
class Collision:
    """A path that several wheels fill differently.

    Attributes:
        place: the path in the image, without a slash in front.
        kept: name of the distribution whose file is there.
        dropped: names of those whose file is not.
    """

    place: str
    kept: str
    dropped: tuple[str, ...]


def collisions(wheels: Sequence[Wheel], scheme: Scheme, cache: Cache) -> tuple[Collision, ...]:
    """Return where wheels collide, in order of the places.

    Raises:
        WheelInvalid: two cannot be installed together: what is a file in one is a folder in the other.
    """
    ordered = sorted(wheels, key=lambda wheel: wheel.name)
    key = "\0".join([scheme.identity(), *(wheel.sha256 for wheel in ordered)])
    known = cache.recall(_KIND, key)
    if known is not None:
        return tuple(
            Collision(place=place, kept=kept, dropped=tuple(dropped)) for place, (kept, dropped) in known.items()
        )
    found = _found(ordered, scheme)
    cache.remember(_KIND, key, {item.place: [item.kept, list(item.dropped)] for item in found})
    return found


def _found(wheels: Sequence[Wheel], scheme: Scheme) -> tuple[Collision, ...]:
    owners: dict[str, list[tuple[Wheel, object]]] = {}
    folders: dict[str, Wheel] = {}
    for wheel in wheels:
        with Archive(wheel.path) as archive:
            files = wheel_files(wheel, archive, scheme)
        contents: dict[str, object] = {
            file.place: file.hashed or (file.member.crc, file.member.size) for file in files.placed
        }
        contents.update((f"{scheme.scripts}/{point.name}", point) for point in files.programs)
        for place, content in contents.items():
            owners.setdefault(place, []).append((wheel, content))
            folder = place.rpartition("/")[0]
            while folder and folder not in folders:
                folders[folder] = wheel
                folder = folder.rpartition("/")[0]
    for place in sorted(owners.keys() & folders.keys()):
        pair = f"{owners[place][0][0].filename} and {folders[place].filename}"
        raise WheelInvalid(f"{pair} cannot be installed together: /{place} is a file in one and a folder in the other")
    return tuple(
        Collision(place=place, kept=owned[-1][0].name, dropped=tuple(wheel.name for wheel, _ in owned[:-1]))
        for place, owned in sorted(owners.items())
        if len({content for _, content in owned}) > 1
    )
