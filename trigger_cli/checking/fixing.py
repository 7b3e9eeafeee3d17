"""Fixes: made in memory, round by round, until nothing changes; then written, or shown as a difference."""

from __future__ import annotations

import ast
import warnings
from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass, field
from pathlib import Path

from analyzer.model import Diagnostic, Fix, Report
from trigger_cli.checking.source_file import SourceFile
from trigger_cli.checking.targets import Target
from trigger_cli.errors import FileNotWritten
from trigger_sdk.protocol.problem import Problem

_MOST_ROUNDS = 30


@dataclass(slots=True, kw_only=True)
class Rewrite:
    """Files that are changed.

    Attributes:
        files: as they are on disk, or on standard input.
        texts: the new text of those that change.
        counts: how many changes are in it.
        problems: what could not be changed.
    """

    files: dict[Path, SourceFile] = field(default_factory=dict)
    texts: dict[Path, str] = field(default_factory=dict)
    counts: dict[Path, int] = field(default_factory=dict)
    problems: list[Problem] = field(default_factory=list)

    @property
    def count(self) -> int:
        """How many changes there are in all."""
        return sum(self.counts.values())

    @property
    def overlay(self) -> dict[Path, str]:
        """The texts to check in the place of what is on disk."""
        return {path: file.text for path, file in self.files.items()} | self.texts

    def current(self, path: Path) -> str | None:
        """Return a file's text as it is now, None when it cannot be read."""
        if path in self.texts:
            return self.texts[path]
        if path not in self.files:
            try:
                self.files[path] = SourceFile.read(path)
            except (OSError, SyntaxError, UnicodeDecodeError):
                return None
        return self.files[path].text

    def apply(self, path: Path, fixes: Iterable[Fix]) -> int:
        """Apply fixes to a file as it is now and return how many were; none when the result would be no Python."""
        from analyzer.fixes import apply_fixes

        text = self.current(path)
        if text is None:
            return 0
        wanted = list(fixes)
        new, count = apply_fixes(text, wanted)
        if new == text:
            return 0
        if not is_python(new):
            # One of them is wrong: the others are made one in each round.
            return 0 if len(wanted) == 1 else next((1 for fix in wanted if self.apply(path, [fix])), 0)
        self.texts[path] = new
        self.counts[path] = self.counts.get(path, 0) + count
        return count

    def write(self) -> None:
        """Write the files that change; what cannot be written is told in ``problems`` and keeps its text."""
        for path, text in sorted(self.texts.items()):
            try:
                self.files[path].write(text)
            except FileNotWritten as error:
                self.problems.append(error.problem)
                del self.texts[path]
                self.counts.pop(path, None)

    def diff(self, shown: Mapping[Path, str]) -> str:
        """Return the changes as a unified difference; ``shown`` has the names of the files."""
        return "".join(
            line
            for path, text in sorted(self.texts.items())
            for line in _difference(self.files[path].text, text, shown[path])
        )


def fix_all(targets: Iterable[Target], rewrite: Rewrite, *, unsafe: bool) -> list[Report]:
    """Fix what can be fixed in each target and return the reports of what is left, one for each.

    Args:
        targets: what to check.
        rewrite: takes the changes; its texts are checked in the place of what is on disk.
        unsafe: make fixes that want a look too.
    """
    from analyzer.fixes import with_fixes

    reports = []
    for target in targets:
        for _ in range(_MOST_ROUNDS):
            report = with_fixes(target.check(rewrite.overlay), texts=rewrite.overlay)
            if not _round(report.diagnostics, rewrite, unsafe=unsafe):
                break
        else:
            report = with_fixes(target.check(rewrite.overlay), texts=rewrite.overlay)
        reports.append(report)
    return reports


def _round(diagnostics: Iterable[Diagnostic], rewrite: Rewrite, *, unsafe: bool) -> int:
    by_file: dict[Path, list[Fix]] = {}
    for diagnostic in diagnostics:
        fix = diagnostic.fix
        if fix is not None and fix.edits and (unsafe or fix.applicability == "safe"):
            by_file.setdefault(fix.edits[0].location.file, []).append(fix)
    return sum(rewrite.apply(path, fixes) for path, fixes in by_file.items())


def is_python(text: str) -> bool:
    """Tell whether a text can be parsed."""
    try:
        with warnings.catch_warnings():
            warnings.simplefilter("ignore")
            ast.parse(text.removeprefix("\ufeff"))
    except (SyntaxError, ValueError, RecursionError):
        return False
    return True


def _difference(old: str, new: str, name: str) -> Iterator[str]:
    from difflib import unified_diff

    for line in unified_diff(_lines(old), _lines(new), name, name):
        if line.endswith("\n"):
            yield line
        else:
            yield f"{line}\n\\ No newline at end of file\n"


def _lines(text: str) -> list[str]:
    """Split at line feeds only: a form feed or a separator in a literal ends no line."""
    return [f"{line}\n" for line in text.split("\n")[:-1]] + ([last] if (last := text.rpartition("\n")[2]) else [])
