"""SARIF 2.1.0, for GitHub code scanning and its like."""

from __future__ import annotations

import os
from json import dumps
from typing import TYPE_CHECKING, Any, Final
from urllib.parse import quote

from analyzer.model import Severity
from analyzer.output.fingerprints import fingerprints
from analyzer.rules.addresses import is_absolute
from analyzer.rules.registry import RULES
from trigger_sdk.protocol.version import VERSION

if TYPE_CHECKING:
    from analyzer.model import Diagnostic, Edit, Fix, Location, Report
    from analyzer.output.view import View
    from analyzer.rules.rule import Rule
    from trigger_sdk.protocol.problem import Problem

SCHEMA: Final = "https://json.schemastore.org/sarif-2.1.0.json"
_LEVELS: Final = {Severity.ERROR: "error", Severity.WARNING: "warning", Severity.HINT: "note"}
_ROOT: Final = "%SRCROOT%"
_INDEX: Final = {code: index for index, code in enumerate(RULES)}


def render(report: Report, view: View) -> str:
    """Return the report as one SARIF run."""
    marks = fingerprints(report.diagnostics, view)
    run = {
        "tool": {
            "driver": {
                "name": "trigger check",
                "semanticVersion": VERSION,
                "rules": [_rule(rule) for rule in RULES.values()],
            }
        },
        "invocations": [
            {
                # False would have readers drop the results; what could not be read is in the notifications.
                "executionSuccessful": True,
                "toolExecutionNotifications": [_notification(problem) for problem in report.problems],
            }
        ],
        "originalUriBaseIds": {_ROOT: {"uri": f"{view.base.as_uri()}/"}},
        "columnKind": "unicodeCodePoints",
        "results": [
            _result(diagnostic, mark, view) for diagnostic, mark in zip(report.diagnostics, marks, strict=True)
        ],
    }
    return dumps({"$schema": SCHEMA, "version": "2.1.0", "runs": [run]}, indent=2) + "\n"


def _rule(rule: Rule) -> dict[str, Any]:
    linked = {"helpUri": rule.address} if is_absolute(rule.address) else {}
    return {
        "id": rule.code,
        "name": "".join(word.capitalize() for word in rule.name.split("-")),
        "shortDescription": {"text": rule.summary},
        "fullDescription": {"text": rule.summary},
        "help": {"text": rule.page, "markdown": rule.page},
        "defaultConfiguration": {"level": _LEVELS[rule.severity]},
        "properties": {"tags": ["correctness", "durable-execution"], "precision": "very-high"},
        **linked,
    }


def _notification(problem: Problem) -> dict[str, Any]:
    return {
        "level": "warning",
        "descriptor": {"id": problem.code},
        "message": {"text": f"{problem.message}. {problem.hint}".strip()},
    }


def _result(diagnostic: Diagnostic, fingerprint: str, view: View) -> dict[str, Any]:
    result: dict[str, Any] = {
        "ruleId": diagnostic.code,
        "ruleIndex": _INDEX[diagnostic.code],
        "level": _LEVELS[diagnostic.severity],
        "message": {"text": diagnostic.message},
        "locations": [_location(diagnostic.location, view)],
        # The one that GitHub compares by, and ours for others.
        "partialFingerprints": {"primaryLocationLineHash": f"{fingerprint}:1", "triggerCheck/v1": fingerprint},
    }
    if diagnostic.chain:
        result["relatedLocations"] = [
            {"id": number, **_location(link.location, view, link.what)}
            for number, link in enumerate(diagnostic.chain, start=1)
        ]
        result["codeFlows"] = [{"threadFlows": [{"locations": _flow(diagnostic, view)}]}]
    if diagnostic.fix is not None:
        result["fixes"] = [_fix(diagnostic.fix, view)]
    return result


def _flow(diagnostic: Diagnostic, view: View) -> list[dict[str, Any]]:
    start = {"location": _location(diagnostic.location, view, "the call in the job's body"), "nestingLevel": 0}
    return [
        start,
        *(
            {"location": _location(link.location, view, link.what), "nestingLevel": level}
            for level, link in enumerate(diagnostic.chain, start=1)
        ),
    ]


def _location(location: Location, view: View, message: str = "") -> dict[str, Any]:
    place: dict[str, Any] = {
        "physicalLocation": {"artifactLocation": _artifact(location, view), "region": _region(location)}
    }
    if message:
        place["message"] = {"text": message}
    return place


def _artifact(location: Location, view: View) -> dict[str, Any]:
    if location.file.is_relative_to(view.base):
        return {"uri": quote(os.fsencode(view.path(location.file))), "uriBaseId": _ROOT}
    return {"uri": location.file.as_uri()}


def _region(location: Location) -> dict[str, int]:
    return {
        "startLine": location.row,
        "startColumn": location.column,
        "endLine": location.end_row,
        "endColumn": location.end_column,
    }


def _fix(fix: Fix, view: View) -> dict[str, Any]:
    by_file: dict[str, list[Edit]] = {}
    for edit in fix.edits:
        by_file.setdefault(str(edit.location.file), []).append(edit)
    return {
        "description": {"text": fix.title},
        "artifactChanges": [
            {
                "artifactLocation": _artifact(edits[0].location, view),
                "replacements": [
                    {"deletedRegion": _region(edit.location), "insertedContent": {"text": edit.content}}
                    for edit in edits
                ],
            }
            for edits in by_file.values()
        ],
    }
