"""From results to a report: what is about the project as a whole is found here, the rest is put in order."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path
from typing import TYPE_CHECKING, Final

from analyzer.facts.spans import pack
from analyzer.model import FILE_UNREADABLE, Diagnostic, Report
from analyzer.rules.declarations import Declarations
from analyzer.rules.registry import RULES
from analyzer.rules.selectors import suggestion
from analyzer.suppressions import silencing, unused
from trigger_sdk.protocol.problem import Problem

if TYPE_CHECKING:
    from collections.abc import Iterable, Sequence

    from analyzer.findings import Place
    from analyzer.model import Job
    from analyzer.results import ModuleResult, Results, UnitResult

SYNTAX: Final = "TRG901"
UNUSED: Final = "TRG902"
INVALID: Final = "TRG903"
INCOMPLETE: Final = "check-incomplete"


class Reporting:
    """Makes a report of results.

    Args:
        results: what was found, module by module.
        place: where diagnostics may stand.
        paths: files or folders to report on; None for all.
    """

    def __init__(self, results: Results, place: Place, paths: Sequence[Path] | None) -> None:
        self._results = results
        self._place = place
        self._paths = paths
        self._silenced: set[tuple[str, int, str]] = set()
        self._units = [unit for module in results.modules.values() for unit in module.units or ()]

    def report(self) -> Report:
        """Return the report."""
        for unit in self._units:
            self._silenced |= unit.silenced
        diagnostics = [diagnostic for unit in self._units for diagnostic in unit.diagnostics]
        diagnostics += self._of_declarations()
        diagnostics += self._of_syntax()
        diagnostics += self._of_suppressions()
        kept = {
            (diagnostic.location, diagnostic.code): diagnostic
            for diagnostic in reversed(diagnostics)
            if self._is_wanted(diagnostic.location.file)
        }
        in_order = tuple(sorted(kept.values(), key=lambda diagnostic: (diagnostic.location, diagnostic.code)))
        functions = {(each.file, each.index) for unit in self._units for each in unit.functions if each.in_body}
        return Report(
            diagnostics=in_order,
            jobs=tuple(self._jobs(in_order)),
            files=len(self._results.modules),
            functions=len(functions),
            problems=tuple(self._problems()),
        )

    def _is_wanted(self, file: Path) -> bool:
        return self._paths is None or any(file.is_relative_to(path) for path in self._paths)

    def _of_declarations(self) -> Iterable[Diagnostic]:
        modules = self._results.modules.values()
        declarations = Declarations(
            jobs=tuple(sorted((job for module in modules for job in module.jobs), key=lambda job: (job.home, job.at))),
            calls=tuple(dict.fromkeys(call for part in self._parts() for call in part.calls)),
            zones=tuple(dict.fromkeys(zone for part in self._parts() for zone in part.zones)),
        )
        for rule in RULES.values():
            for finding in rule.check(declarations) if rule.check is not None else ():
                path = Path(finding.home.file)
                if self._place.wants(rule.code, path) and not self._is_silenced(
                    finding.home.file, finding.at, rule.code
                ):
                    yield self._place.diagnostic(rule.code, path, finding.at, finding.message)

    def _parts(self) -> Iterable[ModuleResult | UnitResult]:
        yield from self._results.modules.values()
        yield from self._units

    def _is_silenced(self, file: str, at: int, code: str) -> bool:
        module = self._results.modules.get(file)
        found = () if module is None else silencing(module.suppressions, at, code)
        self._silenced.update((file, row, listed) for row, listed in found)
        return bool(found)

    def _of_syntax(self) -> Iterable[Diagnostic]:
        for file, module in self._results.modules.items():
            broken, path = module.broken, Path(file)
            if broken is not None and self._place.wants(SYNTAX, path):
                at = pack(broken.row, broken.column - 1, broken.row, broken.column)
                yield self._place.diagnostic(SYNTAX, path, at, RULES[SYNTAX].describe(broken.message))

    def _of_suppressions(self) -> Iterable[Diagnostic]:
        rows: dict[str, set[tuple[int, int]]] = {}
        for unit in self._units:
            for each in unit.functions:
                rows.setdefault(each.file, set()).add((each.first, each.last))
        for file, module in self._results.modules.items():
            if not module.suppressions:
                continue
            path = Path(file)
            yield from self._of_invalid(path, module)
            if not self._place.wants(UNUSED, path):
                continue
            used = {(row, code) for silenced, row, code in self._silenced if silenced == file}
            for suppression, code in unused(module.suppressions, rows.get(file, ()), used):
                if any(known.startswith(code) and self._place.wants(known, path) for known in RULES):
                    message = RULES[UNUSED].describe(code)
                    yield self._place.diagnostic(UNUSED, path, suppression.at, message, subject=code)

    def _of_invalid(self, path: Path, module: ModuleResult) -> Iterable[Diagnostic]:
        if not self._place.wants(INVALID, path):
            return
        for suppression in module.suppressions:
            if suppression.mistake:
                yield self._place.diagnostic(INVALID, path, suppression.at, suppression.mistake)
            for code in suppression.codes:
                if not any(known.startswith(code) for known in RULES):
                    message = RULES[INVALID].describe(code, remedy=suggestion(code))
                    yield self._place.diagnostic(INVALID, path, suppression.at, message)

    def _jobs(self, diagnostics: Sequence[Diagnostic]) -> Iterable[Job]:
        jobs = [job for unit in self._units for job in unit.jobs if self._is_wanted(job.location.file)]
        ends = {(each.file, each.first): each.last for unit in self._units for each in unit.functions if unit.jobs}
        for job in sorted(jobs, key=lambda job: job.location):
            file = str(job.location.file)
            last = max(
                (end for (name, first), end in ends.items() if name == file and first <= job.location.row <= end),
                default=job.location.row,
            )
            codes = {
                found.code
                for found in diagnostics
                if found.location.file == job.location.file and job.location.row <= found.location.row <= last
            }
            yield replace(job, effects=tuple(sorted(codes)))

    def _of_what_is_incomplete(self) -> Iterable[Problem]:
        """Give what the check did not follow to its end."""
        if not all(module.is_complete for module in self._results.modules.values()):
            yield Problem(
                code=INCOMPLETE,
                message="the modules do more when they are imported than the check follows: not all of it is known",
                hint="Take copies of large libraries out of the import roots, or have less computed on import.",
            )
        for file, module in self._results.modules.items():
            for unit in module.units or ():
                if not unit.is_complete and self._is_wanted(Path(file)):
                    job = next(iter(unit.jobs), None)
                    what = f"a task of `{module.name}`" if job is None else f"the job `{job.id or job.qualname}`"
                    yield Problem(
                        code=INCOMPLETE,
                        message=f"{what} reaches more code than the check follows: not all of it was looked at",
                        hint="Move what it does not need out of its reach, or put the calls that lead there in tasks.",
                        where=file if job is None else f"{file}:{job.location.row}",
                    )

    def _problems(self) -> Iterable[Problem]:
        yield from self._of_what_is_incomplete()
        for file, reason in self._results.unreadable.items():
            yield Problem(
                code=FILE_UNREADABLE,
                message=f"{file} cannot be read: {reason}",
                hint="Make it readable, or take it out of the project.",
                where=file,
            )
