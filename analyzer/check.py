"""The check of a project: what has changed since the last one is evaluated anew, the rest is as it was found then."""

from __future__ import annotations

import os
from dataclasses import dataclass
from functools import cache as remember
from pathlib import Path
from typing import TYPE_CHECKING

from msgspec.structs import replace

from analyzer.catalogue.infer import Inference
from analyzer.catalogue.loader import Catalogue, load_catalogue
from analyzer.evaluation import Evaluation, closure_of_imports
from analyzer.findings import Place
from analyzer.graph.assemble import build_machine
from analyzer.reporting import Reporting
from analyzer.resolve.imports import imported_by
from analyzer.resolve.modules import ModuleTable, SourceModule
from analyzer.results import ModuleResult, Results, ResultsStore
from analyzer.states import FileStates, basis_of, folder_digest
from analyzer.suppressions import Suppressions
from trigger_sdk.protocol.errors import ProjectInvalid
from trigger_sdk.protocol.project import job_files, module_name
from trigger_sdk.protocol.project_model import is_foreign_folder

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable, Mapping, Sequence

    from analyzer.cache import FactsCache
    from analyzer.model import Report
    from analyzer.settings import CheckSettings
    from trigger_sdk.protocol.project import Project


def check(
    project: Project,
    settings: CheckSettings,
    *,
    texts: Mapping[Path, str] | None = None,
    cache: FactsCache | None = None,
    paths: Sequence[Path] | None = None,
    libraries: Sequence[Path] = (),
) -> Report:
    """Check the jobs of a project.

    Args:
        project: the project.
        settings: what to report, and what to know beside the catalogue.
        texts: unsaved text by resolved path, in the place of what is on disk.
        cache: keeps facts and results between checks; None reads every file anew.
        paths: files or folders to report on; None reports on the folders of jobs. Jobs in them are found wherever they
            lie in the project.
        libraries: folders of installed packages, whose source tells what the catalogue does not; none by default.

    Raises:
        ProjectInvalid: a folder of jobs does not exist.
    """
    known = Known(project, settings, cache=cache, libraries=libraries)
    store = None if cache is None else ResultsStore(cache)
    before = None if store is None else store.load(known.basis)
    results, report = check_again(known, before, texts=texts or {}, paths=paths)
    if store is not None and results is not before and not texts:
        store.save(results)
    if cache is not None and before is None:
        cache.prune()
    return report


@remember
def _shipped(folder: Path | None) -> Catalogue:
    return load_catalogue(folder)


class Known:
    """What all checks of a project have in common.

    Attributes:
        project: the project.
        settings: what to report, and what to know beside the catalogue.
        cache: keeps facts between checks, or None.
        catalogue: what libraries do.
        inference: what installed libraries do that the catalogue does not know; None leaves them silent.
        basis: digest of all that results depend on beside the project's files.
    """

    def __init__(
        self, project: Project, settings: CheckSettings, *, cache: FactsCache | None, libraries: Sequence[Path]
    ) -> None:
        folder = None if cache is None else cache.folder
        shipped = _shipped(folder)
        self.project = project
        self.settings = settings
        self.cache = cache
        self.inference = Inference(libraries, catalogue=shipped, cache=folder) if libraries else None
        self.catalogue = shipped.extended(settings.extend_effects) if settings.extend_effects else shipped
        self.basis = basis_of(project, settings, libraries)


def check_again(
    known: Known,
    before: Results | None,
    *,
    texts: Mapping[Path, str],
    paths: Sequence[Path] | None = None,
    is_stale: Callable[[], bool] = lambda: False,
) -> tuple[Results, Report]:
    """Check a project with what an earlier check has found.

    Args:
        known: what all checks of the project have in common.
        before: what an earlier check of the same basis has found, or None.
        texts: unsaved text by resolved path.
        paths: files or folders to report on.
        is_stale: asked now and then; once it is true, the check is given up.

    Returns:
        What is found now, which is ``before`` itself when nothing has changed, and the report.

    Raises:
        ProjectInvalid: a folder of jobs does not exist.
        CheckStale: ``is_stale`` said so.
    """
    wanted = None if paths is None else [path.resolve() for path in paths]
    results = _Check(known, texts, wanted, is_stale).run(before)
    if known.inference is not None and results is not before:
        known.inference.save()
    place = Place(known.project.root, known.settings)
    return results, Reporting(results, place, wanted).report()


@dataclass(frozen=True, slots=True)
class _Plan:
    """What a check has to do.

    Attributes:
        reached: files of the job modules and of all that they import, directly or not.
        todo: those of them that are evaluated.
        needed: those that are imported for that.
        later: those whose results are out of date, but are not reported on now.
    """

    reached: dict[str, SourceModule]
    todo: list[str]
    needed: list[SourceModule]
    later: frozenset[str] = frozenset()


class _Check:
    """One check."""

    def __init__(
        self, known: Known, texts: Mapping[Path, str], paths: Sequence[Path] | None, is_stale: Callable[[], bool]
    ) -> None:
        self._known = known
        self._paths = paths
        self._is_stale = is_stale
        self._states = FileStates(texts)
        self._modules = ModuleTable(
            known.project.import_roots, texts=texts, cache=known.cache, is_library=known.catalogue.covers
        )

    def run(self, before: Results | None) -> Results:
        """Evaluate what has to be; return all results."""
        if before is not None and (
            before.basis != self._known.basis
            or any(folder_digest(self._modules.listing(folder)) != digest for folder, digest in before.folders.items())
        ):
            before = None
        changed = set() if before is None else self._states.changed(before.files)
        plan = self._plan(before, changed)
        if before is not None and not plan.todo and not changed and plan.reached.keys() == before.modules.keys():
            return before
        evaluation = self._evaluation()
        evaluation.import_all(plan.needed)
        registrars = evaluation.registrars
        if before is not None:
            imported = {str(source.path) for source in plan.needed}
            if registrars - before.registrars or (before.registrars & imported) - registrars:
                return self._fresh().run(None)  # what all jobs depend on has changed
            registrars |= before.registrars & plan.reached.keys()
        known = {} if before is None else before.modules
        results = {
            file: replace(known[file], units=None) if file in plan.later else known[file]
            for file in plan.reached
            if file in known
        }
        for file in plan.todo:
            results[file] = evaluation.result(plan.reached[file], with_units=self._is_wanted(file))
        return self._results(before, plan, results, registrars)

    def _fresh(self) -> _Check:
        return _Check(self._known, self._states.texts, self._paths, self._is_stale)

    def _results(
        self,
        before: Results | None,
        plan: _Plan,
        modules: dict[str, ModuleResult],
        registrars: frozenset[str],
    ) -> Results:
        unreadable = {str(path): reason for path, reason in self._modules.unreadable.items()}
        known = {} if before is None else before.files
        seen = self._states.seen
        files = {
            file: known[file] if file in known and file not in seen else self._states.of(file) for file in plan.reached
        }
        if before is not None:
            unreadable |= {file: why for file, why in before.unreadable.items() if file not in seen}
        folders = {} if before is None else dict(before.folders)
        folders |= {folder: folder_digest(names) for folder, names in self._modules.listings.items()}
        return Results(
            basis=self._known.basis,
            modules={file: modules[file] for file in sorted(modules)},
            files=files,
            folders=folders,
            registrars=registrars,
            unreadable={file: why for file, why in unreadable.items() if file in plan.reached},
        )

    # --- what to do ---------------------------------------------------------------------------------------------------

    def _plan(self, before: Results | None, changed: set[str]) -> _Plan:
        sources = [self._source(path) for path in self._files()]
        if before is None:
            reached = {str(s.path): s for s in closure_of_imports(sources, self._modules) if s.path is not None}
            return _Plan(reached, list(reached), [*reached.values()])
        reached = self._reached(sources, before, changed)
        everything = not before.registrars.isdisjoint(changed)
        todo, later = [], set()
        for file in reached:
            module, is_wanted = before.modules.get(file), self._is_wanted(file)
            if module is None or file in changed or (module.units is None and is_wanted):
                todo.append(file)
            elif everything or not module.needs.isdisjoint(changed):
                if is_wanted:
                    todo.append(file)
                else:
                    later.add(file)
        fresh = [reached[file] for file in todo if file in changed or file not in before.modules]
        imported = {str(other.path) for source in fresh for other in imported_by(source, self._modules)}
        needed: dict[str, SourceModule] = {}
        for file in (*todo, *before.registrars, *sorted(imported)):
            module = before.modules.get(file)
            for each in (file, *(() if module is None else module.needs)):
                if each in reached:
                    needed[each] = reached[each]
        return _Plan(reached, todo, list(needed.values()), frozenset(later))

    def _reached(self, sources: Iterable[SourceModule], before: Results, changed: set[str]) -> dict[str, SourceModule]:
        """Return all modules that sources import; what an unchanged one imports is known."""
        pending = [source for source in sources if source.path is not None]
        reached = {str(source.path): source for source in pending}
        while pending:
            source = pending.pop()
            module = before.modules.get(str(source.path))
            if module is None or str(source.path) in changed:
                imports = list(imported_by(source, self._modules))
            else:
                imports = [self._known_module(file, before) for file in module.imports if file not in reached]
            for other in imports:
                if other.path is not None and str(other.path) not in reached:
                    reached[str(other.path)] = other
                    pending.append(other)
        return reached

    def _known_module(self, file: str, before: Results) -> SourceModule:
        module = before.modules.get(file)
        path = Path(file)
        return (
            self._source(path) if module is None else self._modules.at(path, "" if module.name == file else module.name)
        )

    def _files(self) -> list[Path]:
        """Return the files of jobs, and those that are asked for."""
        found: set[Path] = set()
        try:
            found.update(job_files(self._known.project))
        except ProjectInvalid:
            if self._paths is None:
                raise
        for path in self._paths or ():
            found.update(_python_files(self._known.project, path) if path.is_dir() else (path,))
        return sorted(found)

    def _source(self, path: Path) -> SourceModule:
        try:
            name = module_name(self._known.project, path)
        except ProjectInvalid:
            name = ""
        return self._modules.at(path, name)

    def _is_wanted(self, file: str) -> bool:
        return self._paths is None or any(Path(file).is_relative_to(path) for path in self._paths)

    def _evaluation(self) -> Evaluation:
        suppressions = Suppressions()
        machine = build_machine(
            self._modules, self._known.catalogue, suppressions.is_silenced, inference=self._known.inference
        )
        place = Place(self._known.project.root, self._known.settings)
        return Evaluation(machine, self._modules, suppressions, place, self._is_stale)


def _python_files(project: Project, folder: Path) -> Iterable[Path]:
    """Return the project's files in a folder; a folder that cannot be read is among them, and told when it is read."""
    found: list[Path] = []
    closed: list[OSError] = []
    for below, folders, names in os.walk(folder, onerror=closed.append):
        folders[:] = [name for name in folders if not is_foreign_folder(Path(below, name))]
        for name in names:
            path = Path(below, name)
            # As among the files of jobs: no editor's locks and pipes; a link that leads nowhere is told.
            if path.suffix == ".py" and not name.startswith(".") and project.is_project_file(path):
                found += (path,) if os.path.isfile(path) or not os.path.exists(path) else ()  # noqa: PTH110, PTH113
    return sorted((*found, *(Path(error.filename) for error in closed)))
