"""`trigger check` as somebody who may not read everything, and over links that lead round in circles."""

from __future__ import annotations

import os
import shutil
import subprocess
import sys
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import NoReturn

import pytest

from tests.trigger_cli.ended import Ended, Trigger

JOB = "from trigger_sdk import job\n\n\n@job(id='a')\ndef a(name: str) -> str:\n    return open(name).read()\n"


@pytest.fixture
def root(tmp_path: Path) -> Iterator[Path]:
    """Return a project with a finding; what a test forbids in it is allowed again afterwards."""
    root = tmp_path / "shop"
    (root / "jobs" / "closed").mkdir(parents=True)
    (root / "jobs" / "closed" / "b.py").write_text("x = 1\n")
    (root / "jobs" / "a.py").write_text(JOB)
    (root / "trigger.toml").write_text('dirs = ["jobs"]\n')
    yield root
    for path in (root, root / "jobs", root / "jobs" / "closed", *root.glob("*.toml")):
        path.chmod(0o755)


@pytest.fixture
def check(missing_service: Callable[[str], NoReturn]) -> Callable[..., Ended]:
    """Return what runs `trigger check` as somebody to whom the modes of files apply, even where that is root."""
    command = [sys.executable, "-P", "-m", "trigger_cli", "check"]
    if os.geteuid() == 0:
        setpriv = shutil.which("setpriv") or missing_service("setpriv")
        command = [setpriv, "--bounding-set", "-dac_override,-dac_read_search", *command]

    def run(*argv: str, cwd: Path) -> Ended:
        done = subprocess.run(
            [*command, *argv],
            cwd=cwd,
            capture_output=True,
            text=True,
            timeout=60,
            check=False,
            stdin=subprocess.DEVNULL,
        )
        assert "trigger has a bug" not in done.stderr, done.stderr
        assert "Traceback" not in done.stderr, done.stderr
        return Ended(done.returncode, done.stdout, done.stderr)

    return run


def test_folder_of_jobs_that_cannot_be_read_is_told(root: Path, check: Callable[..., Ended]) -> None:
    """There may be jobs in it, so that nothing can be said of the project; named files are checked all the same."""
    (root / "jobs" / "closed").chmod(0)
    ended = check(cwd=root)
    assert (ended.code, ended.out) == (2, "")
    assert f"error: project-invalid: {root / 'jobs' / 'closed'} cannot be read: Permission denied" in ended.err
    named = check("jobs/a.py", cwd=root)
    assert (named.code, "TRG102" in named.out) == (1, True), named.err


def test_closed_folder_in_one_that_is_named_is_told(root: Path, check: Callable[..., Ended]) -> None:
    """The rest of the folder is checked."""
    (root / "jobs" / "closed").chmod(0)
    ended = check("jobs", cwd=root)
    assert (ended.code, "TRG102" in ended.out) == (2, True)
    assert "error: file-unreadable:" in ended.err
    assert "closed cannot be read: " in ended.err


@pytest.mark.parametrize("mode", [0, 0o444])
def test_working_folder_that_may_not_be_entered_is_told(mode: int, root: Path, check: Callable[..., Ended]) -> None:
    """Not: that it is in no project."""
    root.chmod(mode)
    ended = check(cwd=root)
    assert ended.code == 2
    assert f"error: project-invalid: {root} may not be entered" in ended.err
    ended = check(str(root / "jobs" / "a.py"), cwd=root.parent)
    assert ended.code == 2
    assert "a.py' cannot be read: Permission denied" in ended.err


@pytest.mark.parametrize("name", ["trigger.toml", "pyproject.toml"])
def test_configuration_that_cannot_be_read_is_told(name: str, root: Path, check: Callable[..., Ended]) -> None:
    """Whether it configures us nobody knows."""
    (root / "trigger.toml").rename(root / name)
    (root / name).chmod(0)
    ended = check(cwd=root)
    assert ended.code == 2
    assert f"error: project-invalid: {name} cannot be read: Permission denied" in ended.err


def test_fix_in_a_folder_that_cannot_be_written_is_told(root: Path, check: Callable[..., Ended]) -> None:
    """The file is as it was."""
    (root / "jobs").chmod(0o555)
    ended = check("--fix", "--unsafe-fixes", "jobs/a.py", cwd=root)
    assert ended.code == 2
    assert "error: file-not-written:" in ended.err
    assert (root / "jobs" / "a.py").read_text() == JOB


def test_links_that_lead_round_are_told_or_passed_over(root: Path, trigger_process: Trigger) -> None:
    """A file that links to itself cannot be read; folders that link to one another are looked into once."""
    (root / "jobs" / "self.py").symlink_to("self.py")
    (root / "jobs" / "folder").symlink_to("../jobs")
    for argv in ([], ["jobs"], ["."]):
        ended = trigger_process("check", *argv, cwd=root)
        assert (ended.code, ended.out.count("TRG102")) == (2, 1), ended.err
        assert "self.py cannot be read: " in ended.err
    ended = trigger_process("check", "jobs/self.py", cwd=root)
    assert ended.code == 2
    assert "trigger has a bug" not in ended.err
