"""Checks of one project, one after the other: what has not changed is not read or evaluated again."""

from __future__ import annotations

from typing import TYPE_CHECKING

from analyzer.check import check
from analyzer.errors import CheckStale

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping, Sequence
    from pathlib import Path

    from analyzer.cache import FactsCache
    from analyzer.model import Report
    from analyzer.settings import CheckSettings
    from trigger_sdk.protocol.project import Project


class CheckSession:
    """Checks a project again and again: for an editor, a watcher, the dev server.

    One session serves one thread at a time.

    Args:
        project: the project.
        settings: what to report, and what to know beside the catalogue.
        cache: keeps facts between processes; None reads every file anew in each.
        libraries: folders of installed packages, whose source tells what the catalogue does not; none by default.
    """

    def __init__(
        self,
        project: Project,
        settings: CheckSettings,
        *,
        cache: FactsCache | None = None,
        libraries: Sequence[Path] = (),
    ) -> None:
        self._project = project
        self._settings = settings
        self._cache = cache
        self._libraries = libraries

    def check(
        self,
        *,
        texts: Mapping[Path, str] | None = None,
        paths: Sequence[Path] | None = None,
        is_stale: Callable[[], bool] | None = None,
    ) -> Report:
        """Check the project as it is now; see :func:`analyzer.check.check`.

        Args:
            texts: unsaved text by resolved path, in the place of what is on disk.
            paths: files or folders to report on; None reports on the folders of jobs.
            is_stale: asked now and then; once it is true, the result is not wanted any more.

        Raises:
            ProjectInvalid: a folder of jobs does not exist.
            CheckStale: ``is_stale`` said so.
        """
        if is_stale is not None and is_stale():
            raise CheckStale
        return check(
            self._project,
            self._settings,
            texts=texts,
            cache=self._cache,
            paths=paths,
            libraries=self._libraries,
        )
