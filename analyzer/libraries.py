"""Where the packages that a project imports are installed: found by names and folders, no interpreter is started."""

from __future__ import annotations

import os
import shutil
from pathlib import Path
from typing import TYPE_CHECKING, Final

if TYPE_CHECKING:
    from collections.abc import Iterable, Mapping, Sequence

    from trigger_sdk.protocol.project import Project

_ENVIRONMENTS: Final = (".venv", "venv")
"""Where a project keeps its virtual environment, by wide custom; the first that is one wins."""

_PACKAGES: Final = ("lib/python3*/site-packages", "lib64/python3*/site-packages", "Lib/site-packages")
"""Folders of installed packages below an environment or a prefix."""

_OF_DISTRIBUTIONS: Final = (
    "lib/python3*/dist-packages",
    "lib/python3/dist-packages",
    "local/lib/python3*/dist-packages",
)
"""The same below a prefix whose Python comes with the system."""


def library_folders(project: Project, environ: Mapping[str, str], own: Sequence[str]) -> tuple[Path, ...]:
    """Return the folders of installed packages of the interpreter that runs the project's code, first wins.

    That interpreter is the first of: ``python`` in the configuration, the project's virtual environment, the active one
    (VIRTUAL_ENV), the one of this process. One that is not there has no folders.

    Args:
        project: the project.
        environ: environment variables.
        own: this process's ``sys.path``.
    """
    if project.python is not None:
        found = shutil.which(project.python, path=environ.get("PATH"))
        return () if found is None else _of_interpreter(Path(found))
    candidates = [project.root / name for name in _ENVIRONMENTS]
    if active := environ.get("VIRTUAL_ENV"):
        candidates.append(Path(active))
    for folder in candidates:
        if (folder / "pyvenv.cfg").is_file():
            return _of_environment(folder)
    return _folders(Path(entry) for entry in own if os.path.basename(entry) in {"site-packages", "dist-packages"})  # noqa: PTH119 - a name, not a file


def _of_interpreter(python: Path) -> tuple[Path, ...]:
    """Return the folders of an interpreter, which may be a virtual environment's or a link to one."""
    for candidate in (python, python.resolve()):
        environment = candidate.parent.parent
        if (environment / "pyvenv.cfg").is_file():
            return _of_environment(environment)
    return _of_prefix(python.resolve().parent.parent)


def _of_environment(folder: Path) -> tuple[Path, ...]:
    found = _folders(place for pattern in _PACKAGES for place in sorted(folder.glob(pattern)))
    settings = _settings(folder / "pyvenv.cfg")
    home = settings.get("home")
    if home and settings.get("include-system-site-packages", "").lower() == "true":
        found += tuple(place for place in _of_prefix(Path(home).parent) if place not in found)
    return found


def _of_prefix(prefix: Path) -> tuple[Path, ...]:
    return _folders(place for pattern in (*_PACKAGES, *_OF_DISTRIBUTIONS) for place in sorted(prefix.glob(pattern)))


def _settings(file: Path) -> dict[str, str]:
    try:
        lines = file.read_text(encoding="utf-8", errors="replace").splitlines()
    except OSError:
        return {}
    pairs = (line.partition("=") for line in lines if "=" in line)
    return {name.strip().lower(): value.strip() for name, _, value in pairs}


def _folders(places: Iterable[Path]) -> tuple[Path, ...]:
    """Return those that are folders, each once."""
    return tuple({place.resolve(): None for place in places if place.is_dir()})
