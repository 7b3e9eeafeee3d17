"""Fixing a project in rounds, as the command does: check, apply, and again until nothing changes."""

from __future__ import annotations

from collections import Counter
from dataclasses import dataclass, field
from pathlib import Path

from analyzer.check import check
from analyzer.fixes import apply_fixes, with_fixes
from analyzer.model import Diagnostic, Report
from analyzer.settings import CheckSettings
from trigger_sdk.protocol.project import load_project

ROUNDS = 20


@dataclass(slots=True)
class Fixed:
    """What became of a project.

    Attributes:
        before: what was found first.
        after: what is found in the end.
        applied: the fixes that were made.
        texts: the changed files, by path.
        first: the diagnostics that had a fix in the first round.
    """

    before: Report
    after: Report
    applied: list[Diagnostic] = field(default_factory=list)
    texts: dict[Path, str] = field(default_factory=dict)
    first: list[Diagnostic] = field(default_factory=list)


def fix_project(root: Path, *, unsafe: bool) -> Fixed:
    """Fix all files of a project on disk until nothing changes; raises AssertionError when that does not end."""
    project = load_project(root)
    report = with_fixes(check(project, CheckSettings()))
    fixed = Fixed(report, report)
    fixed.first = [each for each in report.diagnostics if _wanted(each, unsafe=unsafe)]
    for _ in range(ROUNDS):
        by_file: dict[Path, list[Diagnostic]] = {}
        for diagnostic in report.diagnostics:
            if _wanted(diagnostic, unsafe=unsafe):
                by_file.setdefault(diagnostic.location.file, []).append(diagnostic)
        if not by_file:
            fixed.after = report
            return fixed
        for file, diagnostics in by_file.items():
            text = file.read_bytes().decode("utf-8")
            new, count = apply_fixes(text, [each.fix for each in diagnostics if each.fix is not None])
            assert count > 0
            assert new != text
            file.write_bytes(new.encode("utf-8"))
            fixed.texts[file] = new
            fixed.applied += diagnostics
        report = with_fixes(check(project, CheckSettings()))
    message = f"fixing does not end: {report.diagnostics}"
    raise AssertionError(message)


def _wanted(diagnostic: Diagnostic, *, unsafe: bool) -> bool:
    return diagnostic.fix is not None and (unsafe or diagnostic.fix.applicability == "safe")


def counted(report: Report, root: Path) -> Counter[tuple[str, str]]:
    """Return how many findings of each code are in each file."""
    return Counter((each.location.file.relative_to(root).as_posix(), each.code) for each in report.diagnostics)
