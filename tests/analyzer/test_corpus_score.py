"""The check's score on the corpus: precision and recall, for errors and for hints."""

from __future__ import annotations

from dataclasses import dataclass, field
from pathlib import Path

import pytest

from analyzer.check import check
from analyzer.settings import CheckSettings
from tests.analyzer.corpus.reading import Case, cases, compare
from trigger_sdk.protocol.project import load_project

_TARGETS = {False: (0.98, 0.92), True: (0.98, 0.95)}
"""Precision and recall that are promised: for errors, for hints."""


@dataclass(slots=True)
class Score:
    """Counts over all cases, and a line for each thing that is not as expected."""

    right: int = 0
    wrong: int = 0
    missed: int = 0
    lines: list[str] = field(default_factory=list)

    @property
    def precision(self) -> float:
        """Return the share of findings that are right."""
        return self.right / max(1, self.right + self.wrong)

    @property
    def recall(self) -> float:
        """Return the share of what is expected that is found."""
        return self.right / max(1, self.right + self.missed)

    def add(self, case: Case, found: set[tuple[str, int, str]], *, hints: bool) -> None:
        """Count one case."""
        outcome = compare(case, found, hints=hints)
        self.right += outcome.right
        self.wrong += len(outcome.wrong)
        self.missed += len(outcome.missed)
        for missed in outcome.missed:
            source = case.files[missed.file].splitlines()[missed.row - 1].strip()
            self.lines.append(f"missed {case.name} {missed.file}:{missed.row}: {source}")
        for file, row, code in outcome.wrong:
            source = case.files[file].splitlines()[row - 1].strip() if file in case.files else ""
            self.lines.append(f"wrong  {case.name} {file}:{row}: {code} on {source}")


def findings(case: Case, root: Path) -> set[tuple[str, int, str]]:
    """Check the case as a project of its own; return its findings as (file, row, code)."""
    case.write(root)
    report = check(load_project(root), CheckSettings(), cache=None)
    return {
        (diagnostic.location.file.relative_to(root).as_posix(), diagnostic.location.row, diagnostic.code)
        for diagnostic in report.diagnostics
    }


@pytest.fixture(scope="module")
def all_findings(tmp_path_factory: pytest.TempPathFactory) -> list[tuple[Case, set[tuple[str, int, str]]]]:
    """Every case with its findings."""
    root = tmp_path_factory.mktemp("corpus").resolve()
    return [(case, findings(case, root / str(number))) for number, case in enumerate(cases())]


@pytest.mark.parametrize("hints", [False, True], ids=["errors", "hints"])
def test_score_on_the_corpus(all_findings: list[tuple[Case, set[tuple[str, int, str]]]], hints: bool) -> None:
    """Precision and recall are what is promised; what is missed or wrong is printed."""
    score = Score()
    for case, found in all_findings:
        score.add(case, found, hints=hints)
    summary = (
        f"{'hints' if hints else 'errors'}: {score.right} right, {score.wrong} wrong, {score.missed} missed,"
        f" precision {score.precision:.3f}, recall {score.recall:.3f}"
    )
    print("\n".join([summary, *score.lines]))  # noqa: T201 - shown when the test fails
    precision, recall = _TARGETS[hints]
    assert score.precision >= precision, summary
    assert score.recall >= recall, summary


def test_other_libraries_have_no_findings(all_findings: list[tuple[Case, set[tuple[str, int, str]]]]) -> None:
    """Other libraries' @job, @task and @flow never count."""
    for case, found in all_findings:
        if case.name.startswith("lookalikes/") and not case.expectations():
            assert found == set(), case.name
