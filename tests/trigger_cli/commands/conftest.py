"""Projects with jobs to check, and one to build."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping
from pathlib import Path
from typing import NoReturn, Protocol

import pytest

from tests.fakes.registry_process import RegistryProcess, missing_programs
from tests.rig.build_command import BuildCommand
from tests.rig.bundled_project import BundledProject

CONFIGURATION = '[project]\nname = "shop"\nversion = "1"\n\n[tool.trigger]\ndirs = ["jobs"]\n'

CLEAN = """\
from trigger_sdk import job, task


@task
def total() -> int:
    return 1


@job(id="clean")
async def clean() -> int:
    return await total()
"""

BAD = """\
import time

from rates import fetch
from trigger_sdk import job


@job(id="bad")
async def bad() -> str:
    found = fetch("usd")
    time.sleep(3)
    return found
"""

RATES = """\
import requests


def fetch(name):
    return requests.get(name).text
"""


class MakeProject(Protocol):
    """Makes a project below the test's folder."""

    def __call__(self, files: Mapping[str, str | bytes], *, name: str = "shop", check: str = "") -> Path:
        """Return the folder; ``check`` is added to the configuration."""
        ...


@pytest.fixture
def make_project(tmp_path: Path) -> MakeProject:
    """Return what makes a project of files by path."""

    def make(files: Mapping[str, str | bytes], *, name: str = "shop", check: str = "") -> Path:
        root = tmp_path.resolve() / name
        (root / "jobs").mkdir(parents=True)
        (root / "pyproject.toml").write_text(CONFIGURATION + check)
        for place, content in files.items():
            path = root / place
            path.parent.mkdir(parents=True, exist_ok=True)
            path.write_bytes(content if isinstance(content, bytes) else content.encode())
        return root

    return make


@pytest.fixture
def bad_project(make_project: MakeProject) -> Path:
    """Return a project with a request through a helper and a blocking sleep, which can be fixed."""
    return make_project({"jobs/bad.py": BAD, "rates.py": RATES, "jobs/clean.py": CLEAN})


@pytest.fixture(scope="session")
def bundled_template(tmp_path_factory: pytest.TempPathFactory) -> BundledProject:
    """Return a project with a lock and a virtual environment, to be copied."""
    return BundledProject(tmp_path_factory.mktemp("template") / "shop", "")


@pytest.fixture
def build(tmp_path: Path, bundled_template: BundledProject) -> BuildCommand:
    """Return `trigger build` in a project of the test's own, upon a base that is small and cannot be run."""
    return BuildCommand(tmp_path.resolve(), bundled_template)


@pytest.fixture
def read_only_registry(tmp_path: Path, missing_service: Callable[[str], NoReturn]) -> Iterator[RegistryProcess]:
    """Return a real registry that takes nothing."""
    if missing := missing_programs("none"):
        missing_service(", ".join(missing))
    process = RegistryProcess(tmp_path / "registry", is_read_only=True)
    yield process.start()
    process.close()
