"""The project that is bundled: 60 modules, a job, and what many projects depend on, from the package index."""

from __future__ import annotations

import subprocess
import sys
from dataclasses import dataclass
from pathlib import Path
from typing import Final

import trigger_sdk
from benchmarks.figures import BenchmarkFailed

MODULES: Final = 60
_UV: Final = str(Path(sys.executable).parent / "uv")
_PYPROJECT: Final = """\
[project]
name = "reports"
version = "1.0"
requires-python = ">={python}"
dependencies = [{dependencies}]

[tool.trigger]
"""

_JOB: Final = """\
{imports}from trigger_sdk import job, task

from app import module_0


@task
def load(count: int) -> int:
    import pandas

    return int(pandas.DataFrame({{"a": range(count)}})["a"].sum())


@job(id="report")
def report(count: int) -> int:
    print("first line of the body", flush=True)
    return load(count) + module_0.value_0(1)  # line 0
"""

_IMPORTS: Final = "import boto3\nimport httpx\nimport numpy\nimport pandas\nimport pydantic\n"


@dataclass(frozen=True, slots=True, kw_only=True)
class BundleProject:
    """The project on disk.

    Attributes:
        root: its folder.
        python: interpreter of its virtual environment.
    """

    root: Path
    python: Path

    def edit(self, number: int) -> None:
        """Change one line of one module of the project."""
        path = self.root / "app" / f"module_{MODULES // 2}.py"
        first = path.read_text().partition("\n")[2]
        path.write_text(f'"""Edited {number}."""\n{first}')

    def write_job(self, *, imports: bool) -> None:
        """Write the job, which imports its libraries when it is imported itself, or in its task alone."""
        (self.root / "jobs" / "report.py").write_text(_JOB.format(imports=_IMPORTS * imports))


def write_project(root: Path, dependencies: tuple[str, ...]) -> BundleProject:
    """Write a project, lock it, and install what it locks into an environment of its own.

    Args:
        root: where.
        dependencies: names of distributions.

    Raises:
        BenchmarkFailed: the package index does not answer.
    """
    (root / "jobs").mkdir(parents=True)
    (root / "app").mkdir()
    python = f"{sys.version_info.major}.{sys.version_info.minor}"
    listed = ", ".join(f'"{name}"' for name in (*dependencies, "msgspec", "websockets"))
    (root / "pyproject.toml").write_text(_PYPROJECT.format(python=python, dependencies=listed))
    (root / "app" / "__init__.py").write_text("")
    for number in range(MODULES - 1):
        (root / "app" / f"module_{number}.py").write_text(_module(number))
    project = BundleProject(root=root, python=root / ".venv/bin/python")
    project.write_job(imports=False)
    for command in (["lock", "--quiet"], ["sync", "--quiet", "--no-install-project", "--compile-bytecode"]):
        done = subprocess.run(
            [_UV, *command, "--python", sys.executable], cwd=root, capture_output=True, text=True, check=False
        )  # fmt: skip
        if done.returncode:
            message = f"uv {command[0]} failed: {done.stderr[-500:]}"
            raise BenchmarkFailed(message)
    (site,) = (root / ".venv").glob("lib/python*/site-packages")
    (site / "sdk.pth").write_text(f"{Path(next(iter(trigger_sdk.__path__))).parent}\n")
    return project


def _module(number: int) -> str:
    below = f"from app import module_{number + 1}\n" if number % 2 == 0 and number + 1 < MODULES - 1 else ""
    functions = "".join(
        f"\n\ndef value_{each}(count: int) -> int:\n"
        f'    """Return something that takes a few lines to say."""\n'
        f"    total = 0\n    for index in range(count):\n        total += index * {number + each}\n    return total\n"
        for each in range(8)
    )
    return f'"""Module {number}."""\n{below}{functions}'
