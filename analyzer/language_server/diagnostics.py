"""Diagnostics of the check to those of the protocol."""

from __future__ import annotations

import re
from dataclasses import dataclass
from typing import TYPE_CHECKING, Final

from lsprotocol import types

from analyzer.model import Severity
from analyzer.rules.addresses import is_absolute

if TYPE_CHECKING:
    from collections.abc import Callable
    from pathlib import Path

    from analyzer.language_server.positions import Lines
    from analyzer.model import Diagnostic, Location
    from trigger_sdk.protocol.problem import Problem

SOURCE: Final = "trigger"
"""Who says it, in editors that show that."""

RECORDED: Final = "TRG20"
"""How the codes of calls begin that the runtime records."""

_UNNECESSARY: Final = frozenset(("TRG902",))
"""Codes of what could be left away: editors show it faded."""

_SEVERITIES: Final = {
    Severity.ERROR: types.DiagnosticSeverity.Error,
    Severity.WARNING: types.DiagnosticSeverity.Warning,
    Severity.HINT: types.DiagnosticSeverity.Information,
}


@dataclass(frozen=True, slots=True, kw_only=True)
class Presentation:
    """How a client can be shown a diagnostic.

    Attributes:
        lines: gives the lines of a file.
        uri: gives the URI by which the client knows a file.
        related: whether it shows related places; else they stand in the message.
        tags: whether it shows what is unnecessary.
        pages: whether it links a code to a page.
    """

    lines: Callable[[Path], Lines]
    uri: Callable[[Path], str]
    related: bool
    tags: bool
    pages: bool

    def place(self, location: Location) -> types.Location:
        """Return a location as the protocol has it."""
        return types.Location(uri=self.uri(location.file), range=self.lines(location.file).visible_range(location))

    def effect(self, diagnostic: Diagnostic) -> types.Location | None:
        """Return the last place on the way down to the effect; None when the call itself is it."""
        return self.place(diagnostic.chain[-1].location) if diagnostic.chain else None

    def shown(self, diagnostic: Diagnostic) -> types.Diagnostic:
        """Return a diagnostic as the protocol has it."""
        message = diagnostic.message
        related = None
        if diagnostic.chain and self.related:
            related = [
                types.DiagnosticRelatedInformation(location=self.place(link.location), message=link.what)
                for link in diagnostic.chain
            ]
        elif diagnostic.chain:
            message = "\n".join([message, *chain_lines(diagnostic)])
        return types.Diagnostic(
            range=self.lines(diagnostic.location.file).visible_range(diagnostic.location),
            message=message,
            severity=severity(diagnostic),
            code=diagnostic.code,
            code_description=types.CodeDescription(href=diagnostic.url)
            if self.pages and is_absolute(diagnostic.url)
            else None,
            source=SOURCE,
            tags=[types.DiagnosticTag.Unnecessary] if self.tags and diagnostic.code in _UNNECESSARY else None,
            related_information=related,
        )


def severity(diagnostic: Diagnostic) -> types.DiagnosticSeverity:
    """Return the protocol's severity.

    Hints that want action are information, which every editor lists. That a call is recorded asks for nothing: it is
    the protocol's hint, which marks the place and fills no list, and an inlay hint says so beside it.
    """
    if diagnostic.severity is Severity.HINT and diagnostic.code.startswith(RECORDED):
        return types.DiagnosticSeverity.Hint
    return _SEVERITIES[diagnostic.severity]


def chain_lines(diagnostic: Diagnostic) -> list[str]:
    """Return the way down to the effect as indented lines."""
    return [
        f"{'  ' * depth}{link.what} ({link.location.file.name}:{link.location.row})"
        for depth, link in enumerate(diagnostic.chain, 1)
    ]


def of_problem(problem: Problem, lines: Lines) -> types.Diagnostic:
    """Return a problem with a project's configuration as a diagnostic of the file that holds it."""
    hint = f"\n{problem.hint}" if problem.hint else ""
    row = _row(problem, lines)
    text = lines.line(row)
    begin = len(text) - len(text.lstrip())
    return types.Diagnostic(
        range=types.Range(
            start=types.Position(line=row, character=begin),
            end=lines.position(row + 1, max(len(text.rstrip()), begin + 1) + 1),
        ),
        message=f"{problem.message}{hint}",
        severity=types.DiagnosticSeverity.Error,
        code=problem.code,
        source=SOURCE,
    )


def _row(problem: Problem, lines: Lines) -> int:
    """Return the line, from 0, that a problem is about: by its number, else by the name of a key that it names."""
    number = re.search(r":(\d+)$", problem.where) or re.search(r"line (\d+)", problem.message)
    if number is not None:
        return min(max(int(number[1]) - 1, 0), len(lines) - 1)
    key = problem.where.rpartition(": ")[2].rpartition(".")[2] if ": " in problem.where else ""
    named = [key, *re.findall(r"'([^']+)'", problem.message), *re.findall(r"[\w-]+", problem.message)]
    rows = [lines.line(row) for row in range(len(lines))]
    for name in named:
        pattern = re.compile(rf"\s*[\"']?{re.escape(name)}[\"']?\s*(?:=|\.)")
        quoted = (f'"{name}"', f"'{name}'")
        for row, text in enumerate(rows):
            if pattern.match(text) or any(value in text for value in quoted):
                return row
    return next((row for row, text in enumerate(rows) if re.match(r"\s*\[\s*(tool\.trigger|check)", text)), 0)
