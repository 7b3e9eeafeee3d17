"""Which lock a project has."""

from __future__ import annotations

import re
from pathlib import Path
from typing import Final

from bundler.locks.errors import LockInvalid, LockNotFound
from bundler.locks.model import Lock
from bundler.locks.pylock import read_pylock
from bundler.locks.resolved import (
    Wanted,
    read_pdm_lock,
    read_poetry_lock,
    read_requirements,
    resolve,
    without_dependencies,
)
from bundler.locks.tools import Tools
from bundler.locks.uv_lock import read_uv_lock

LOCKS: Final = ("uv.lock", "pylock.toml", "poetry.lock", "pdm.lock", "requirements.txt")
"""Names that are looked for in the project, the first that is there counts."""

_PYLOCK: Final = re.compile(r"pylock(\.[^.]+)?\.toml")


def read_lock(wanted: Wanted, tools: Tools, name: str = "") -> Lock:
    """Read the lock of a project; without one, resolve what its ``pyproject.toml`` requires.

    Args:
        wanted: for what.
        tools: programs that read what we do not.
        name: the lock, relative to the project; empty to look for one: in the project, and ``uv.lock`` also in the
            folders above it, since a workspace has one lock.

    Raises:
        LockNotFound, LockInvalid, LockStale, LockToolMissing, LockToolFailed: there is none that can be used.
    """
    path = wanted.project / name if name else find_lock(wanted.project)
    if path is None:
        pyproject = wanted.project / "pyproject.toml"
        return resolve(pyproject, wanted, tools) if pyproject.is_file() else without_dependencies(pyproject, wanted)
    if not path.is_file():
        raise LockNotFound(f"the lock '{name}' does not exist", where=str(path))
    return _read(path, wanted, tools)


def find_lock(project: Path) -> Path | None:
    """Return the lock of a project; None when it has none."""
    for name in LOCKS:
        if (project / name).is_file():
            return project / name
    return next(
        (path for folder in project.resolve().parents if _has_member(path := folder / "uv.lock", project)), None
    )


def _has_member(path: Path, project: Path) -> bool:
    """Tell whether a lock is that of a workspace that the project is a member of."""
    if not path.is_file() or not (project / "pyproject.toml").is_file():
        return False
    place = project.resolve().relative_to(path.parent.resolve()).as_posix()
    return f'"{place}"' in path.read_text(encoding="utf-8", errors="replace")


def _read(path: Path, wanted: Wanted, tools: Tools) -> Lock:
    if path.name == "uv.lock":
        return read_uv_lock(path, wanted.project, tools.cache)
    if _PYLOCK.fullmatch(path.name):
        return read_pylock(path, wanted.project, tools.cache)
    if path.name == "poetry.lock":
        return read_poetry_lock(path, wanted, tools)
    if path.name == "pdm.lock":
        return read_pdm_lock(path, wanted, tools)
    if path.suffix in {".txt", ".in"}:
        return read_requirements(path, wanted, tools)
    raise LockInvalid(
        f"'{path.name}' is no lock that is known",
        hint="Known are uv.lock, pylock.toml, poetry.lock, pdm.lock and requirements files (*.txt).",
        where=str(path),
    )
