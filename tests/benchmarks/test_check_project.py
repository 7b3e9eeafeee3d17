"""The generated project that is checked: code that imports, the same each time, and what was put in is told."""

from __future__ import annotations

import subprocess
import sys
from pathlib import Path

import pytest

from benchmarks.check_plan import Size
from benchmarks.check_project import CheckProject, write_project

SIZE = Size(packages=4, modules=5, functions=6, jobs=10)

IMPORT_ALL = """\
import importlib, pkgutil, app, jobs
for package in (app, jobs):
    for module in pkgutil.walk_packages(package.__path__, package.__name__ + "."):
        importlib.import_module(module.name)
"""


@pytest.fixture
def project(tmp_path: Path) -> CheckProject:
    """Return a small project."""
    return write_project(tmp_path / "project", SIZE)


def texts(root: Path) -> dict[Path, str]:
    """Return the text of each file by its path in the project."""
    return {path.relative_to(root): path.read_text() for path in root.rglob("*.py")}


def test_the_project_is_the_same_each_time(project: CheckProject, tmp_path: Path) -> None:
    """Figures of two runs are about the same code."""
    again = write_project(tmp_path / "again", SIZE)
    assert texts(again.root) == texts(project.root)
    assert (again.lines, again.files) == (project.lines, project.files)


def test_what_no_job_imports_changes_nothing_else(project: CheckProject, tmp_path: Path) -> None:
    """The larger project has the files of the smaller one, and others that none of them imports."""
    larger = write_project(tmp_path / "larger", Size(packages=4, modules=5, functions=6, jobs=10, unreached=4))
    small, large = texts(project.root), texts(larger.root)
    assert small.items() <= large.items()
    added = {path.parts[1] for path in large.keys() - small.keys()}
    assert len(added) == 4
    assert not [name for name in added for text in small.values() if f"app.{name}." in text]


def test_every_module_can_be_imported(project: CheckProject) -> None:
    """A check of code that does not run would prove little."""
    command = [sys.executable, "-c", IMPORT_ALL]
    ended = subprocess.run(command, cwd=project.root, capture_output=True, text=True, timeout=60, check=False)
    assert ended.returncode == 0, ended.stderr


def test_every_fifth_job_has_an_effect_and_several_share_a_function(project: CheckProject) -> None:
    """The jobs that share it have no effect: when it gets one, they are told of."""
    assert [code is not None for code in project.jobs.values()] == [number % 5 == 0 for number in range(10)]
    shared = project.shared
    assert len(shared.reached_by) > 1
    assert all(project.jobs[path] is None for path in shared.reached_by)
    lines = shared.path.read_text().splitlines()
    assert lines[shared.line - 2].startswith("def ")
    assert lines[shared.line - 1].strip().startswith('"""')
