"""What of a report a developer reads after a save: what the save brought and what it mended, not all of it again."""

from __future__ import annotations

import os
from dataclasses import dataclass, replace
from pathlib import Path
from typing import TYPE_CHECKING, Final

from analyzer.fixes import with_fixes
from analyzer.model import Severity
from analyzer.output.fingerprints import fingerprints
from analyzer.output.text import finding_lines
from analyzer.output.wording import counted, severity_counts
from devserver.checking.messages import CheckAnswer, CheckRequest, Memory

if TYPE_CHECKING:
    from collections.abc import Iterable, Mapping

    from analyzer.model import Diagnostic, Report
    from analyzer.output.view import View
    from trigger_sdk.protocol.problem import Problem

MOST_SHOWN: Final = 5
"""Findings that a save shows in full; more are a flood, and are counted."""

MOST_AT_START: Final = 3
"""The same at the start, when nobody has touched anything: all of them, or their number."""

_SYNTAX: Final = "TRG901"
_OF_ABSENCE: Final = frozenset(("TRG507", "TRG902"))
"""Codes that say that nothing does something; while a file is broken, that may only seem so."""


@dataclass(frozen=True, slots=True, kw_only=True)
class _Found:
    """An error or a warning.

    Attributes:
        mark: its fingerprint, of which the text of its line is a part.
        kind: what it shares with those that are alike but for that.
        diagnostic: the finding.
        before: the fingerprint it is known by; its own, or another if its line was edited; None when it is new.
    """

    mark: str
    kind: str
    diagnostic: Diagnostic
    before: str | None = None

    def leads_through(self, files: frozenset[str]) -> bool:
        """Tell whether it stands in one of the files, or reaches its effect through one."""
        links = (link.location for link in self.diagnostic.chain)
        return any(str(location.file) in files for location in (self.diagnostic.location, *links))


def tell(report: Report, request: CheckRequest, view: View) -> CheckAnswer:
    """Return what to say of a report, given what was saved and what the developer knows."""
    return _Story(report, request, view).answer()


class _Story:
    """A report beside what the developer knows."""

    def __init__(self, report: Report, request: CheckRequest, view: View) -> None:
        self._report = report
        self._memory = request.memory
        self._view = view
        root = Path(request.root)
        self._saved = frozenset(os.path.normpath(root / path) for path in request.saved)
        self._broken = {str(one.location.file) for one in report.diagnostics if one.code == _SYNTAX}
        told = {str(root / place.rpartition(":")[0]) for place in request.told}
        self._told = self._broken & told
        self._found = list(_recognized(self._read(), self._memory.known))
        stay = {one.before for one in self._found if one.before is not None}
        missed = {mark: kind for mark, kind in self._memory.known.items() if mark not in stay}
        # What is not seen while a file is broken will be there again, for all we know.
        self._gone = 0 if self._broken else len(missed)
        self._known = {one.mark: one.kind for one in self._found} | (missed if self._broken else {})

    def answer(self) -> CheckAnswer:
        """Return the answer."""
        shown = self._chosen()
        problems = {problem.message: problem for problem in self._report.problems}
        seen = {one.mark for one in self._found if one in shown or self._was_shown(one)}
        memory = Memory(
            is_first=self._memory.is_first and bool(self._broken),
            known=self._known,
            shown=frozenset(seen | (self._memory.shown & self._known.keys())),
            problems=frozenset(problems),
        )
        return CheckAnswer(
            memory=memory,
            is_made=True,
            messages=(*self._in_full(shown), *self._summary(shown)),
            warnings=tuple(_new(problems.items(), self._memory.problems)),
        )

    # --- what there is ------------------------------------------------------------------------------------------------

    def _read(self) -> Iterable[_Found]:
        """Yield what is found, but for hints, for what the worker has told and for what may only seem so."""
        found = [one for one in self._report.diagnostics if one.severity is not Severity.HINT]
        for mark, one in zip(fingerprints(found, self._view), found, strict=True):
            if one.code == _SYNTAX and str(one.location.file) in self._told:
                continue
            if self._broken and one.code in _OF_ABSENCE and mark not in self._memory.known:
                continue
            kind = "\0".join((str(one.location.file), one.code, one.job, one.subject))
            yield _Found(mark=mark, kind=kind, diagnostic=one)

    def _chosen(self) -> list[_Found]:
        """Return what is shown in full: errors first."""
        unseen = [one for one in self._found if not self._was_shown(one)]
        if self._memory.is_first and not self._saved:
            return unseen if len(unseen) <= MOST_AT_START else []
        wanted = [one for one in unseen if self._is_new(one) or one.leads_through(self._saved)]
        wanted.sort(key=lambda one: (not self._is_new(one), one.diagnostic.severity.rank))
        return wanted[:MOST_SHOWN]

    def _is_new(self, one: _Found) -> bool:
        return not self._memory.is_first and one.before is None

    def _was_shown(self, one: _Found) -> bool:
        return one.before is not None and one.before in self._memory.shown

    # --- words --------------------------------------------------------------------------------------------------------

    def _in_full(self, shown: list[_Found]) -> Iterable[tuple[str, ...]]:
        if not shown:
            return
        # Which fix a finding has may depend on the others in its file.
        files = {one.diagnostic.location.file for one in shown}
        beside = tuple(one for one in self._report.diagnostics if one.location.file in files)
        fixed = dict(zip(beside, with_fixes(replace(self._report, diagnostics=beside)).diagnostics, strict=True))
        for one in shown:
            first, *more = finding_lines(fixed[one.diagnostic], self._view)
            mark = f"{self._view.ink.yellow('new')} " if self._is_new(one) else ""
            yield (f"{self._view.ink.bold('check:')} {mark}{first}", *more)

    def _summary(self, shown: list[_Found]) -> Iterable[tuple[str, ...]]:
        """Yield the count of what is there when it has changed and was not shown, all of it, just now."""
        before, ink = self._memory.known, self._view.ink
        check = ink.bold("check:")
        if not self._known:
            if before:
                yield (f"{check} {ink.green('clean again')}{self._hints()}",)
            elif self._memory.is_first and self._report.jobs and not self._broken:
                yield (f"{check} no findings in {counted(len(self._report.jobs), 'job')}{self._hints()}",)
            return
        gone = self._gone
        is_same = not gone and all(one.before is not None for one in self._found)
        if (is_same and not shown) or (not gone and len(shown) == len(self._known)) or not self._found:
            return
        jobs = {one.diagnostic.job for one in self._found if one.diagnostic.job}
        where = f" in {counted(len(jobs), 'job')}" if jobs else ""
        count = severity_counts(one.diagnostic for one in self._found)
        yield (f"{check} {f'{gone} gone, ' if gone else ''}{count}{where}; `trigger check` shows them",)

    def _hints(self) -> str:
        hints = sum(one.severity is Severity.HINT for one in self._report.diagnostics)
        return f", {counted(hints, 'hint')}" if hints else ""


def _recognized(found: Iterable[_Found], known: Mapping[str, str]) -> Iterable[_Found]:
    """Yield what is found, with the fingerprint under which it is known: the same, or that of one of its kind."""
    found = list(found)
    same = {one.mark for one in found}
    edited: dict[str, list[str]] = {}
    for mark, kind in known.items():
        if mark not in same:
            edited.setdefault(kind, []).append(mark)
    for one in found:
        alike = edited.get(one.kind)
        yield replace(one, before=one.mark if one.mark in known else alike.pop(0) if alike else None)


def _new(problems: Iterable[tuple[str, Problem]], told: frozenset[str]) -> Iterable[Problem]:
    return (problem for message, problem in problems if message not in told)
