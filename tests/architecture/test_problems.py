"""Every error is a problem with a code of its own, and the reference page lists it."""

import ast
import re
from pathlib import Path

import pytest

from docs.reference.generate import Entry, entries, problems_page
from tests.architecture.source import Module

KEBAB_CASE = re.compile(r"[a-z][a-z0-9]*(-[a-z0-9]+)*")

CARRY_ANOTHERS = {
    "trigger_cli.errors.ServerFailure": "carries the problem that a server answered with",
    "trigger_sdk.errors.RunFailed": "carries the problem that the run ended with",
}
"""Error classes without a code of their own, and why."""


@pytest.fixture(scope="module")
def problems() -> list[Entry]:
    """Return every kind of error of the house."""
    return entries()


def test_codes_are_kebab_case(problems: list[Entry]) -> None:
    """Each code has the form that users type and addresses can carry."""
    coded = [problem for problem in problems if problem.code]
    assert [problem.name for problem in coded if not KEBAB_CASE.fullmatch(problem.code)] == []


def test_every_error_has_a_code(problems: list[Entry]) -> None:
    """A class that is raised states a code of its own; one that only groups others need not."""
    codeless = {problem.name for problem in problems if problem.leaf and not problem.code}
    assert codeless == set(CARRY_ANOTHERS)


def test_codes_are_unique(problems: list[Entry]) -> None:
    """No two classes share a code: a user who searches for it finds one thing."""
    by_code: dict[str, list[str]] = {}
    for problem in problems:
        if problem.code:
            by_code.setdefault(problem.code, []).append(problem.name)
    assert {code: names for code, names in by_code.items() if len(names) > 1} == {}


def test_problems_say_what_they_mean(problems: list[Entry]) -> None:
    """Each class has a docstring, which the reference page shows."""
    assert [problem.name for problem in problems if not problem.meaning] == []


def test_reference_page_is_up_to_date(repository: Path) -> None:
    """docs/reference/problems.md is what `make docs` writes."""
    page = repository / "docs" / "reference" / "problems.md"
    assert page.read_text() == problems_page(), "run `make docs`"


def test_errors_live_in_errors_modules(modules: list[Module], problems: list[Entry]) -> None:
    """A subclass of TriggerError defined elsewhere would be missing from the page."""
    known = {problem.name.rsplit(".", 1)[-1] for problem in problems}
    strays = [
        f"{module.path}:{cls.name}"
        for module in modules
        if module.path.name not in {"errors.py", "problem.py"}
        for cls in module.classes()
        if {ast.unparse(parent).rsplit(".", 1)[-1] for parent in cls.bases} & known
    ]
    assert strays == []
