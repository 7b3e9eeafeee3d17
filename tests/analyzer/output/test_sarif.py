"""SARIF 2.1.0: what its schema asks for, and what GitHub reads."""

import json
from collections.abc import Callable
from dataclasses import replace
from pathlib import Path
from typing import Any

from analyzer.model import Diagnostic, Report, Severity
from analyzer.output.formats import render
from analyzer.output.view import View
from analyzer.rules.registry import RULES
from trigger_sdk.protocol.problem import Problem

Make = Callable[..., Diagnostic]
MakeReport = Callable[..., Report]

REQUIRED: dict[str, dict[str, type]] = {
    "log": {"version": str, "runs": list},
    "run": {"tool": dict},
    "driver": {"name": str},
    "rule": {"id": str},
    "invocation": {"executionSuccessful": bool},
    "notification": {"message": dict},
    "result": {"message": dict},
    "threadFlow": {"locations": list},
    "codeFlow": {"threadFlows": list},
    "fix": {"artifactChanges": list},
    "artifactChange": {"artifactLocation": dict, "replacements": list},
    "replacement": {"deletedRegion": dict},
}
"""The properties that the schema of SARIF 2.1.0 requires of each kind of object we write."""


def check(kind: str, value: dict[str, Any]) -> dict[str, Any]:
    """Return an object that has what the schema requires."""
    for name, expected in REQUIRED[kind].items():
        assert isinstance(value[name], expected), f"{kind}.{name}"
    return value


def the_run(report: Report, view: View) -> dict[str, Any]:
    """Return the one run of a log."""
    log = check("log", json.loads(render("sarif", report, view)))
    assert log["version"] == "2.1.0"
    (run,) = log["runs"]
    return check("run", run)


def test_sarif_has_what_the_schema_requires(finding: Make, report: MakeReport, view: View) -> None:
    """Every object, down to the replacement of a fix."""
    run = the_run(report(finding(chain=True, fix=True), finding(4, 13, severity=Severity.HINT)), view)
    for rule in check("driver", run["tool"]["driver"])["rules"]:
        check("rule", rule)
        assert rule["help"]["text"]
        assert rule["help"]["markdown"]
        assert rule["shortDescription"]["text"]
        assert rule["defaultConfiguration"]["level"] in {"error", "warning", "note"}
    assert [rule["id"] for rule in run["tool"]["driver"]["rules"]] == list(RULES)
    check("invocation", run["invocations"][0])
    assert run["columnKind"] == "unicodeCodePoints"
    first, second = (check("result", result) for result in run["results"])
    assert [first["level"], second["level"]] == ["error", "note"]
    assert run["tool"]["driver"]["rules"][first["ruleIndex"]]["id"] == first["ruleId"]
    for flow in first["codeFlows"]:
        for thread in check("codeFlow", flow)["threadFlows"]:
            assert len(check("threadFlow", thread)["locations"]) == 2
    for fix in first["fixes"]:
        for change in check("fix", fix)["artifactChanges"]:
            for replacement in check("artifactChange", change)["replacements"]:
                check("replacement", replacement)
    assert "codeFlows" not in second
    assert "fixes" not in second


def test_sarif_paths_are_relative_to_the_checkout(finding: Make, report: MakeReport, view: View, root: Path) -> None:
    """URIs, quoted, with the base named; a file outside has an absolute one."""
    one = finding()
    outside = replace(one, location=replace(one.location, file=Path("/elsewhere/ä b.py")))
    inside, other = the_run(report(one, outside), view)["results"]
    place = inside["locations"][0]["physicalLocation"]
    assert place["artifactLocation"] == {"uri": "jobs/a.py", "uriBaseId": "%SRCROOT%"}
    assert place["region"] == {"startLine": 3, "startColumn": 23, "endLine": 3, "endColumn": 33}
    assert other["locations"][0]["physicalLocation"]["artifactLocation"] == {"uri": "file:///elsewhere/%C3%A4%20b.py"}
    base = the_run(report(one), view)["originalUriBaseIds"]["%SRCROOT%"]["uri"]
    assert base == f"{root.as_uri()}/"
    assert base.endswith("my%20project/")


def test_sarif_marks_are_stable_and_unique(finding: Make, report: MakeReport, view: View) -> None:
    """Findings keep their fingerprints, and no two share one."""
    results = the_run(report(finding(3), finding(3, 20), finding(4, 13)), view)["results"]
    marks = [result["partialFingerprints"]["primaryLocationLineHash"] for result in results]
    assert len(set(marks)) == 3
    again = the_run(report(finding(3), finding(3, 20), finding(4, 13)), view)["results"]
    assert marks == [result["partialFingerprints"]["primaryLocationLineHash"] for result in again]


def test_sarif_tells_what_could_not_be_read(report: MakeReport, view: View) -> None:
    """Problems are notifications of the invocation."""
    blind = replace(
        report(), problems=(Problem(code="file-unreadable", message="a.py cannot be read", hint="Mend it."),)
    )
    (notification,) = the_run(blind, view)["invocations"][0]["toolExecutionNotifications"]
    assert check("notification", notification)["message"]["text"].startswith("a.py cannot be read")
