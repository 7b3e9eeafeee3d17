"""The projects that open files belong to: found by walking up, kept while something of them is open."""

from __future__ import annotations

import sys
from pathlib import Path
from typing import TYPE_CHECKING, Final

from analyzer.cache import FactsCache
from analyzer.libraries import library_folders
from analyzer.session import CheckSession
from analyzer.settings import read_settings
from trigger_sdk.protocol.errors import ProjectInvalid
from trigger_sdk.protocol.problem import TriggerError
from trigger_sdk.protocol.project import PYPROJECT, TRIGGER_TOML, find_root, load_project

if TYPE_CHECKING:
    from collections.abc import Iterable, Mapping

    from trigger_sdk.protocol.problem import Problem
    from trigger_sdk.protocol.project import Project

CONFIGURATION_FILES: Final = (TRIGGER_TOML, PYPROJECT)
"""Names of the files that can configure a project."""

_Stamp = tuple[tuple[int, int, int] | None, ...]


class OpenProject:
    """A project of which a file is open. A configuration that is broken leaves it as it was before.

    Args:
        root: its folder.
        environ: environment variables, which may name the virtual environment.
    """

    def __init__(self, root: Path, environ: Mapping[str, str]) -> None:
        self.root = root
        self.project: Project | None = None
        self.session: CheckSession | None = None
        self.problems: tuple[Problem, ...] = ()
        self.is_dirty = True
        self._environ = environ
        self._stamp: _Stamp | None = None

    @property
    def configuration(self) -> Path:
        """The file that configures it, or would."""
        own = self.root / TRIGGER_TOML
        return own if own.is_file() else self.root / PYPROJECT

    def refresh(self) -> None:
        """Read the configuration again when its file has changed."""
        stamp = tuple(_stamp(self.root / name) for name in CONFIGURATION_FILES)
        if stamp == self._stamp:
            return
        self._stamp = stamp
        self.is_dirty = True
        try:
            project = load_project(self.root)
            settings = read_settings(project)
        except TriggerError as error:
            self.problems = problems_of(error)
            return
        self.problems = ()
        self.project = project
        self.session = CheckSession(
            project,
            settings,
            cache=FactsCache(project.state_folder / "cache" / "check"),
            libraries=library_folders(project, self._environ, sys.path),
        )

    def is_touched(self, changed: Iterable[Path] | None) -> bool:
        """Tell whether changes of these files may matter to it; None stands for any."""
        if changed is None:
            return True
        roots = (self.root,) if self.project is None else (self.root, *self.project.import_roots)
        return any(path.is_relative_to(root) for path in changed for root in roots)

    def unsaved_job_files(self, shown: Iterable[Path]) -> list[Path]:
        """Return those open files in its folders of jobs that are not on disk yet."""
        project = self.project
        if project is None:
            return []
        folders = [(project.root / entry).resolve() for entry in project.dirs]
        return [
            path
            for path in shown
            if any(path.is_relative_to(folder) for folder in folders)
            and project.is_project_file(path)
            and not path.exists()
        ]


def problems_of(error: TriggerError) -> tuple[Problem, ...]:
    """Return all that an error about a configuration says."""
    return error.problems if isinstance(error, ProjectInvalid) else (error.problem,)


class Projects:
    """Finds and keeps projects. Belongs to the worker.

    Args:
        environ: environment variables.
    """

    def __init__(self, environ: Mapping[str, str]) -> None:
        self._environ = environ
        self._roots: dict[Path, Path | None] = {}
        self._open: dict[Path, OpenProject] = {}

    def forget_places(self) -> None:
        """Look for the roots of projects anew: files that mark them may have come or gone."""
        self._roots.clear()

    def of_files(self, paths: Iterable[Path]) -> dict[Path, OpenProject]:
        """Return the projects that files belong to, by root; the others are given up."""
        wanted: dict[Path, OpenProject] = {}
        for path in paths:
            root = self._root_of(path.parent)
            if root is not None and root not in wanted:
                wanted[root] = self._open.get(root) or OpenProject(root, self._environ)
        self._open = wanted
        return wanted

    def get(self, root: Path) -> OpenProject | None:
        """Return the project in a folder, if something of it is open."""
        return self._open.get(root)

    def _root_of(self, folder: Path) -> Path | None:
        if folder not in self._roots:
            try:
                self._roots[folder] = find_root(folder)
            except (OSError, ProjectInvalid):  # a folder or file above that may not be read
                self._roots[folder] = None
        return self._roots[folder]


def _stamp(file: Path) -> tuple[int, int, int] | None:
    try:
        status = file.stat()
    except OSError:
        return None
    return status.st_mtime_ns, status.st_size, status.st_ino
