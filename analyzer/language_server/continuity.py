"""What stays known while a file is broken: a line that is half typed does not make its neighbours' findings go.

A file that is no valid Python at the moment has no facts, so what the check knew of it, and of others through it, is
kept until it is valid again. Lines that changed lose their findings; the others keep them, at the place where they are.
"""

from __future__ import annotations

from dataclasses import replace
from typing import TYPE_CHECKING, Final

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable, Mapping
    from pathlib import Path

    from analyzer.language_server.positions import Lines
    from analyzer.language_server.snapshot import FileFindings
    from analyzer.model import Diagnostic, Job, Location

SYNTAX: Final = "TRG901"
"""The code that says that a file is broken."""

_OF_ABSENCE: Final = frozenset(("TRG507", "TRG902"))
"""Codes that say that nothing does something. While a file is broken, that may only seem so."""


def broken_files(diagnostics: Iterable[Diagnostic], open_files: Iterable[Path]) -> frozenset[Path]:
    """Return the open files that are no valid Python at the moment."""
    syntax = {diagnostic.location.file for diagnostic in diagnostics if diagnostic.code == SYNTAX}
    return frozenset(syntax.intersection(open_files))


def without_absences(diagnostics: Iterable[Diagnostic], before: Mapping[Path, FileFindings]) -> tuple[Diagnostic, ...]:
    """Return diagnostics without those that only seem so while a file is broken, but for what was known before."""
    known = {
        (path, finding.diagnostic.code, finding.diagnostic.message)
        for path, file in before.items()
        for finding in file.findings
    }
    return tuple(
        diagnostic
        for diagnostic in diagnostics
        if diagnostic.code not in _OF_ABSENCE
        or (diagnostic.location.file, diagnostic.code, diagnostic.message) in known
    )


def carried(
    before: Mapping[Path, FileFindings],
    now: Iterable[Diagnostic],
    broken: frozenset[Path],
    lines_now: Callable[[Path], Lines],
) -> list[Diagnostic]:
    """Return what was found before in broken files or through them, and still stands there.

    Args:
        before: what was known, with the texts that it was found in.
        now: what the check says.
        broken: the files.
        lines_now: gives a file's lines as they are.
    """
    found = {(diagnostic.location, diagnostic.code) for diagnostic in now}
    kept: list[Diagnostic] = []
    for path, file in before.items():
        moves: _Moves | None = None
        for finding in file.findings:
            diagnostic = finding.diagnostic
            if diagnostic.code == SYNTAX or not (
                path in broken or any(link.location.file in broken for link in diagnostic.chain)
            ):
                continue
            moves = moves or _Moves(file.lines, lines_now(path))
            location = moves.moved(diagnostic.location)
            if location is not None and (location, diagnostic.code) not in found:
                kept.append(replace(diagnostic, location=location))
    return kept


def carried_jobs(before: Iterable[Job], now: tuple[Job, ...], broken: frozenset[Path]) -> tuple[Job, ...]:
    """Return the jobs, with those of broken files as they were known."""
    found = {job.qualname for job in now}
    return (*now, *(job for job in before if job.location.file in broken and job.qualname not in found))


class _Moves:
    """Where the lines of one text are in another that differs in one stretch."""

    def __init__(self, before: Lines, now: Lines) -> None:
        shortest = min(len(before), len(now))
        head = 0
        while head < shortest and before.line(head) == now.line(head):
            head += 1
        tail = 0
        while tail < shortest - head and before.line(len(before) - 1 - tail) == now.line(len(now) - 1 - tail):
            tail += 1
        self._head = head
        self._tail_from = len(before) - tail
        self._shift = len(now) - len(before)

    def moved(self, location: Location) -> Location | None:
        """Return where a location is now; None when one of its lines changed."""
        if location.end_row <= self._head:
            return location
        if location.row > self._tail_from:
            return replace(location, row=location.row + self._shift, end_row=location.end_row + self._shift)
        return None
