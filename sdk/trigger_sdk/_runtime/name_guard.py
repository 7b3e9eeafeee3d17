"""Lets the user's own ``engine/`` or ``bundler.py`` win over our installed packages of the same names.

In development our tools may be installed in the environment of the project. A folder of the user without
``__init__.py`` would lose to a regular package in site-packages even when it comes first on ``sys.path``. So these few
names are looked up below the project first. What the project does not have is found as ever.
"""

from __future__ import annotations

import os
import sys
from importlib.machinery import ModuleSpec, PathFinder
from typing import TYPE_CHECKING, Final

from trigger_sdk._runtime.instrument import InstrumentingFinder

if TYPE_CHECKING:
    from collections.abc import Sequence
    from types import ModuleType

    from trigger_sdk.protocol.project_model import Project

GUARDED_NAMES: Final = frozenset(("analyzer", "bundler", "devserver", "engine", "executor", "templates", "trigger_cli"))
"""Top-level names of ours that a user may well have too."""


class NameGuard:
    """Finds the guarded names in the project's import roots, and nothing else."""

    def __init__(self, project: Project) -> None:
        self._roots = [os.fspath(root) for root in project.import_roots]

    def find_spec(
        self, fullname: str, path: Sequence[str] | None = None, target: ModuleType | None = None
    ) -> ModuleSpec | None:
        """Return the spec of the project's own module of that name, or None."""
        if path is not None or fullname not in GUARDED_NAMES:
            return None
        return PathFinder.find_spec(fullname, self._roots, target)

    def invalidate_caches(self) -> None:
        """Do nothing: PathFinder, which is on ``sys.meta_path`` itself, has the caches."""


def install(project: Project) -> None:
    """Guard the names for ``project`` from now on. Replaces an earlier project."""
    uninstall()
    # The instrumenting finder asks the others, this one too: it has to stay in front.
    first = 1 if sys.meta_path and isinstance(sys.meta_path[0], InstrumentingFinder) else 0
    sys.meta_path.insert(first, NameGuard(project))


def uninstall() -> None:
    """Look up all names as ever."""
    sys.meta_path[:] = [finder for finder in sys.meta_path if not isinstance(finder, NameGuard)]
