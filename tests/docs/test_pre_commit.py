"""The pre-commit hook, as the guide says to use it: from a clone of this repository, in a project of somebody's."""

from __future__ import annotations

import os
import shutil
import subprocess
import sys
from collections.abc import Callable
from pathlib import Path
from typing import Final, NoReturn

import pytest

SOUND: Final = "from trigger_sdk import job\n\n\n@job(id='a')\nasync def a(name: str) -> str:\n    return name\n"
SLEEPS: Final = SOUND.replace("    return", "    import time\n\n    time.sleep(1)\n    return")
_AUTHOR: Final = {"GIT_AUTHOR_NAME": "a", "GIT_AUTHOR_EMAIL": "a@example.org"}
_COMMITTER: Final = {"GIT_COMMITTER_NAME": "a", "GIT_COMMITTER_EMAIL": "a@example.org"}


def git(folder: Path, *words: str) -> str:
    """Run git, and return what it prints."""
    environment = {**os.environ, **_AUTHOR, **_COMMITTER, "GIT_CONFIG_GLOBAL": os.devnull}
    command = ["git", *words]
    done = subprocess.run(
        command, cwd=folder, env=environment, capture_output=True, text=True, timeout=100, check=False
    )
    assert done.returncode == 0, done.stderr
    return done.stdout.strip()


@pytest.fixture
def clone(repository: Path, tmp_path: Path, missing_service: Callable[[str], NoReturn]) -> Path:
    """Return a clone of this repository, with the files of the hook and of the two distributions as they are here."""
    if shutil.which("git") is None or not (repository / ".git").exists():
        missing_service("a checkout with git")
    index = [
        sys.executable,
        "-m",
        "pip",
        "download",
        "--quiet",
        "--no-deps",
        "--dest",
        str(tmp_path / "w"),
        "hatchling",
    ]
    if subprocess.run(index, capture_output=True, timeout=100, check=False).returncode != 0:
        missing_service("a package index")
    clone = tmp_path / "trigger"
    git(tmp_path, "clone", "--quiet", "--depth", "1", repository.as_uri(), str(clone))
    for name in (".pre-commit-hooks.yaml", "pyproject.toml", "sdk/pyproject.toml"):
        shutil.copy(repository / name, clone / name)
    git(clone, "commit", "--quiet", "--all", "--allow-empty", "--message", "as it is here")
    return clone


def test_commit_with_a_finding_is_refused(clone: Path, tmp_path: Path) -> None:
    """The hook installs itself with both distributions, checks the project as a whole, and lets a sound one pass."""
    project = tmp_path / "project"
    (project / "jobs").mkdir(parents=True)
    (project / "trigger.toml").write_text('dirs = ["jobs"]\n')
    (project / "jobs" / "a.py").write_text(SLEEPS)
    rev = git(clone, "rev-parse", "HEAD")
    hook = f"repos:\n- repo: {clone.as_uri()}\n  rev: {rev}\n  hooks: [{{ id: trigger-check }}]\n"
    (project / ".pre-commit-config.yaml").write_text(hook)
    git(project, "init", "--quiet")
    git(project, "add", "--all")

    found = run(project, tmp_path)
    assert found.returncode == 1, found.stdout + found.stderr
    assert "trigger check" in found.stdout
    assert "jobs/a.py:8:5: " in found.stdout
    assert "error TRG107 blocking-sleep" in found.stdout

    (project / "jobs" / "a.py").write_text(SOUND)
    git(project, "add", "--all")
    passed = run(project, tmp_path)
    assert passed.returncode == 0, passed.stdout


def run(project: Path, tmp_path: Path) -> subprocess.CompletedProcess[str]:
    """Run the hooks as a commit does."""
    environment = {**os.environ, "PRE_COMMIT_HOME": str(tmp_path / "hooks"), "GIT_CONFIG_GLOBAL": os.devnull}
    environment.pop("VIRTUAL_ENV", None)
    return subprocess.run(
        [sys.executable, "-m", "pre_commit", "run"],
        cwd=project, env=environment, capture_output=True, text=True, timeout=110, check=False,
    )  # fmt: skip
