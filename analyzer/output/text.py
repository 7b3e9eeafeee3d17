"""For people: each finding with its source line, the chain of calls down to the effect, and a summary.

Hints ask for no action: each is one line.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Final

from analyzer.model import Severity
from analyzer.output.concise import head
from analyzer.output.wording import columns, fix_mark, printable, shown_chain, summary

if TYPE_CHECKING:
    from collections.abc import Iterator

    from analyzer.model import Diagnostic, Location, Report
    from analyzer.output.view import View

_TAB: Final = 4
_WIDEST: Final = 160
"""Columns of a source line that are shown; of a longer one, those around the finding."""

_BEFORE: Final = 40


def render(report: Report, view: View) -> str:
    """Return the report for a terminal."""
    lines: list[str] = []
    previous: Severity | None = None
    for diagnostic in report.diagnostics:
        hint = diagnostic.severity is Severity.HINT
        if hint and previous is not None and previous is not Severity.HINT:
            lines.append("")
        if previous is not None and not hint:
            lines.append("")
        lines += [_hint(diagnostic, view)] if hint else finding_lines(diagnostic, view)
        previous = diagnostic.severity
    if lines:
        lines.append("")
    first, *more = summary(report, view)
    clean = all(diagnostic.severity is Severity.HINT for diagnostic in report.diagnostics)
    lines.append(view.ink.green(first) if clean else view.ink.bold(first))
    return "\n".join([*lines, *more]) + "\n"


def finding_lines(diagnostic: Diagnostic, view: View) -> list[str]:
    """Return a finding as lines: what and where, the message, the source line, the calls down to the effect."""
    return [*_finding(diagnostic, view)]


def _hint(diagnostic: Diagnostic, view: View) -> str:
    mark = fix_mark(diagnostic)
    said = f"{head(diagnostic, view)} {view.ink.dim(printable(diagnostic.message))}"
    return f"{said} {view.ink.green(mark)}" if mark else said


def _finding(diagnostic: Diagnostic, view: View) -> Iterator[str]:
    mark = fix_mark(diagnostic)
    yield head(diagnostic, view).removesuffix(":") + (f" {view.ink.green(mark)}" if mark else "")
    yield f"  {view.ink.bold(printable(diagnostic.message))}"
    gutter = len(str(diagnostic.location.row))
    frame = list(_frame(diagnostic.location, view, gutter, diagnostic.severity))
    yield from frame
    yield from _chain(diagnostic, view, gutter)


def _frame(location: Location, view: View, gutter: int, severity: Severity) -> Iterator[str]:
    """Yield the source line with the finding underlined; nothing when there is no such line."""
    source = view.sources.line(location.file, location.row)
    if not source.strip():
        return
    end = location.end_column - 1 if location.end_row == location.row else len(source)
    begin = min(location.column - 1, len(source))
    end = min(max(end, begin), len(source))
    before, marked, after = (_shown(part) for part in (source[:begin], source[begin:end], source[end:]))
    before, marked, after = _cut(before, marked, after)
    bar = view.ink.cyan("|")
    empty = f"{'':{gutter}} {bar}"
    carets = "^" * max(1, columns(marked))
    ink = view.ink.red if severity is Severity.ERROR else view.ink.yellow
    yield empty
    yield f"{view.ink.cyan(str(location.row))} {bar} {before}{marked}{after}".rstrip()
    yield f"{empty} {' ' * columns(before)}{ink(carets)}"


def _shown(text: str) -> str:
    return printable(text.replace("\t", " " * _TAB))


def _cut(before: str, marked: str, after: str) -> tuple[str, str, str]:
    """Keep what surrounds the finding in a line that is too long for a screen."""
    if len(before) + len(marked) + len(after) <= _WIDEST:
        return before, marked, after
    if len(before) > _BEFORE:
        before = "..." + before[-_BEFORE:]
    room = max(_WIDEST - len(before), _BEFORE)
    if len(marked) > room:
        return before, marked[:room], "..."
    room -= len(marked)
    return before, marked, after if len(after) <= room else after[:room] + "..."


def _chain(diagnostic: Diagnostic, view: View, gutter: int) -> Iterator[str]:
    """Yield one line for each call on the way to the effect, each further in than the one before."""
    branch = "└ " if view.unicode else "`- "
    first, left_out, last = shown_chain(diagnostic.chain)
    indent = " " * (gutter + 1)
    for link in first:
        yield f"{indent}{branch}{_link(link.location, link.what, view)}"
        indent += "  "
    if left_out:
        yield f"{indent}{branch}{view.ink.dim(f'{left_out} more calls')}"
        indent += "  "
    for link in last:
        yield f"{indent}{branch}{_link(link.location, link.what, view)}"
        indent += "  "


def _link(location: Location, what: str, view: View) -> str:
    return f"{view.ink.cyan(f'{printable(view.path(location.file))}:{location.row}')} {printable(what)}"
