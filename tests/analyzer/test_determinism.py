"""The same project gives the same report: twice, in another process, with another seed, with a cache, in any order."""

from __future__ import annotations

import os
import random
import subprocess
import sys
from collections.abc import Mapping
from pathlib import Path
from typing import Final

import pytest

from analyzer.cache import FactsCache
from analyzer.check import check
from analyzer.session import CheckSession
from analyzer.settings import CheckSettings
from tests.analyzer.corpus.reading import cases
from tests.analyzer.fuzz.grammar import Growth
from tests.fakes.checked_project import CheckedProject
from trigger_sdk.protocol.project import load_project

_PRINT: Final = """
import sys
from pathlib import Path
from analyzer.check import check
from analyzer.settings import CheckSettings
from trigger_sdk.protocol.project import load_project
for root in sys.argv[1:]:
    print(repr(check(load_project(Path(root)), CheckSettings())))
"""


def _projects(folder: Path) -> list[CheckedProject]:
    """Write projects of many kinds: every fifth case of the corpus, and random programs."""
    made: list[Mapping[str, str]] = [case.files for case in cases()[::5]]
    made += [Growth(random.Random(seed).choice).program()[0] for seed in range(40)]
    projects = []
    for number, files in enumerate(made):
        project = CheckedProject(root=folder.resolve() / str(number))
        project.write(files)
        projects.append(project)
    return projects


@pytest.fixture(scope="module")
def projects(tmp_path_factory: pytest.TempPathFactory) -> list[CheckedProject]:
    """Projects of many kinds."""
    return _projects(tmp_path_factory.mktemp("determinism"))


def test_report_is_the_same_in_processes_with_other_seeds(projects: list[CheckedProject]) -> None:
    """The order of sets, and the addresses of objects, decide nothing: messages and chains are equal, too."""
    outputs = [
        subprocess.run(
            [sys.executable, "-c", _PRINT, *(str(each.root) for each in projects)],
            env={**os.environ, "PYTHONHASHSEED": seed}, capture_output=True, text=True, check=True, timeout=110,
        ).stdout.splitlines()
        for seed in ("0", "1", "4711")
    ]  # fmt: skip
    for project, *reports in zip(projects, *outputs, strict=True):
        assert len(set(reports)) == 1, project.root


def test_report_is_the_same_with_a_cache_and_in_a_session(projects: list[CheckedProject], tmp_path: Path) -> None:
    """Without a cache, with an empty one, with a full one, in a session, again: one report."""
    for number, made in enumerate(projects):
        project, cache = load_project(made.root), FactsCache(tmp_path / str(number))
        expected = check(project, CheckSettings())
        assert check(project, CheckSettings(), cache=cache) == expected
        assert check(project, CheckSettings(), cache=cache) == expected
        session = CheckSession(project, CheckSettings(), cache=cache)
        assert session.check() == expected
        assert session.check() == expected


def test_report_is_the_same_for_files_in_any_order(projects: list[CheckedProject]) -> None:
    """Paths that are named in another order, or twice, give the findings of naming the folder."""
    rng = random.Random(7)
    for made in projects:
        project = load_project(made.root)
        files = sorted((made.root / "jobs").rglob("*.py"))
        expected = check(project, CheckSettings(), paths=files).diagnostics
        for _ in range(3):
            rng.shuffle(files)
            assert check(project, CheckSettings(), paths=[*files, files[0]]).diagnostics == expected
