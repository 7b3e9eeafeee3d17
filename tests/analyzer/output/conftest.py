"""A report made by hand, over files that exist."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path

import pytest

from analyzer.model import Diagnostic, Edit, Fix, Job, Link, Location, Report, Severity
from analyzer.output.view import View

SOURCE = """\
from rates import fetch
def body():
    x = "日本"; found = fetch("a")
    again = fetch("a")
"""


@pytest.fixture
def root(tmp_path: Path) -> Path:
    """Return a folder with a job file and what it calls."""
    root = tmp_path.resolve() / "my project"
    (root / "jobs").mkdir(parents=True)
    (root / "jobs" / "a.py").write_text(SOURCE, encoding="utf-8")
    (root / "rates.py").write_text("def fetch(url):\n    return get(url)\n", encoding="utf-8")
    return root


@pytest.fixture
def view(root: Path) -> View:
    """Return a view from the project's folder, without colours."""
    return View(base=root)


@pytest.fixture
def finding(root: Path) -> Callable[..., Diagnostic]:
    """Return what makes a diagnostic in the job file."""

    def make(
        row: int = 3,
        column: int = 23,
        *,
        severity: Severity = Severity.ERROR,
        message: str = "`fetch` talks to the network",
        chain: bool = False,
        fix: bool = False,
    ) -> Diagnostic:
        place = Location(file=root / "jobs" / "a.py", row=row, column=column, end_row=row, end_column=column + 10)
        down = Location(file=root / "rates.py", row=2, column=12, end_row=2, end_column=20)
        return Diagnostic(
            code="TRG101",
            name="network-outside-task",
            severity=severity,
            message=message,
            location=place,
            chain=(Link(location=down, what="calls requests.get"),) if chain else (),
            job="a",
            fix=Fix(applicability="safe", title="Wrap it", edits=(Edit(location=place, content="x"),)) if fix else None,
        )

    return make


@pytest.fixture
def report(root: Path) -> Callable[..., Report]:
    """Return what makes a report of diagnostics, in a project of two jobs."""

    def make(*diagnostics: Diagnostic) -> Report:
        place = Location(file=root / "jobs" / "a.py", row=2, column=5, end_row=2, end_column=9)
        jobs = tuple(Job(id=id, qualname=f"jobs.a.{id}", location=place, is_async=False) for id in ("a", "b"))
        return Report(diagnostics=diagnostics, jobs=jobs, files=2, functions=3)

    return make
