"""All fixes, by the code of the rule, and making them."""

from __future__ import annotations

import io
import tokenize
from bisect import bisect_right
from dataclasses import replace
from pathlib import Path
from types import MappingProxyType
from typing import TYPE_CHECKING, Final

from analyzer.fixes.added_await import add_await
from analyzer.fixes.child_run import start_run
from analyzer.fixes.durable_sleep import sleep_durably
from analyzer.fixes.narrow_handler import narrow_handler
from analyzer.fixes.recorded_value import record_value
from analyzer.fixes.returned_value import return_value
from analyzer.fixes.sorted_set import sort_set
from analyzer.fixes.source import Source, parse, splice
from analyzer.fixes.step import make_step
from analyzer.fixes.target import Maker, Target
from analyzer.fixes.threaded_call import run_as_task
from analyzer.fixes.unused_suppression import remove_suppression

if TYPE_CHECKING:
    import ast
    from collections.abc import Mapping, Sequence

    from analyzer.model import Diagnostic, Edit, Fix, Job, Report

MAKERS: Final[Mapping[str, tuple[Maker, ...]]] = MappingProxyType(
    {
        "TRG101": (make_step,),
        "TRG102": (make_step,),
        "TRG103": (make_step,),
        "TRG104": (make_step,),
        "TRG105": (record_value, make_step),
        "TRG106": (run_as_task,),
        "TRG107": (sleep_durably, make_step),
        "TRG211": (record_value,),
        "TRG212": (record_value,),
        "TRG301": (sort_set,),
        "TRG401": (add_await,),
        "TRG402": (return_value,),
        "TRG404": (start_run,),
        "TRG405": (narrow_handler,),
        "TRG902": (remove_suppression,),
    }
)
"""The fixes of a rule, the best first. A rule that is not here has none."""


def with_fixes(report: Report, *, texts: Mapping[Path, str] | None = None) -> Report:
    """Return the report with a fix in each diagnostic that has one.

    Args:
        report: what a check found.
        texts: unsaved text by resolved path, in the place of what is on disk.
    """
    unsaved = texts or {}
    sources: dict[Path, Source | None] = {}
    jobs: dict[Path, list[Job]] = {}
    for job in report.jobs:
        jobs.setdefault(job.location.file, []).append(job)
    of_file: dict[Path, list[Diagnostic]] = {}
    for diagnostic in report.diagnostics:
        of_file.setdefault(diagnostic.location.file, []).append(diagnostic)
    fixed = []
    for diagnostic in report.diagnostics:
        file = diagnostic.location.file
        if diagnostic.code in MAKERS and file not in sources:
            sources[file] = _open(file, unsaved)
        source = sources.get(file) if diagnostic.code in MAKERS else None
        known = None
        if source is not None:
            known = _make(Target(diagnostic, source, tuple(jobs.get(file, ())), tuple(of_file[file])))
        fixed.append(diagnostic if known is None else replace(diagnostic, fix=known))
    return replace(report, diagnostics=tuple(fixed))


def fix_for(
    diagnostic: Diagnostic,
    text: str,
    *,
    jobs: Sequence[Job] | None = None,
    others: Sequence[Diagnostic] = (),
) -> Fix | None:
    """Return the fix of one diagnostic, or None: there is none, or the text is not the one that was checked.

    Args:
        diagnostic: what is to be fixed.
        text: its file's text, as on disk or in the editor.
        jobs: the jobs of the file. Without them, blocks are not lifted into tasks.
        others: the diagnostics of the file. Without them, it is not known what variables hold that others open.
    """
    if diagnostic.code not in MAKERS:
        return None
    source = Source(text, diagnostic.location.file)
    here = tuple(dict.fromkeys((*others, diagnostic)))
    return _make(Target(diagnostic, source, None if jobs is None else tuple(jobs), here))


def _open(file: Path, unsaved: Mapping[Path, str]) -> Source | None:
    text = unsaved.get(file)
    if text is None:
        try:
            content = file.read_bytes()
            encoding, _ = tokenize.detect_encoding(io.BytesIO(content).readline)
            text = content.decode("utf-8" if encoding == "utf-8-sig" else encoding)  # the mark counts, see Source
        except (OSError, SyntaxError, UnicodeDecodeError):
            return None
    return Source(text, file)


def _make(target: Target) -> Fix | None:
    """Return the first safe fix, or the first one that leaves a valid file behind."""
    best: Fix | None = None
    for maker in MAKERS[target.diagnostic.code]:
        try:
            made = maker(target)
            if made is None or not _is_valid(target.source, made):
                continue
        except (SyntaxError, ValueError, RecursionError):
            continue
        if made.applicability == "safe":
            return made
        best = best or made
    return best


def _is_valid(source: Source, made: Fix) -> bool:
    """Tell whether the statements of the module that a fix touches are valid Python after it; SyntaxError if not."""
    starts = sorted({1, *(_first_row(statement) for statement in source.tree.body), len(source.lines) + 1})
    touched: dict[tuple[int, int], list[Edit]] = {}
    for edit in made.edits:
        first = starts[bisect_right(starts, edit.location.row) - 1]
        behind = starts[min(bisect_right(starts, edit.location.end_row), len(starts) - 1)]
        touched.setdefault((first, behind), []).append(edit)
    for (first, behind), edits in touched.items():
        part = Source("\n".join([*source.lines[first - 1 : behind - 1], ""]), source.file)
        parse(Source(splice(part, [_moved(edit, first - 1) for edit in edits]), source.file).plain)
    return True


def _first_row(statement: ast.stmt) -> int:
    row: int = min([statement.lineno, *(each.lineno for each in getattr(statement, "decorator_list", ()))])
    return row


def _moved(edit: Edit, rows: int) -> Edit:
    at = edit.location
    return replace(edit, location=replace(at, row=at.row - rows, end_row=at.end_row - rows))
