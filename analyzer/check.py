"""The check of a project: from its job files to a report."""

from __future__ import annotations

from functools import cache as remember
from pathlib import Path
from typing import TYPE_CHECKING, Final

from analyzer.catalogue.infer import Inference
from analyzer.catalogue.loader import Catalogue, load_catalogue
from analyzer.facts.spans import pack, row_of
from analyzer.findings import Place, chain_of, location, of_body, shown_name
from analyzer.graph.assemble import build_machine
from analyzer.graph.bodies import IN_TASK, MUTATED, Bodies, Body
from analyzer.graph.frames import DURABLE, SENDS, Frame
from analyzer.model import Diagnostic, Job, Report
from analyzer.resolve.modules import ModuleTable, SourceModule
from analyzer.rules.declarations import Declarations, DeclaredJob, only_text
from analyzer.rules.registry import RULES
from analyzer.suppressions import Suppressions
from trigger_sdk.protocol.errors import ProjectInvalid
from trigger_sdk.protocol.problem import Problem
from trigger_sdk.protocol.project import job_files, module_name

if TYPE_CHECKING:
    from collections.abc import Iterable, Mapping, Sequence

    from analyzer.cache import FactsCache
    from analyzer.settings import CheckSettings
    from trigger_sdk.protocol.project import Project

SYNTAX: Final = "TRG901"
UNUSED: Final = "TRG902"
UNKNOWN_CODE: Final = "TRG903"


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
        cache: keeps facts between checks; None reads every file anew.
        paths: files or folders to report on; None reports on the folders of jobs. Jobs in them are found wherever they
            lie in the project.
        libraries: folders of installed packages, whose source tells what the catalogue does not; none by default.

    Raises:
        ProjectInvalid: a folder of jobs does not exist.
    """
    return _Check(project, settings, texts or {}, cache, libraries).run(paths)


@remember
def _shipped(folder: Path | None) -> Catalogue:
    return load_catalogue(folder)


class _Check:
    """One check."""

    def __init__(
        self,
        project: Project,
        settings: CheckSettings,
        texts: Mapping[Path, str],
        cache: FactsCache | None,
        libraries: Sequence[Path],
    ) -> None:
        self._project = project
        self._place = Place(project.root, settings)
        self._folder = None if cache is None else cache.folder
        catalogue = _shipped(self._folder)
        self._inference = Inference(libraries, catalogue=catalogue, cache=self._folder) if libraries else None
        self._catalogue = catalogue.extended(settings.extend_effects) if settings.extend_effects else catalogue
        self._suppressions = Suppressions()
        self._modules = ModuleTable(project.import_roots, texts=texts, cache=cache, is_library=self._catalogue.covers)
        self._machine = build_machine(
            self._modules, self._catalogue, self._suppressions.is_silenced, inference=self._inference
        )
        self._bodies = Bodies(self._machine, self._modules)
        self._problems: list[Problem] = []

    def run(self, paths: Sequence[Path] | None) -> Report:
        """Find the jobs, evaluate their bodies, and tell what was found."""
        sources = [self._source(path) for path in self._files(paths)]
        reached = self._bodies.import_all(sources)
        self._bodies.evaluate(reached)
        diagnostics = [
            *self._of_bodies(),
            *self._of_tasks(),
            *self._of_declarations(reached),
            *self._of_files(reached),
        ]
        diagnostics += self._of_suppressions(reached)
        wanted = None if paths is None else [path.resolve() for path in paths]
        if self._inference is not None:
            self._inference.save()
        return Report(
            diagnostics=_in_order(diagnostics, wanted),
            jobs=tuple(self._job(body, diagnostics) for body in self._bodies.jobs),
            files=len(self._modules.read()),
            functions=sum(1 for frame in self._bodies.body_frames() if frame.function is not None),
            problems=tuple(self._problems),
        )

    # --- files --------------------------------------------------------------------------------------------------------

    def _files(self, paths: Sequence[Path] | None) -> list[Path]:
        if paths is None:
            return job_files(self._project)
        found: set[Path] = set()
        for path in paths:
            resolved = path.resolve()
            found.update(_python_files(self._project, resolved) if resolved.is_dir() else (resolved,))
        return sorted(found)

    def _source(self, path: Path) -> SourceModule:
        try:
            name = module_name(self._project, path)
        except ProjectInvalid:
            name = ""
        return self._modules.at(path, name)

    # --- diagnostics --------------------------------------------------------------------------------------------------

    def _of_bodies(self) -> Iterable[Diagnostic]:
        for body in self._bodies.jobs:
            yield from of_body(body, self._place, self._job_id(body))

    @staticmethod
    def _job_id(body: Body) -> str:
        return "" if body.job is None else body.job.id

    def _of_tasks(self) -> Iterable[Diagnostic]:
        for frame, step in self._bodies.nested_steps():
            code = IN_TASK if step.leaf.code == DURABLE else step.leaf.code
            module = frame.home.source
            if self._place.wants(code, module) and not self._suppressions.is_silenced(frame, step.at, code):
                through = "" if step.callee is None else shown_name(step.callee)
                message = RULES[code].describe(step.leaf.subject, through=through)
                yield self._place.diagnostic(
                    code, module, step.at, message, chain=chain_of(step), subject=step.leaf.subject
                )
        for frame, at, mutation in self._bodies.lost_changes():
            module = frame.home.source
            if self._place.wants(MUTATED, module) and not self._suppressions.is_silenced(frame, at, MUTATED):
                message = RULES[MUTATED].describe(mutation.subject)
                yield self._place.diagnostic(MUTATED, module, at, message, subject=mutation.subject)

    def _of_declarations(self, reached: Sequence[SourceModule]) -> Iterable[Diagnostic]:
        declarations = self._declarations(set(reached))
        for rule in RULES.values():
            for finding in rule.check(declarations) if rule.check is not None else ():
                if self._place.wants(rule.code, finding.module) and not self._suppressions.is_silenced_at(
                    finding.module, finding.at, rule.code
                ):
                    yield self._place.diagnostic(rule.code, finding.module, finding.at, finding.message)

    def _declarations(self, reached: set[SourceModule]) -> Declarations:
        jobs = []
        for job, decorator in self._machine.jobs.items():
            call = self._machine.sdk_calls.get((decorator.frame, decorator.at))
            passed = None if call is None else call.arguments.keyword("id")
            jobs.append(
                DeclaredJob(
                    id=only_text(passed) or "",
                    is_computed=passed is not None and only_text(passed) is None,
                    function=job.body.facts.qualname,
                    module=decorator.home.source,
                    at=decorator.at,
                    function_at=job.body.facts.at,
                )
            )
        return Declarations(
            jobs=tuple(sorted(jobs, key=lambda job: (job.module.path or Path(), job.at))),
            calls=tuple(call for call in self._machine.sdk_calls.values() if call.frame.home.source in reached),
            zones=tuple(
                (value, frame.home.source, at)
                for (frame, at), value in self._machine.zones.items()
                if frame.home.source in reached
            ),
        )

    def _of_files(self, reached: Sequence[SourceModule]) -> Iterable[Diagnostic]:
        for module in reached:
            broken = module.facts.broken
            if broken is not None and self._place.wants(SYNTAX, module):
                at = pack(broken.row, broken.column - 1, broken.row, broken.column)
                yield self._place.diagnostic(SYNTAX, module, at, RULES[SYNTAX].describe(broken.message))
        if self._machine.is_exhausted:
            self._problems.append(
                Problem(
                    code="check-incomplete",
                    message="the jobs reach more code than the check follows, so some of it was not looked at",
                    hint="Check fewer folders at once: `trigger check PATH`.",
                )
            )
        for path, reason in self._modules.unreadable.items():
            self._problems.append(
                Problem(
                    code="file-unreadable",
                    message=f"{path} cannot be read: {reason}",
                    hint="Make it readable, or take it out of the project.",
                    where=str(path),
                )
            )

    def _of_suppressions(self, reached: Sequence[SourceModule]) -> Iterable[Diagnostic]:
        rows: dict[SourceModule, list[tuple[int, int]]] = {}
        for frame in self._machine.frames():
            if frame.function is not None and frame.era == "run":
                rows.setdefault(frame.home.source, []).append(frame.function.facts.rows)
        for module in reached:
            for suppression in self._suppressions.all(module):
                for code in suppression.codes:
                    if code not in RULES and not any(known.startswith(code) for known in RULES):
                        yield self._place.diagnostic(
                            UNKNOWN_CODE, module, suppression.at, RULES[UNKNOWN_CODE].describe(code)
                        )
            if not self._place.wants(UNUSED, module):
                continue
            for suppression, code in self._suppressions.unused(module, rows.get(module, ())):
                if not code or any(known.startswith(code) and self._place.wants(known, module) for known in RULES):
                    message = RULES[UNUSED].describe(code or "trigger: ignore")
                    yield self._place.diagnostic(UNUSED, module, suppression.at, message, subject=code)

    # --- jobs ---------------------------------------------------------------------------------------------------------

    def _job(self, body: Body, diagnostics: Sequence[Diagnostic]) -> Job:
        frame = body.frame
        facts = frame.function.facts if frame.function is not None else None
        module = frame.home.source
        name = facts.qualname if facts is not None else ""
        job_id = self._job_id(body)
        first, last = facts.rows if facts is not None else (0, 0)
        codes = {
            diagnostic.code
            for diagnostic in diagnostics
            if diagnostic.location.file == module.path and first <= diagnostic.location.row <= last
        }
        return Job(
            id=job_id,
            qualname=f"{module.name}.{name}",
            location=location(module, facts.at if facts is not None else 0),
            is_async=frame.is_async,
            queue=self._queue(body),
            steps=self._steps(frame),
            effects=tuple(sorted(codes)),
            step_places=tuple(
                location(module, at)
                for at, by_code in sorted(frame.sites.items())
                if DURABLE in by_code or SENDS in by_code
            ),
        )

    def _queue(self, body: Body) -> str:
        decorator = None if body.job is None else self._machine.jobs.get(body.job)
        call = None if decorator is None else self._machine.sdk_calls.get((decorator.frame, decorator.at))
        if call is None:
            return ""
        direct = only_text(call.arguments.keyword("queue"))
        if direct is not None:
            return direct
        inside = [
            only_text(other.arguments.get(0, "name"))
            for other in self._machine.sdk_calls.values()
            if other.name == "Queue" and other.frame is call.frame and _contains(call.at, other.at)
        ]
        return next((name for name in inside if name), "")

    @staticmethod
    def _steps(frame: Frame) -> tuple[str, ...]:
        found = [
            (at, step.leaf.subject)
            for at, by_code in frame.sites.items()
            for code, step in by_code.items()
            if code in (DURABLE, SENDS)
        ]
        return tuple(dict.fromkeys(subject for _, subject in sorted(found)))


def _contains(outer: int, inner: int) -> bool:
    return outer != inner and row_of(outer) <= row_of(inner) <= row_of(outer) + (outer >> 14 & 0xFFF)


def _in_order(diagnostics: Iterable[Diagnostic], paths: Sequence[Path] | None) -> tuple[Diagnostic, ...]:
    kept = {
        (diagnostic.location, diagnostic.code): diagnostic
        for diagnostic in diagnostics
        if paths is None or any(diagnostic.location.file.is_relative_to(path) for path in paths)
    }
    return tuple(sorted(kept.values(), key=lambda diagnostic: (diagnostic.location, diagnostic.code)))


def _python_files(project: Project, folder: Path) -> Iterable[Path]:
    for path in sorted(folder.rglob("*.py")):
        if project.is_project_file(path):
            yield path
