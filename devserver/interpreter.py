"""Which Python runs the user's code: the project's own, not ours."""

from __future__ import annotations

import os
import shutil
import sys
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path

from devserver.errors import InterpreterMissing
from trigger_sdk.protocol.project import Project

VENV_FOLDERS = (".venv", "venv")
"""Where a project keeps its virtual environment, by wide custom; the first that is one wins."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Interpreter:
    """A Python interpreter.

    Attributes:
        path: the executable; of a virtual environment, the link in it.
        origin: why this one, as part of a sentence: ``the project's .venv``.
    """

    path: str
    origin: str


def choose_interpreter(project: Project, environ: Mapping[str, str], asked: str | None = None) -> Interpreter:
    """Return the interpreter for a project's workers; whether it has the SDK is seen when it starts.

    The first of: what was asked for, ``python`` in the configuration, the project's virtual environment, that of the
    workspace of uv which it is a member of, the active one (VIRTUAL_ENV), the interpreter of this process.

    Raises:
        InterpreterMissing: what was asked for, configured or found is not there or cannot be executed.
    """
    if asked is not None:
        found = shutil.which(os.path.abspath(asked) if os.sep in asked else asked)  # noqa: PTH100 - links stay
        return _checked(found, asked, "--python")
    if project.python is not None:
        file = project.config_file.name if project.config_file else "the configuration"
        return _checked(shutil.which(project.python), project.python, f"python in {file}")
    for name in VENV_FOLDERS:
        folder = project.root / name
        if (folder / "pyvenv.cfg").is_file():
            return _of_environment(folder, f"the project's {name}")
    for above in project.root.parents:
        if (above / "uv.lock").is_file() and (above / ".venv" / "pyvenv.cfg").is_file():
            return _of_environment(above / ".venv", "the workspace's .venv")
    active = environ.get("VIRTUAL_ENV")
    if active:
        return _of_environment(Path(active), "the active virtual environment")
    return Interpreter(path=sys.executable, origin="the Python that runs trigger")


def _checked(found: str | None, wanted: str, origin: str) -> Interpreter:
    if found is None:
        raise InterpreterMissing(
            f"there is no Python interpreter {wanted!r} ({origin})",
            hint="Name one that exists, as a path or as a command on PATH.",
            where=wanted,
        )
    return Interpreter(path=found, origin=origin)


def _of_environment(folder: Path, origin: str) -> Interpreter:
    python = folder / "bin" / "python"
    if not os.access(python, os.X_OK):
        state = "points to a Python that is gone" if python.is_symlink() else "has no bin/python"
        raise InterpreterMissing(
            f"{folder} {state} ({origin})",
            hint=f"Make it anew: python3 -m venv --clear {folder}",
            where=str(python),
        )
    return Interpreter(path=str(python), origin=origin)
