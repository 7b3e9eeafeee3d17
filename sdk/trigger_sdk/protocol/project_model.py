"""A project as a value: its configuration, and which files are its own."""

from __future__ import annotations

import os
from dataclasses import dataclass
from functools import lru_cache
from pathlib import Path
from typing import Final

from trigger_sdk.protocol.project_keys import DEFAULT_DIRS, DEFAULTS, GuardMode

STATE_FOLDER: Final = ".trigger"
"""Folder in the root for the dev database, locks and caches."""

_FOREIGN_FOLDERS: Final = frozenset(("site-packages", "dist-packages", "node_modules", "__pycache__", "__pypackages__"))
"""Folders whose content is nobody's source, wherever they lie."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Project:
    """A project as it is configured.

    Attributes:
        root: the folder of the configuration file, absolute, links resolved.
        config_file: the file the configuration was read from; None for a project made up of defaults.
        name: for people: the key ``name``, or the project's name in pyproject.toml, or the folder's.
        dirs: folders or files that hold jobs, relative to the root, as configured.
        source_roots: folders from which the project's packages are imported, absolute, before the root itself.
        python: interpreter to run the project with: a path, or a command to be found on PATH; None leaves the choice.
        guard: what happens on a side effect in a body: ``error``, ``warn`` or ``off``.
        wait_grace: seconds a run whose every branch waits stays in its worker.
        concurrency: runs held by a worker at once.
        task_threads: threads for sync tasks.
        notes: what the user should know about how the configuration was found, one sentence each.
    """

    root: Path
    config_file: Path | None = None
    name: str = ""
    dirs: tuple[str, ...] = DEFAULT_DIRS
    source_roots: tuple[Path, ...] = ()
    python: str | None = None
    guard: GuardMode = "error"
    wait_grace: float = DEFAULTS.wait_grace
    concurrency: int = DEFAULTS.concurrency
    task_threads: int = DEFAULTS.task_threads
    notes: tuple[str, ...] = ()

    @property
    def import_roots(self) -> tuple[Path, ...]:
        """Folders to put on ``sys.path`` for the project's code, first wins: the source roots, then the root."""
        return (*self.source_roots, *(() if self.root in self.source_roots else (self.root,)))

    @property
    def state_folder(self) -> Path:
        """``.trigger`` in the root."""
        return self.root / STATE_FOLDER

    def is_project_file(self, path: str | Path) -> bool:
        """Tell whether ``path`` is the project's own source: below its roots, in no environment or hidden folder."""
        name = os.fspath(path)
        if name.startswith("<"):
            return False
        folder, _ = os.path.split(name)
        return _holds_project_files(tuple(os.fspath(root) for root in self.import_roots), folder)


@lru_cache(maxsize=4096)
def _holds_project_files(roots: tuple[str, ...], folder: str) -> bool:
    real = os.path.realpath(folder)
    for root in roots:
        if real == root or real.startswith(root.rstrip(os.sep) + os.sep):
            return not any(is_foreign_folder(part) for part in _folders_between(root, real))
    return False


def _folders_between(root: str, folder: str) -> list[Path]:
    """Return the folders below ``root`` on the way to ``folder``, itself included."""
    path = Path(root)
    return [path := path / part for part in Path(folder).relative_to(root).parts]


def is_foreign_folder(folder: Path) -> bool:
    """Tell whether a folder holds no source of the project: hidden, installed packages, a virtual environment."""
    if folder.name.startswith(".") or folder.name in _FOREIGN_FOLDERS:
        return True
    return os.path.isfile(folder / "pyvenv.cfg")  # noqa: PTH113 - which says no of a folder that may not be entered
