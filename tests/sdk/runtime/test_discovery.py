"""Importing a project's job modules, and what is said when something is wrong with them."""

from dataclasses import dataclass
from pathlib import Path

import pytest

from tests.fakes.user_project import UserProject
from trigger_sdk._runtime.discovery import discover
from trigger_sdk.protocol.errors import ProjectInvalid
from trigger_sdk.protocol.problem import Problem


@dataclass(frozen=True)
class Declared:
    """A declared job."""

    id: str
    file: str
    line: int


DECLARE = "import declarations\ndeclarations.jobs.append(('{0}', __file__, 7))\n"


@dataclass
class Project:
    """A user's project whose modules declare jobs in a list of their own."""

    user: UserProject

    def discover(self) -> list[Problem]:
        """Import everything and return the problems."""
        self.user.write("declarations.py", "jobs = []\n")
        self.user.instrument()
        declarations = self.user.load("declarations")
        return discover(self.user.project, declared=lambda: [Declared(*job) for job in declarations.jobs])


@pytest.fixture
def project(user: UserProject) -> Project:
    """Return a project without jobs."""
    return Project(user)


def test_healthy_project_has_no_problems(project: Project) -> None:
    """All files are imported, in packages and in folders without __init__.py."""
    project.user.write("jobs/a.py", DECLARE.format("a"))
    project.user.write("jobs/deep/b.py", DECLARE.format("b"))
    project.user.write("jobs/package/__init__.py", DECLARE.format("c"))
    project.user.write("jobs/test_a.py", "raise RuntimeError('tests are not imported')")
    assert project.discover() == []


@pytest.mark.parametrize(
    ("source", "line", "said", "hint"),
    [
        ("x = 1\n1 / 0\n", 2, "ZeroDivisionError: division by zero", "Correct jobs/broken.py:2"),
        ("import nowhere_to_be_found\n", 1, "No module named 'nowhere_to_be_found'", "Install what provides"),
        ("x = 1\ndef f(: pass\n", 2, "SyntaxError: ", "Correct jobs/broken.py:2"),
        ("def f():\n  if 1:\n        x\n      y\n", 4, "IndentationError: ", "Correct jobs/broken.py:4"),
        ("\nimport sys\nsys.exit(3)\n", 3, "SystemExit: 3", "__main__"),
        ("raise Exception\n", 1, "cannot be imported: Exception", "Correct"),
        ("from jobs.helper import missing\n", 1, "cannot import name 'missing'", "Correct"),
        ("import jobs.helper\njobs.helper.fail()\n", 3, "KeyError: 'x'", "Correct jobs/helper.py:3"),
        ("import json\njson.loads('{')\n", 2, "JSONDecodeError", "Correct jobs/broken.py:2"),
        (
            "try:\n    1 / 0\nexcept ZeroDivisionError as e:\n    raise ValueError('v') from e\n",
            4,
            "ValueError: v",
            "Correct",
        ),
    ],
)
def test_broken_module_is_named_with_its_line(source: str, line: int, said: str, hint: str, project: Project) -> None:
    """The problem has file, line and a traceback without our frames; other modules are still imported."""
    project.user.write("jobs/broken.py", source)
    project.user.write("jobs/helper.py", "def fail():\n    x = {}\n    x['x']\n")
    project.user.write("jobs/zoo.py", DECLARE.format("zoo"))
    (problem,) = project.discover()
    assert problem.code == "module-broken"
    assert problem.message.startswith("jobs/broken.py cannot be imported: ")
    assert said in problem.message
    assert problem.where.endswith(f".py:{line}")
    assert hint in problem.hint
    assert "trigger_sdk" not in problem.detail
    assert "importlib" not in problem.detail
    assert "jobs/broken.py" in problem.detail


def test_traceback_keeps_its_causes(project: Project) -> None:
    """The detail shows the whole chain."""
    project.user.write("jobs/a.py", "try:\n    {}['x']\nexcept KeyError as e:\n    raise ValueError('v') from e\n")
    (problem,) = project.discover()
    assert "KeyError: 'x'" in problem.detail
    assert "direct cause" in problem.detail


def test_duplicate_id_names_both_places(project: Project) -> None:
    """Both files and lines are told."""
    project.user.write("jobs/a.py", DECLARE.format("same"))
    project.user.write("jobs/b.py", DECLARE.format("same"))
    (problem,) = project.discover()
    assert problem.code == "duplicate-job"
    assert "'same'" in problem.message
    assert "jobs/a.py:7, jobs/b.py:7" in problem.message


def test_module_under_two_names_is_told_apart(project: Project) -> None:
    """The same place twice is no matter of ids."""
    project.user.write("jobs/a.py", DECLARE.format("same"))
    project.user.write("jobs/b.py", "import sys\nsys.path.insert(0, __file__.rpartition('/')[0])\nimport a\n")
    (problem,) = project.discover()
    assert problem.code == "duplicate-job"
    assert "two names" in problem.hint


def test_no_jobs_says_where_it_looked(project: Project) -> None:
    """Folders and files are listed."""
    project.user.write("jobs/a.py")
    project.user.write("jobs/b.py")
    (problem,) = project.discover()
    assert problem.code == "no-jobs"
    assert "jobs" in problem.message
    assert problem.detail.splitlines() == ["jobs/a.py", "jobs/b.py"]
    assert "@job" in problem.hint


def test_broken_modules_without_jobs_are_one_problem(project: Project) -> None:
    """That no jobs were found follows from the broken module, and is not said."""
    project.user.write("jobs/a.py", "1 / 0")
    assert [problem.code for problem in project.discover()] == ["module-broken"]


def test_module_of_an_installed_package_is_not_taken_for_ours(project: Project, tmp_path: Path) -> None:
    """A job file whose name belongs to another module is named, with what was imported instead."""
    import sys

    project.user.write("jobs/a.py", DECLARE.format("a"))
    other = tmp_path / "other"
    (other / "jobs").mkdir(parents=True)
    (other / "jobs" / "__init__.py").touch()
    (other / "jobs" / "a.py").touch()
    sys.path.insert(0, str(other))
    try:
        (problem,) = project.discover()
    finally:
        for name in ("jobs", "jobs.a"):
            sys.modules.pop(name, None)
    assert problem.code == "module-shadowed"
    assert str(other / "jobs" / "a.py") in problem.message


def test_name_that_cannot_be_imported_is_told(project: Project) -> None:
    """my-job.py is no module."""
    project.user.write("jobs/my-job.py", DECLARE.format("a"))
    project.user.write("jobs/b.py", DECLARE.format("b"))
    (problem,) = project.discover()
    assert problem.code == "project-invalid"
    assert "my-job" in problem.message
    assert "Rename" in problem.hint


def test_missing_folder_is_an_error_of_the_project(project: Project) -> None:
    """Without the folder there is nothing to import."""
    with pytest.raises(ProjectInvalid, match="'jobs', and there is no such folder"):
        project.discover()
