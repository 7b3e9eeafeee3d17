"""Which source line of the project is running: found by walking the stack, for errors and the guard."""

from __future__ import annotations

import os
import sys
import sysconfig
from dataclasses import dataclass
from functools import lru_cache
from inspect import CO_ASYNC_GENERATOR, CO_COROUTINE
from pathlib import Path
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Iterator
    from types import FrameType

SDK_FOLDER = os.path.dirname(os.path.dirname(os.path.abspath(__file__))) + os.sep  # noqa: PTH100, PTH120 - see below
"""Where our own code lies, as our code objects spell it (links are not resolved), with a separator at its end."""

LIBRARY_FOLDERS = tuple(
    {os.path.realpath(sysconfig.get_path(name)) + os.sep for name in ("stdlib", "platstdlib", "purelib", "platlib")}
)
"""Where the interpreter keeps the standard library and installed packages, each with a separator at its end."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Place:
    """A line of source.

    Attributes:
        file: absolute path.
        line: line number, from 1.
        in_coroutine: True when it lies in an ``async def``.
    """

    file: str
    line: int
    in_coroutine: bool

    @property
    def where(self) -> str:
        """``jobs/a.py:12``, relative to the working folder where it lies below it."""
        return self.relative_to(Path.cwd())

    def relative_to(self, folder: Path) -> str:
        """Return ``jobs/a.py:12``, relative to ``folder`` where it lies below it."""
        path = Path(self.file)
        shown = path.relative_to(folder).as_posix() if path.is_relative_to(folder) else path.as_posix()
        return f"{shown}:{self.line}"


def stack(frame: FrameType | None) -> Iterator[FrameType]:
    """Yield ``frame`` and its callers, innermost first."""
    while frame is not None:
        yield frame
        frame = frame.f_back


def place_of(frame: FrameType) -> Place:
    """Return the line at which ``frame`` stands."""
    code = frame.f_code
    return Place(
        file=code.co_filename,
        line=frame.f_lineno or code.co_firstlineno,
        in_coroutine=bool(code.co_flags & (CO_COROUTINE | CO_ASYNC_GENERATOR)),
    )


@lru_cache(maxsize=4096)
def is_user_file(filename: str) -> bool:
    """Tell whether code of this file is the user's: neither ours, nor the interpreter's, nor an installed package's."""
    if filename.startswith("<") or not filename:
        return False
    path = os.path.realpath(filename)
    if filename.startswith(SDK_FOLDER) or path.startswith((SDK_FOLDER, *LIBRARY_FOLDERS)):
        return False
    return not {"site-packages", "dist-packages"}.intersection(Path(path).parts)


def calling_place() -> Place | None:
    """Return the innermost line of user code on the stack, or None when there is none."""
    for frame in stack(sys._getframe(1)):  # noqa: SLF001 - the documented way to one's own stack, without inspect's cost
        if is_user_file(frame.f_code.co_filename):
            return place_of(frame)
    return None
