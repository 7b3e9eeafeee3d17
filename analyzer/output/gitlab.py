"""GitLab's Code Quality report."""

from __future__ import annotations

from json import dumps
from typing import TYPE_CHECKING, Any, Final

from analyzer.model import Severity
from analyzer.output.fingerprints import fingerprints

if TYPE_CHECKING:
    from analyzer.model import Diagnostic, Report
    from analyzer.output.view import View

_SEVERITIES: Final = {Severity.ERROR: "major", Severity.WARNING: "minor", Severity.HINT: "info"}


def render(report: Report, view: View) -> str:
    """Return the findings as a Code Quality artifact."""
    marks = fingerprints(report.diagnostics, view)
    rows = [_row(diagnostic, mark, view) for diagnostic, mark in zip(report.diagnostics, marks, strict=True)]
    return dumps(rows, indent=2) + "\n"


def _row(diagnostic: Diagnostic, fingerprint: str, view: View) -> dict[str, Any]:
    location = diagnostic.location
    chain = "".join(
        f"\n-> {view.path(link.location.file)}:{link.location.row} {link.what}" for link in diagnostic.chain
    )
    return {
        "description": f"{diagnostic.code} {diagnostic.name}: {diagnostic.message}",
        "check_name": diagnostic.code,
        "fingerprint": fingerprint,
        "severity": _SEVERITIES[diagnostic.severity],
        "location": {
            "path": view.path(location.file),
            "lines": {"begin": location.row, "end": location.end_row},
        },
        "content": {"body": f"{diagnostic.message}{chain}"},
    }
