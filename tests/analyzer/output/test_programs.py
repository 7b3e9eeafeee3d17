"""The formats for programs: JSON, GitHub, GitLab, JUnit."""

import json
import re
from collections.abc import Callable
from dataclasses import replace
from pathlib import Path
from xml.etree import ElementTree as ET

from analyzer.model import Diagnostic, Report, Severity
from analyzer.output.formats import render
from analyzer.output.view import View

Make = Callable[..., Diagnostic]
MakeReport = Callable[..., Report]

KEYS = [
    "code", "name", "severity", "message", "filename", "location", "end_location", "fix", "chain", "url",
]  # fmt: skip


def test_json_rows_have_the_promised_keys(finding: Make, report: MakeReport, view: View, root: Path) -> None:
    """Exactly these, for every finding, with absolute paths and places from 1."""
    bare, full = json.loads(render("json", report(finding(), finding(4, 13, chain=True, fix=True)), view))
    assert sorted(bare) == sorted(full) == sorted(KEYS)
    assert (bare["fix"], bare["chain"], bare["url"]) == (None, [], None)
    assert bare["filename"] == str(root / "jobs" / "a.py")
    assert (bare["location"], bare["end_location"]) == ({"row": 3, "column": 23}, {"row": 3, "column": 33})
    assert full["fix"]["applicability"] == "safe"
    assert full["fix"]["edits"][0]["content"] == "x"
    assert full["chain"][0]["message"] == "calls requests.get"


def test_json_of_nothing_is_an_empty_array(report: MakeReport, view: View) -> None:
    """No findings are a document too."""
    assert json.loads(render("json", report(), view)) == []


def commands(text: str) -> list[tuple[str, dict[str, str], str]]:
    """Return kind, properties and message of each workflow command."""
    found = [re.fullmatch(r"::(\w+) ([^:]*)::(.*)", line) for line in text.splitlines()]
    return [(match[1], dict(part.split("=", 1) for part in match[2].split(",")), match[3]) for match in found if match]


def test_github_escapes_what_would_end_a_command(finding: Make, report: MakeReport, view: View, root: Path) -> None:
    """Percent signs and line ends in messages, colons and commas in paths."""
    odd = root / "jobs" / "a,b:c%.py"
    one = finding(message="100% of :: lines\nsecond", chain=True)
    moved = Diagnostic(
        code=one.code, name=one.name, severity=one.severity, message=one.message, chain=one.chain,
        location=type(one.location)(file=odd, row=3, column=1, end_row=5, end_column=2),
    )  # fmt: skip
    ((kind, properties, message),) = commands(render("github", report(moved), view))
    assert kind == "error"
    assert properties["file"] == "jobs/a%2Cb%3Ac%25.py"
    assert (properties["line"], properties["endLine"]) == ("3", "5")
    assert "endColumn" not in properties, "GitHub takes columns on one line only"
    assert "100%25 of :: lines" in message
    assert message.endswith("%0A-> rates.py:2 calls requests.get")


def test_github_shows_the_worst_and_counts_the_rest(finding: Make, report: MakeReport, view: View) -> None:
    """Errors first, ten of a kind, with the notice of the rest among its ten; nothing is lost from the log."""
    found = [
        finding(severity=severity) for severity in (Severity.HINT, Severity.WARNING, Severity.ERROR) for _ in range(13)
    ]
    text = render("github", report(*found), view)
    kinds = [kind for kind, _, _ in commands(text)]
    assert kinds == ["error"] * 10 + ["warning"] * 10 + ["notice"] * 10
    rest = commands(text)[-1][2]
    assert rest.startswith("3 errors, 3 warnings, 4 hints more")
    assert len([line for line in text.splitlines() if line.startswith("jobs/a.py:")]) == 10


def test_github_log_lines_are_no_commands(finding: Make, report: MakeReport, view: View, root: Path) -> None:
    """A file that is called like a command is a path all the same."""
    one = finding()
    odd = replace(one, location=replace(one.location, file=root / "::stop-commands::x.py"))
    lines = render("github", report(*[odd] * 12), view).splitlines()
    assert [line[:4] for line in lines if "network-outside-task: `fetch`" in line] == ["./::"] * 2


def test_gitlab_fingerprints_survive_shifted_lines(finding: Make, report: MakeReport, view: View, root: Path) -> None:
    """Lines added above change nothing; two findings that are alike are told apart."""
    before = json.loads(render("gitlab", report(finding(3), finding(4, 13)), view))
    source = (root / "jobs" / "a.py").read_text(encoding="utf-8")
    (root / "jobs" / "a.py").write_text(f"import os\n\n{source}", encoding="utf-8")
    after = json.loads(render("gitlab", report(finding(5), finding(6, 13)), View(base=root)))
    assert [row["fingerprint"] for row in before] == [row["fingerprint"] for row in after]
    twins = json.loads(render("gitlab", report(finding(3), finding(3, 20)), view))
    assert len({row["fingerprint"] for row in twins}) == 2
    assert before[0]["location"] == {"path": "jobs/a.py", "lines": {"begin": 3, "end": 3}}
    assert {row["severity"] for row in before} == {"major"}
    assert all(row["description"] and row["check_name"] for row in before)


def test_junit_is_xml_whatever_the_text_holds(finding: Make, report: MakeReport, view: View) -> None:
    """Control characters go, the rest is escaped; a job without findings is a test that passed."""
    text = render("junit", report(finding(message='\x00<a> & "b" \x1b[0m ]]>\ud800', chain=True)), view)
    suites = ET.fromstring(text)  # noqa: S314 - our own output
    assert suites.attrib == {"name": "trigger check", "tests": "2", "failures": "1", "errors": "0"}
    failure = suites.find("testsuite/testcase/failure")
    assert failure is not None
    assert failure.attrib["message"] == '<a> & "b" [0m ]]>'
    assert (failure.text or "").endswith("-> rates.py:2 calls requests.get")
    assert [case.attrib["name"] for case in suites.iter("testcase")][-1] == "job b"


def test_junit_takes_hints_for_passed(finding: Make, report: MakeReport, view: View) -> None:
    """A hint makes no test fail."""
    suites = ET.fromstring(render("junit", report(finding(severity=Severity.HINT)), view))  # noqa: S314 - our own output
    assert (suites.attrib["tests"], suites.attrib["failures"]) == ("2", "0")
