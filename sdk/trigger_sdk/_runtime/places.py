"""Source places: which frames are the project's, and how they are written in journals and messages."""

from __future__ import annotations

import sys
from pathlib import Path
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Callable
    from types import FrameType


class Places:
    """Writes source places relative to the project.

    Args:
        root: the project's folder.
        is_project_file: tells whether an absolute path is the project's own code.
    """

    def __init__(self, root: Path, is_project_file: Callable[[Path], bool]) -> None:
        self._root = root
        self._is_project_file = is_project_file
        self._files: dict[str, str] = {}

    def relative(self, line: str) -> str:
        """Return ``file:line`` with the file relative to the project when it is inside."""
        file, _, number = line.rpartition(":")
        return f"{self._files.get(file) or self._look_up(file) or file}:{number}" if file else line

    def here(self, frame: FrameType | None = None) -> str:
        """Return the place of the nearest frame of the project's code, from the caller outwards; empty without one."""
        current: FrameType | None = frame or sys._getframe(1)  # noqa: SLF001 - the documented way to a caller
        while current is not None:
            file = current.f_code.co_filename
            place = self._files.get(file)
            if place is None:
                place = self._look_up(file)
            if place:
                return f"{place}:{current.f_lineno}"
            current = current.f_back
        return ""

    def _look_up(self, file: str) -> str:
        """Return a file's path in the project, or the empty string for one that is not the project's."""
        path = Path(file)
        place = ""
        if path.is_absolute() and self._is_project_file(path):
            place = path.relative_to(self._root).as_posix() if path.is_relative_to(self._root) else file
        self._files[file] = place
        return place
