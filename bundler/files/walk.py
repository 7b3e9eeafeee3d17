"""Everything below a folder, links followed as long as they stay inside and do not lead round in a circle."""

from __future__ import annotations

import os
import stat
from dataclasses import dataclass, replace
from pathlib import Path
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator


@dataclass(frozen=True, slots=True, kw_only=True)
class Found:
    """A thing in a folder.

    Attributes:
        place: its path relative to the root, with slashes; of a link, the link's.
        path: its absolute path; of a link, the link's.
        mode: as ``stat`` has it, links followed; 0 when it cannot be asked.
        size: in bytes; 0 of what is no file.
        is_link: it is a link.
        real: where a link leads to in the end; empty for what is none.
        is_below_link: a folder above it, or itself, is a link to a folder.
        outside: it is a link that leads out of the root.
        error: why it cannot be asked or listed; empty when it can.
    """

    place: str
    path: Path
    mode: int
    size: int
    is_link: bool = False
    real: str = ""
    is_below_link: bool = False
    outside: bool = False
    error: str = ""

    @property
    def is_folder(self) -> bool:
        """Whether it is a folder, or a link to one."""
        return stat.S_ISDIR(self.mode)


def walk(root: Path, *, enters: Callable[[Found], bool]) -> Iterator[Found]:
    """Yield everything below a folder that is no folder, and folders that cannot be listed.

    The order is the same wherever the folder lies. A link to a folder that it lies in itself would be listed without
    end, and is not followed.

    Args:
        root: the folder.
        enters: tells whether to look into a folder; asked before it is listed.
    """
    real_root = os.path.realpath(root)
    # Folders may be nested deeper than calls: their path, place, and the real paths of themselves and those above.
    # With them, whether one of these is a link.
    left: list[tuple[Path, str, tuple[str, ...], bool]] = [(root, "", (real_root,), False)]
    while left:
        folder, place, above, is_linked = left.pop()
        try:
            with os.scandir(folder) as listing:
                entries = sorted(listing, key=lambda entry: entry.name)
        except OSError as error:
            yield Found(place=place or ".", path=folder, mode=stat.S_IFDIR, size=0, error=error.strerror or str(error))
            continue
        for entry in entries:
            found = _found(entry, f"{place}/{entry.name}" if place else entry.name, above[-1], real_root)
            if is_linked or (found.is_link and found.is_folder):
                found = replace(found, is_below_link=True)
            if not found.is_folder:
                yield found
                continue
            if not os.access(found.path, os.R_OK | os.X_OK):
                yield replace(found, error="you may not")
                continue
            real = found.real if found.is_link else f"{above[-1].rstrip(os.sep)}{os.sep}{entry.name}"
            if real not in above and enters(found):
                left.append((found.path, found.place, (*above, real), found.is_below_link))


def _found(entry: os.DirEntry[str], place: str, folder: str, root: str) -> Found:
    """Return a thing in a folder, whose real path is known: that of a link is then short to find."""
    path = Path(entry.path)
    is_link = entry.is_symlink()
    real = os.path.realpath(f"{folder.rstrip(os.sep)}{os.sep}{entry.name}") if is_link else ""
    outside = is_link and not (real == root or real.startswith(root.rstrip(os.sep) + os.sep))
    try:
        status = entry.stat()
    except OSError as error:
        why = f"it is a link to {path.readlink()}, which is not there" if is_link else error.strerror or str(error)
        return Found(place=place, path=path, mode=0, size=0, is_link=is_link, real=real, outside=outside, error=why)
    size = status.st_size if stat.S_ISREG(status.st_mode) else 0
    return Found(place=place, path=path, mode=status.st_mode, size=size, is_link=is_link, real=real, outside=outside)
