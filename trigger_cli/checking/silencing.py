"""`--add-ignore`: comments that silence what is found today, so that only what is new is reported from then on."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from pathlib import Path

from analyzer.model import Diagnostic, Report, Severity
from trigger_cli.checking.fixing import Rewrite
from trigger_cli.checking.targets import Target

_MOST_ROUNDS = 10

_LOUD = "TRG9"
"""Findings about the check itself: to silence a syntax error or a useless comment is no use."""


def silence_all(targets: Iterable[Target], rewrite: Rewrite, *, reason: str) -> list[Report]:
    """Add a comment at each error and warning, and return the reports of what could not be silenced.

    Args:
        targets: what to check.
        rewrite: takes the changes.
        reason: why, in the user's words.
    """
    reports = []
    for target in targets:
        report = target.check(rewrite.overlay)
        for _ in range(_MOST_ROUNDS):
            if not _round(report.diagnostics, rewrite, reason):
                break
            report = target.check(rewrite.overlay)
        reports.append(report)
    return reports


def _round(diagnostics: Sequence[Diagnostic], rewrite: Rewrite, reason: str) -> int:
    from analyzer.fixes import suppress

    rows: dict[Path, dict[int, list[str]]] = {}
    for diagnostic in diagnostics:
        if diagnostic.severity is not Severity.HINT and not diagnostic.code.startswith(_LOUD):
            codes = rows.setdefault(diagnostic.location.file, {}).setdefault(diagnostic.location.row, [])
            codes.append(diagnostic.code)
    added = 0
    for path, by_row in rows.items():
        text = rewrite.current(path)
        if text is not None:
            found = (suppress(text, row, sorted(set(codes)), reason, file=path) for row, codes in by_row.items())
            added += rewrite.apply(path, [fix for fix in found if fix is not None])
    return added
