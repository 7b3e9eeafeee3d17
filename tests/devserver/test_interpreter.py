"""The project's own Python is chosen, and one that is not there is named."""

import os
import sys
from dataclasses import replace
from pathlib import Path

import pytest

from devserver.errors import InterpreterMissing
from devserver.interpreter import Interpreter, choose_interpreter
from trigger_sdk.protocol.project import Project


def environment(folder: Path) -> Path:
    """Make what looks like a virtual environment; returns its interpreter."""
    (folder / "bin").mkdir(parents=True)
    (folder / "pyvenv.cfg").touch()
    (folder / "bin" / "python").symlink_to(sys.executable)
    return folder / "bin" / "python"


def test_option_comes_first(project: Project, root: Path) -> None:
    """--python beats the project's own environment."""
    environment(root / ".venv")
    assert choose_interpreter(project, {}, sys.executable).path == sys.executable


def test_configured_interpreter_beats_environments(project: Project, root: Path) -> None:
    """`python` in the configuration is an explicit choice."""
    environment(root / ".venv")
    chosen = choose_interpreter(replace(project, python=sys.executable), {})
    assert chosen.path == sys.executable
    assert chosen.origin == "python in trigger.toml"


@pytest.mark.parametrize("name", [".venv", "venv"])
def test_environment_in_the_project_is_found(project: Project, root: Path, name: str) -> None:
    """It beats the active one, which may be another project's; the link is kept, as it makes the environment."""
    python = environment(root / name)
    active = environment(root / "elsewhere")
    chosen = choose_interpreter(project, {"VIRTUAL_ENV": str(active.parent.parent)})
    assert chosen.path == str(python)


def test_environment_of_the_workspace_is_found(project: Project, root: Path) -> None:
    """Members of a workspace of uv share one, beside their lock; a folder above without a lock is somebody else's."""
    member = replace(project, root=root / "packages" / "worker")
    python = environment(root / ".venv")
    assert choose_interpreter(member, {}).path == sys.executable
    (root / "uv.lock").touch()
    assert choose_interpreter(member, {}) == Interpreter(path=str(python), origin="the workspace's .venv")
    own = environment(member.root / ".venv")
    assert choose_interpreter(member, {}).path == str(own)


def test_folder_called_venv_is_no_environment(project: Project, root: Path) -> None:
    """Only what has a pyvenv.cfg is one."""
    (root / "venv" / "bin").mkdir(parents=True)
    assert choose_interpreter(project, {}).path == sys.executable


def test_active_environment_is_used(project: Project, tmp_path: Path) -> None:
    """Without one in the project, the one the developer activated."""
    python = environment(tmp_path / "active")
    assert choose_interpreter(project, {"VIRTUAL_ENV": str(tmp_path / "active")}).path == str(python)


def test_own_interpreter_is_the_last_resort(project: Project) -> None:
    """A project without anything of its own runs on ours."""
    assert choose_interpreter(project, {}).path == sys.executable


def test_configured_interpreter_that_is_missing(project: Project) -> None:
    """The problem names it and where it was configured."""
    with pytest.raises(InterpreterMissing, match=r"'no-such-python' \(python in trigger.toml\)"):
        choose_interpreter(replace(project, python="no-such-python"), {})


def test_file_that_is_not_executable_is_no_interpreter(project: Project, root: Path) -> None:
    """A file alone is not enough."""
    (root / "python").write_text("")
    with pytest.raises(InterpreterMissing):
        choose_interpreter(project, {}, os.fspath(root / "python"))


def test_environment_whose_python_is_gone(project: Project, root: Path) -> None:
    """After an upgrade of the system's Python the link points nowhere; the hint makes it anew."""
    python = environment(root / ".venv")
    python.unlink()
    python.symlink_to("/nowhere/python3.9")
    with pytest.raises(InterpreterMissing, match="points to a Python that is gone") as missing:
        choose_interpreter(project, {})
    assert "-m venv --clear" in missing.value.problem.hint
