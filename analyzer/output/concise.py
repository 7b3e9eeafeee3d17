"""One line a finding, for search, editors and problem matchers: ``path:row:column: severity CODE name: message``."""

from __future__ import annotations

from typing import TYPE_CHECKING

from analyzer.model import Severity
from analyzer.output.wording import fix_mark, printable, summary

if TYPE_CHECKING:
    from analyzer.model import Diagnostic, Report
    from analyzer.output.view import View


def render(report: Report, view: View) -> str:
    """Return the report as one line a finding, and the summary."""
    lines = [line(diagnostic, view) for diagnostic in report.diagnostics]
    return "\n".join([*lines, *summary(report, view)]) + "\n"


def line(diagnostic: Diagnostic, view: View) -> str:
    """Return the line of a finding."""
    mark = fix_mark(diagnostic)
    return f"{head(diagnostic, view)} {printable(diagnostic.message)}" + (f" {view.ink.green(mark)}" if mark else "")


def head(diagnostic: Diagnostic, view: View) -> str:
    """Return what a finding's line begins with: ``jobs/a.py:3:5: error TRG101 network-outside-task:``."""
    location = diagnostic.location
    place = f"{printable(view.path(location.file))}:{location.row}:{location.column}:"
    return f"{view.ink.bold(place)} {_severity(diagnostic, view)} {view.ink.bold(diagnostic.code)} {diagnostic.name}:"


def _severity(diagnostic: Diagnostic, view: View) -> str:
    match diagnostic.severity:
        case Severity.ERROR:
            return view.ink.red("error")
        case Severity.WARNING:
            return view.ink.yellow("warning")
        case Severity.HINT:
            return view.ink.cyan("hint")
