"""README, .ci/run and the Makefile name the same commands."""

import re
from pathlib import Path

import pytest


@pytest.fixture(scope="module")
def targets(repository: Path) -> set[str]:
    """Return the documented targets of the Makefile."""
    return set(re.findall(r"^([a-z-]+):.*## ", (repository / "Makefile").read_text(), re.MULTILINE))


def test_every_phony_target_is_documented(repository: Path, targets: set[str]) -> None:
    """`make` alone lists them all."""
    (phony,) = re.findall(r"^\.PHONY: (.*)$", (repository / "Makefile").read_text(), re.MULTILINE)
    assert set(phony.split()) == targets


def test_documents_name_targets_that_exist(repository: Path, targets: set[str]) -> None:
    """Every `make x` in a document is a target."""
    named = {
        (page.relative_to(repository), target)
        for page in [*repository.glob("*.md"), *(repository / "docs").rglob("*.md")]
        for target in re.findall(r"(?:`|^|\$ )make ([a-z-]+)", page.read_text(), re.MULTILINE)
    }
    assert {(page, target) for page, target in named if target not in targets} == set()


def test_ci_runs_the_test_command_of_the_readme(repository: Path) -> None:
    """What a newcomer is told to run is what CI runs."""
    assert re.search(r"^make test\b", (repository / "README.md").read_text(), re.MULTILINE)
    assert re.search(r"^timeout .* make test \|\|", (repository / ".ci" / "run").read_text(), re.MULTILINE)
