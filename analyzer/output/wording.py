"""Words that several outputs share: the summary, the mark of a fix, text that cannot harm a terminal."""

from __future__ import annotations

import re
import unicodedata
from typing import TYPE_CHECKING, Final

from analyzer.model import Severity

if TYPE_CHECKING:
    from collections.abc import Iterable

    from analyzer.model import Diagnostic, Link, Report
    from analyzer.output.view import View

_CONTROL: Final = re.compile(r"[\x00-\x1f\x7f-\x9f\u200b-\u200f\u2028-\u202e\u2066-\u2069\ud800-\udfff]")
_SHORT: Final = {"\n": "\\n", "\r": "\\r", "\t": "\\t", "\x1b": "\\x1b"}

FIX_MARK: Final = "[fix available]"
UNSAFE_FIX_MARK: Final = "[unsafe fix available]"

_HEAD: Final = 8
_TAIL: Final = 4


def printable(text: str) -> str:
    """Make text from a user's source safe to print on one line.

    Characters that move the cursor, recolour a terminal or reorder text become visible escapes.
    """
    return _CONTROL.sub(lambda found: _SHORT.get(found[0], f"\\u{ord(found[0]):04x}"), text)


def columns(text: str) -> int:
    """Return how many columns a terminal takes for a text."""
    if text.isascii():
        return len(text)
    return sum(
        0 if unicodedata.combining(char) else 2 if unicodedata.east_asian_width(char) in "WF" else 1 for char in text
    )


def fix_mark(diagnostic: Diagnostic) -> str:
    """Return the mark of a diagnostic that can be fixed; empty for others."""
    if diagnostic.fix is None:
        return ""
    return FIX_MARK if diagnostic.fix.applicability == "safe" else UNSAFE_FIX_MARK


def shown_chain(chain: tuple[Link, ...]) -> tuple[list[Link], int, list[Link]]:
    """Return the links to show, how many are left out after them, and the last ones, the effect among them."""
    if len(chain) <= _HEAD + _TAIL + 1:
        return list(chain), 0, []
    return list(chain[:_HEAD]), len(chain) - _HEAD - _TAIL, list(chain[-_TAIL:])


def counted(number: int, noun: str) -> str:
    """Return a number with its noun: ``1 job``, ``2 jobs``."""
    return f"{number:,} {noun}".replace(",", " ") + ("" if number == 1 else "s")


def severity_counts(diagnostics: Iterable[Diagnostic]) -> str:
    """Return ``3 errors, 2 hints``; empty when there are none."""
    found = [diagnostic.severity for diagnostic in diagnostics]
    return ", ".join(
        counted(number, severity.value)
        for severity in Severity
        if (number := sum(1 for one in found if one == severity))
    )


def summary(report: Report, view: View) -> list[str]:
    """Return the last lines of the outputs for people: what was found, in what, and what can be fixed."""
    found = severity_counts(report.diagnostics)
    said = f"Found {found}" if found else "No findings"
    looked = f"{counted(report.functions, 'function')}, {counted(report.files, 'file')}"
    lines = [f"{said} in {counted(len(report.jobs), 'job')} ({looked})."]
    fixes = [diagnostic.fix for diagnostic in report.diagnostics if diagnostic.fix is not None]
    safe = sum(1 for fix in fixes if fix.applicability == "safe")
    unsafe = len(fixes) - safe
    if view.unsafe_fixes and fixes:
        lines.append(f"{len(fixes)} fixable with --fix --unsafe-fixes.")
    elif safe and unsafe:
        lines.append(f"{safe} fixable with --fix, {unsafe} more with --unsafe-fixes.")
    elif safe:
        lines.append(f"{safe} fixable with --fix.")
    elif unsafe:
        lines.append(f"{unsafe} fixable with --fix --unsafe-fixes.")
    return lines
