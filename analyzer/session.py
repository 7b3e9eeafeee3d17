"""Checks of one project, one after the other: what has not changed is not read or evaluated again."""

from __future__ import annotations

from typing import TYPE_CHECKING, Final

from analyzer.cache import FactsCache, content_key
from analyzer.check import Known, check_again
from analyzer.results import Results, ResultsStore

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping, Sequence
    from pathlib import Path

    from analyzer.facts.module import ModuleFacts
    from analyzer.model import Report
    from analyzer.settings import CheckSettings
    from trigger_sdk.protocol.project import Project

_MOST_FACTS: Final = 4000
"""Files whose facts are held in memory, about 40 kB each."""


class CheckSession:
    """Checks a project again and again: for an editor, a watcher, the dev server.

    One session serves one thread at a time.

    Args:
        project: the project.
        settings: what to report, and what to know beside the catalogue.
        cache: keeps facts and results between processes; None reads every file anew in each.
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
        facts = None if cache is None else _FactsInMemory(cache.folder)
        self._known = Known(project, settings, cache=facts, libraries=libraries)
        self._store = None if cache is None else ResultsStore(cache)
        self._results: Results | None = None if self._store is None else self._store.load(self._known.basis)

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
        results, report = check_again(
            self._known,
            self._results,
            texts=texts or {},
            paths=paths,
            is_stale=is_stale or _never,
        )
        if results is not self._results and self._store is not None and not texts:
            self._store.save(results)
        self._results = results
        return report


def _never() -> bool:
    return False


class _FactsInMemory(FactsCache):
    """Facts that are held in memory as well: an editor asks for them at each keystroke."""

    def __init__(self, folder: Path) -> None:
        super().__init__(folder)
        self._held: dict[str, ModuleFacts] = {}

    def facts(self, content: bytes, read: Callable[[bytes], ModuleFacts]) -> ModuleFacts:
        """Return the facts of a content: those that are held or kept, or those that ``read`` gives."""
        key = content_key(content)
        found = self._held.get(key)
        if found is None:
            if len(self._held) >= _MOST_FACTS:
                self._held.clear()
            found = self._held[key] = super().facts(content, read)
        return found
