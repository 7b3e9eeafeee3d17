"""Projects whose folders are called like our packages, for real, in processes."""

import os
import subprocess
import sys
from pathlib import Path

import pytest

from tests.fakes.api_server import FakeApi
from tests.trigger_cli.ended import Trigger
from trigger_cli.isolation import own_import_path

EVIL = "raise SystemExit('the user\\'s module was imported')\n"


@pytest.fixture
def crowded(tmp_path: Path) -> Path:
    """Return a project with packages and modules that are called like ours and like our dependencies."""
    for name in ("analyzer", "engine", "templates", "executor", "devserver", "trigger_cli", "typer"):
        (tmp_path / name).mkdir()
        (tmp_path / name / "__init__.py").write_text(EVIL)
    for name in ("bundler.py", "msgspec.py", "httpx.py"):
        (tmp_path / name).write_text(EVIL)
    (tmp_path / "pyproject.toml").write_text('[project]\nname = "crowded"\n[tool.trigger]\ndirs = ["jobs"]\n')
    return tmp_path


COMMANDS = (["--version"], ["--help"], ["runs", "list"], ["jobs", "list"], ["init", "--list"], ["dev", "--help"])


@pytest.mark.parametrize("argv", COMMANDS)
def test_console_script_in_a_crowded_project(
    server: FakeApi, crowded: Path, trigger_process: Trigger, argv: list[str]
) -> None:
    """The console script imports nothing of the working folder."""
    ended = trigger_process(*argv, cwd=crowded)
    assert (ended.code, "imported" in ended.out + ended.err) == (0, False)


@pytest.mark.parametrize("python_path", [".", "", "{folder}", ".:lib", "{folder}/"])
def test_python_path_with_the_working_folder(
    server: FakeApi, crowded: Path, trigger_process: Trigger, python_path: str
) -> None:
    """PYTHONPATH=. does not put the user's modules in place of ours (only trigger_cli itself could be)."""
    (crowded / "trigger_cli" / "__init__.py").unlink()
    (crowded / "trigger_cli").rmdir()
    environment = {"PYTHONPATH": python_path.format(folder=crowded)}
    for argv in COMMANDS:
        ended = trigger_process(*argv, cwd=crowded, env=environment)
        assert (ended.code, "imported" in ended.out + ended.err) == (0, False), ended


def test_module_form_in_a_crowded_project(server: FakeApi, crowded: Path) -> None:
    """`python -m trigger_cli` takes the working folder off the path before anything of ours is imported."""
    (crowded / "trigger_cli" / "__init__.py").unlink()
    (crowded / "trigger_cli").rmdir()
    for flags in ([], ["-P"]):
        command = [sys.executable, *flags, "-m", "trigger_cli", "runs", "list"]
        done = subprocess.run(command, cwd=crowded, capture_output=True, text=True, check=False, timeout=30)
        assert (done.returncode, done.stderr) == (0, "no runs\n")


def test_own_checkout_stays_on_the_path(repository: Path) -> None:
    """An entry of PYTHONPATH from which we ourselves are imported stays, whatever else goes."""
    path = ["/somewhere/lib", str(repository), "", str(repository / "sdk"), "/usr/lib"]
    environ = {"PYTHONPATH": os.pathsep.join(["/somewhere/lib", str(repository), str(repository / "sdk")])}
    kept = own_import_path(path, environ)
    assert "/somewhere/lib" not in kept
    assert {str(repository), str(repository / "sdk"), "/usr/lib"} <= set(kept)


def test_a_removed_working_folder_is_one_line(tmp_path: Path) -> None:
    """A command that is called in a folder that is no longer there says so, and ends as wrong usage does."""
    gone = tmp_path / "gone"
    gone.mkdir()
    command = f'cd "{gone}" && rmdir "{gone}" && "{sys.executable}" -P -m trigger_cli check'
    done = subprocess.run(["sh", "-c", command], capture_output=True, text=True, check=False, timeout=30)
    assert done.returncode == 2
    assert "working-folder-gone" in done.stderr
    assert "Traceback" not in done.stderr
