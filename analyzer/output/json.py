"""JSON: one array of findings, one object a finding. The keys are a promise."""

from __future__ import annotations

from json import dumps
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from analyzer.model import Diagnostic, Fix, Location, Report
    from analyzer.output.view import View


def render(report: Report, view: View) -> str:  # noqa: ARG001 - paths are absolute: programs do not stand anywhere
    """Return the findings as a JSON array, in the order of the report."""
    return dumps([row(diagnostic) for diagnostic in report.diagnostics], indent=2) + "\n"


def row(diagnostic: Diagnostic) -> dict[str, Any]:
    """Return the object of a finding."""
    return {
        "code": diagnostic.code,
        "name": diagnostic.name,
        "severity": diagnostic.severity.value,
        "message": diagnostic.message,
        **_place(diagnostic.location),
        "fix": None if diagnostic.fix is None else _fix(diagnostic.fix),
        "chain": [{"message": link.what, **_place(link.location)} for link in diagnostic.chain],
        "url": diagnostic.url or None,
    }


def _place(location: Location) -> dict[str, Any]:
    return {
        "filename": str(location.file),
        "location": {"row": location.row, "column": location.column},
        "end_location": {"row": location.end_row, "column": location.end_column},
    }


def _fix(fix: Fix) -> dict[str, Any]:
    return {
        "applicability": fix.applicability,
        "message": fix.title,
        "edits": [{"content": edit.content, **_place(edit.location)} for edit in fix.edits],
    }
