"""Whether the image will have what the project imports: its own files, the standard library, locked distributions.

What can be reached from the project's jobs must resolve. What cannot (tests, scripts) is looked at too, and told apart:
it goes into the image, and nothing there runs it.
"""

from __future__ import annotations

import ast
import sys
import warnings
from dataclasses import dataclass
from typing import TYPE_CHECKING, Final

from analyzer.facts.read import decode_source, read_facts
from analyzer.resolve.modules import ModuleTable, read_file
from bundler.errors import ImportsUnresolved
from bundler.files.import_statements import Statements, import_statements
from bundler.files.kept_statements import KeptStatements
from bundler.files.resolving import Known, Missing, Resolver
from trigger_sdk.protocol.errors import ProjectInvalid
from trigger_sdk.protocol.problem import Problem
from trigger_sdk.protocol.project import job_files, module_name

if TYPE_CHECKING:
    from collections.abc import Iterable, Mapping
    from pathlib import Path

    from bundler.cache import Cache
    from bundler.files.collect import Selection
    from bundler.files.import_statements import DynamicImport
    from bundler.model import ProjectFile
    from trigger_sdk.protocol.project import Project

_NOTHING: Final = Statements(imports=(), dynamic=())
_PLACES: Final = 10
"""Further places of the same import that are named."""


@dataclass(frozen=True, slots=True, kw_only=True)
class ImportReport:
    """What the project's imports come to in the image.

    Attributes:
        problems: imports that would fail there and that jobs reach, by place; the build must not go on.
        warnings: imports by names that are made at run time, of files that jobs reach.
        unreached: imports that would fail, of files that no job reaches.
        reached: places of the files that jobs reach, sorted.
        distributions: names of the locked distributions that those files import, sorted.
    """

    problems: tuple[Problem, ...]
    warnings: tuple[Problem, ...]
    unreached: tuple[Problem, ...]
    reached: tuple[str, ...]
    distributions: tuple[str, ...]

    def require(self) -> None:
        """Do nothing when all is well.

        Raises:
            ImportsUnresolved: something is not; with all of it in ``problems``.
        """
        if self.problems:
            raise ImportsUnresolved.of(self.problems)


def check_imports(
    project: Project,
    selection: Selection,
    *,
    python: tuple[int, int],
    distributions: Mapping[str, str],
    cache: Cache | None = None,
) -> ImportReport:
    """Resolve every import of the files that go into an image.

    Args:
        project: the project.
        selection: what goes into the image.
        python: version of the image's Python.
        distributions: modules that locked distributions have, to the distributions' names: at the top level
            (``yaml``), or, where several share one, dotted (``google.auth``).
        cache: keeps what files import from build to build.

    Raises:
        ProjectInvalid: the project's job folders cannot be used.
    """
    known = Known(
        selection=selection, python=python, distributions={"trigger_sdk": "trigger-sdk", **dict(distributions)}
    )
    modules = ModuleTable(project.import_roots, texts={}, cache=None, is_library=known.has_module)
    kept = KeptStatements(cache, str(project.root))
    checking = _Checking(project, Resolver(modules, known, project.import_roots), python, kept)
    files = {file.source: file for file in selection.files if file.place.endswith(".py")}
    jobs = job_files(project)
    reached = checking.follow((files[path] for path in jobs if path in files), files)
    problems, notes = checking.found(reached)
    if jobs and not reached:
        problems = (_without_jobs(project, selection, jobs[0]),)
    rest = [file for file in files.values() if file.place not in reached]
    checking.forget_distributions(reached)
    unreached, _ = checking.found({file.place for file in rest}, read=rest)
    kept.keep()
    return ImportReport(
        problems=problems,
        warnings=notes,
        unreached=unreached,
        reached=tuple(sorted(reached)),
        distributions=tuple(sorted(checking.distributions)),
    )


class _Checking:
    """Reads files, each once, and keeps what their imports come to."""

    def __init__(self, project: Project, resolver: Resolver, python: tuple[int, int], kept: KeptStatements) -> None:
        self._project = project
        self._kept = kept
        self._resolver = resolver
        self._python = python
        self._missing: dict[str, list[tuple[int, Missing]]] = {}
        self._dynamic: dict[str, tuple[DynamicImport, ...]] = {}
        self._used: dict[str, frozenset[str]] = {}
        self.distributions: frozenset[str] = frozenset()

    def follow(self, starts: Iterable[ProjectFile], files: Mapping[Path, ProjectFile]) -> frozenset[str]:
        """Read files and what they import of the project, and so on; return the places of all."""
        reached: set[str] = set()
        left = list(starts)
        while left:
            file = left.pop()
            if file.place in reached:
                continue
            reached.add(file.place)
            left += [files[path] for path in self.read(file) if path in files]
        return frozenset(reached)

    def read(self, file: ProjectFile) -> list[Path]:
        """Read a file; return the files of the project that it imports, packages above it included."""
        statements = self._statements(file)
        package, above = self._package(file)
        found: list[Path] = [path for name in above for path in self._resolver.files_of(name)]
        missing = self._missing.setdefault(file.place, [])
        used: set[str] = set()
        for each in statements.imports:
            outcome = self._resolver.resolve(each, package)
            found += outcome.files
            used |= outcome.distributions
            if not each.is_optional:
                missing += [(each.row, what) for what in outcome.missing]
        self._dynamic[file.place] = tuple(
            each for each in statements.dynamic if not self._resolver.is_all_there(each.prefix)
        )
        self._used[file.place] = frozenset(used)
        return found

    def forget_distributions(self, reached: Iterable[str]) -> None:
        """Take the distributions that the files reached import as those of the project."""
        self.distributions = frozenset(name for place in reached for name in self._used[place])

    def found(
        self, places: Iterable[str], *, read: Iterable[ProjectFile] = ()
    ) -> tuple[tuple[Problem, ...], tuple[Problem, ...]]:
        """Return the problems and the warnings of files, read first where they have not been."""
        for file in read:
            self.read(file)
        grouped: dict[Missing, list[str]] = {}
        notes: list[Problem] = []
        for place in sorted(places):
            for row, missing in self._missing[place]:
                grouped.setdefault(missing, []).append(f"{place}:{row}")
            notes += [_warning(each, place) for each in self._dynamic[place]]
        return tuple(_problem(missing, at) for missing, at in grouped.items()), tuple(notes)

    def _package(self, file: ProjectFile) -> tuple[str, list[str]]:
        """Return the package that relative imports of a file start from, and the packages that are imported first."""
        try:
            name = module_name(self._project, file.source)
        except ProjectInvalid:
            return "", []  # a script, which nobody imports
        package = name if file.source.name == "__init__.py" else name.rpartition(".")[0]
        parts = name.split(".")
        return package, [".".join(parts[:count]) for count in range(1, len(parts))]

    def _statements(self, file: ProjectFile) -> Statements:
        try:
            content = read_file(file.source)
        except OSError as error:
            self._add(file, 1, f"{file.place} cannot be read: {error.strerror}", "Build again.")
            return _NOTHING
        try:
            return self._kept.of(content, _read)
        except (SyntaxError, ValueError, RecursionError, MemoryError):
            broken = read_facts(content).broken
            # What this Python cannot read, the image's later one perhaps can; the indexing imports it there.
            if broken is not None and self._python <= sys.version_info[:2]:
                message = f"{file.place} is no valid Python: {broken.message}"
                self._add(file, broken.row, message, "Correct it, or exclude it.")
            return _NOTHING

    def _add(self, file: ProjectFile, row: int, message: str, hint: str) -> None:
        self._missing.setdefault(file.place, []).append((row, Missing(message=message, hint=hint)))


def _read(content: bytes) -> Statements:
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")  # of escapes in the user's literals: his own tools tell
        return import_statements(ast.parse(decode_source(content)))


def _problem(missing: Missing, places: list[str]) -> Problem:
    others = list(dict.fromkeys(places))[1:]
    detail = ""
    if others:
        more = f", and {len(others) - _PLACES} more" if len(others) > _PLACES else ""
        detail = f"also at {', '.join(others[:_PLACES])}{more}"
    return Problem(
        code=ImportsUnresolved.code, message=missing.message, detail=detail, hint=missing.hint, where=places[0]
    )


def _without_jobs(project: Project, selection: Selection, job: Path) -> Problem:
    place = job.relative_to(project.root).as_posix() if job.is_relative_to(project.root) else str(job)
    pattern = selection.exclude.deciding(place)
    why = f"excluded by the pattern {pattern.text!r}" if pattern is not None else "not among the project's own files"
    return Problem(
        code=ImportsUnresolved.code,
        message=f"no file with jobs goes into the image: {place} is {why}",
        hint="Take it back in `exclude`, or correct `dirs`.",
        where=place,
    )


def _warning(dynamic: DynamicImport, place: str) -> Problem:
    if dynamic.prefix:
        folder = dynamic.prefix.replace(".", "/")
        message = f"{place} {dynamic.what}, beginning with {dynamic.prefix!r}: nobody can tell whether it is there"
        hint = f'Add what it may find: include = ["{folder}/**"], and lock distributions that it may name.'
    else:
        message = f"{place} {dynamic.what}: nobody can tell whether what it finds here is in the image"
        hint = 'Add files that it may find: include = ["FOLDER/**"], and lock distributions that it may name.'
    return Problem(code="import-dynamic", message=message, hint=hint, where=f"{place}:{dynamic.row}")
