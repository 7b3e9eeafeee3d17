"""The user's own engine/, templates/ and bundler.py win over installed packages of those names, in real processes."""

import json
import os
import subprocess
import sys
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

from trigger_sdk._runtime import instrument, name_guard
from trigger_sdk._runtime.name_guard import GUARDED_NAMES, NameGuard
from trigger_sdk.project import load_project

SDK = Path(name_guard.__file__).parents[2]

WORKER = """\
import importlib, json, sys
from pathlib import Path
from trigger_sdk._runtime import instrument, name_guard
from trigger_sdk.project import load_project

project = load_project(Path(sys.argv[1]))
steps = {"g": lambda: name_guard.install(project), "i": lambda: instrument.install(project)}
for step in sys.argv[2]:
    steps[step]()
sys.path[0:0] = [str(root) for root in project.import_roots]
found = {}
for name in sys.argv[3:]:
    try:
        found[name] = importlib.import_module(name).WHOSE
    except Exception as error:
        found[name] = f"{type(error).__name__}: {error}"
print(json.dumps(found))
"""


@pytest.fixture
def import_in_worker(tmp_path: Path) -> Callable[..., dict[str, Any]]:
    """Return what imports names in a fresh interpreter, where regular packages of ours are installed."""
    site = tmp_path / "site-packages"
    for name in GUARDED_NAMES:
        package = site / name
        package.mkdir(parents=True)
        (package / "__init__.py").write_text("WHOSE = 'ours'\n")
        (package / "inner.py").write_text("WHOSE = 'ours'\n")
    worker = tmp_path / "worker.py"
    worker.write_text(WORKER)

    def run(root: Path, *names: str, steps: str = "gi") -> dict[str, Any]:
        paths = [str(SDK), *(path for path in sys.path if "site-packages" in path)]
        done = subprocess.run(
            [sys.executable, "-P", str(worker), str(root), steps, *names],
            env={"PYTHONPATH": os.pathsep.join([str(site), *paths]), "PYTHONDONTWRITEBYTECODE": "1"},
            capture_output=True,
            text=True,
            timeout=60,
            check=False,
        )
        assert done.returncode == 0, done.stderr
        found: dict[str, Any] = json.loads(done.stdout)
        return found

    return run


@pytest.fixture
def root(tmp_path: Path) -> Path:
    """Return a project with things of our names, in all shapes."""
    root = tmp_path / "project"
    files = {
        "trigger.toml": "",
        "engine/jobs.py": "WHOSE = 'theirs'",
        "analyzer/__init__.py": "WHOSE = 'theirs'",
        "analyzer/inner.py": "from analyzer import WHOSE",
        "templates/mail.html": "<p>",
        "templates/deep/render.py": "WHOSE = 'theirs'",
        "bundler.py": "WHOSE = 'theirs'",
        "executor/__init__.py": "from .inner import WHOSE",
        "executor/inner.py": "WHOSE = 'theirs'",
        "jobs/a.py": "from engine.jobs import WHOSE",
    }
    for name, text in files.items():
        path = root / name
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_text(text)
    return root


NAMES = (
    "engine.jobs",
    "analyzer",
    "analyzer.inner",
    "templates.deep.render",
    "bundler",
    "executor",
    "executor.inner",
    "jobs.a",
)


@pytest.mark.parametrize("steps", ["gi", "ig", "g", "igig"])
def test_names_of_the_user_win(steps: str, root: Path, import_in_worker: Callable[..., dict[str, Any]]) -> None:
    """Namespace folders, packages and modules of the project are what its code imports, in any order of installing."""
    assert import_in_worker(root, *NAMES, steps=steps) == dict.fromkeys(NAMES, "theirs")


def test_trap_is_real_without_the_guard(root: Path, import_in_worker: Callable[..., dict[str, Any]]) -> None:
    """Without the guard a folder without __init__.py loses, although it comes first on sys.path."""
    found = import_in_worker(root, "engine.jobs", "bundler", steps="i")
    assert found == {"engine.jobs": "ModuleNotFoundError: No module named 'engine.jobs'", "bundler": "theirs"}


def test_names_that_the_user_has_not_are_found_as_ever(
    root: Path, import_in_worker: Callable[..., dict[str, Any]]
) -> None:
    """The guard invents nothing and hides nothing."""
    assert import_in_worker(root, "devserver", "devserver.inner") == {"devserver": "ours", "devserver.inner": "ours"}


def test_names_in_a_source_root_win(tmp_path: Path, import_in_worker: Callable[..., dict[str, Any]]) -> None:
    """In a project with src layout its packages lie below src."""
    module = tmp_path / "project" / "src" / "engine" / "jobs.py"
    module.parent.mkdir(parents=True)
    module.write_text("WHOSE = 'theirs'")
    (tmp_path / "project" / "trigger.toml").touch()
    assert import_in_worker(tmp_path / "project", "engine.jobs") == {"engine.jobs": "theirs"}


def test_guarded_modules_are_instrumented(root: Path) -> None:
    """The instrumenting finder stays in front, whichever is installed first."""
    project = load_project(root)
    before = list(sys.meta_path)
    try:
        for first, second in ((name_guard, instrument), (instrument, name_guard)):
            first.install(project)
            second.install(project)
            kinds = [type(finder) for finder in sys.meta_path]
            assert kinds.index(instrument.InstrumentingFinder) < kinds.index(NameGuard)
            name_guard.uninstall()
            instrument.uninstall()
        assert sys.meta_path == before
    finally:
        sys.meta_path[:] = before
