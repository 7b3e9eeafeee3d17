"""GitHub Actions: workflow commands, which become annotations of the change.

GitHub shows ten annotations of a kind for each step and drops the rest without a word. So errors come first, no more
than ten of a kind are sent, and the rest is counted in a notice and written as plain lines of the log.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Final

from analyzer.model import Severity
from analyzer.output.concise import line
from analyzer.output.wording import printable, severity_counts, summary

if TYPE_CHECKING:
    from collections.abc import Iterable

    from analyzer.model import Diagnostic, Report
    from analyzer.output.view import View

_COMMANDS: Final = {Severity.ERROR: "error", Severity.WARNING: "warning", Severity.HINT: "notice"}

MOST: Final = 10
"""Annotations of a kind that GitHub shows for a step."""


def render(report: Report, view: View) -> str:
    """Return the commands, the worst first."""
    shown: list[Diagnostic] = []
    rest: list[Diagnostic] = []
    for severity in Severity:
        of_kind = [diagnostic for diagnostic in report.diagnostics if diagnostic.severity is severity]
        shown += of_kind[:MOST]
        rest += of_kind[MOST:]
    if rest:
        # The notice that counts the rest is one of the ten.
        notices = [diagnostic for diagnostic in shown if diagnostic.severity is Severity.HINT]
        if len(notices) == MOST:
            shown.remove(notices[-1])
            rest = [
                *(diagnostic for diagnostic in rest if diagnostic.severity is not Severity.HINT),
                notices[-1],
                *(diagnostic for diagnostic in rest if diagnostic.severity is Severity.HINT),
            ]
    lines = [_command(diagnostic, view) for diagnostic in shown]
    if rest:
        lines += [_rest(rest), *(_log_line(diagnostic, view) for diagnostic in rest)]
    return "\n".join([*lines, summary(report, view)[0]]) + "\n"


def _command(diagnostic: Diagnostic, view: View) -> str:
    location = diagnostic.location
    path = view.path(location.file)
    properties = {"file": path, "line": location.row, "col": location.column, "endLine": location.end_row}
    if location.end_row == location.row:
        # With more than one line, GitHub takes no columns.
        properties["endColumn"] = location.end_column
    properties["title"] = f"{diagnostic.code} {diagnostic.name}"
    said = ",".join(f"{name}={_property(str(value))}" for name, value in properties.items())
    return f"::{_COMMANDS[diagnostic.severity]} {said}::{_data(_message(diagnostic, view, path))}"


def _message(diagnostic: Diagnostic, view: View, path: str) -> str:
    place = f"{path}:{diagnostic.location.row}:{diagnostic.location.column}"
    chain = (f"-> {view.path(link.location.file)}:{link.location.row} {link.what}" for link in diagnostic.chain)
    return "\n".join(
        printable(text) for text in (f"{place}: {diagnostic.code} {diagnostic.message}", *_shortened(chain))
    )


def _shortened(chain: Iterable[str]) -> list[str]:
    links = list(chain)
    return links if len(links) <= MOST else [*links[: MOST - 1], "-> ...", links[-1]]


def _rest(rest: list[Diagnostic]) -> str:
    message = f"{severity_counts(rest)} more: GitHub shows {MOST} annotations of a kind, the log has them all"
    return f"::notice title=trigger check::{_data(message)}"


def _log_line(diagnostic: Diagnostic, view: View) -> str:
    """Return the line of a finding for the log, which is no command whatever its file is called."""
    text = line(diagnostic, view)
    return f"./{text}" if text.startswith("::") else text


def _data(text: str) -> str:
    return text.replace("%", "%25").replace("\r", "%0D").replace("\n", "%0A")


def _property(text: str) -> str:
    return _data(text).replace(":", "%3A").replace(",", "%2C")
