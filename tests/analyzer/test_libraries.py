"""Where installed packages are looked for."""

from pathlib import Path

import pytest

from analyzer.libraries import library_folders
from trigger_sdk.protocol.project import Project


def environment(folder: Path, *, settings: str = "") -> Path:
    """Make a virtual environment without an interpreter and return its folder of packages."""
    packages = folder / "lib" / "python3.11" / "site-packages"
    packages.mkdir(parents=True)
    (folder / "bin").mkdir()
    (folder / "pyvenv.cfg").write_text(settings)
    return packages


@pytest.fixture
def root(tmp_path: Path) -> Path:
    """Return the folder of a project."""
    (tmp_path.resolve() / "project").mkdir()
    return tmp_path.resolve() / "project"


def test_project_environment_comes_before_the_active_one(root: Path, tmp_path: Path) -> None:
    """`.venv`, then `venv`, then VIRTUAL_ENV, then our own packages."""
    own = tmp_path.resolve() / "own" / "site-packages"
    own.mkdir(parents=True)
    path = [str(root), str(own), str(tmp_path / "missing" / "site-packages")]
    project = Project(root=root)
    assert library_folders(project, {}, path) == (own,)
    active = environment(tmp_path.resolve() / "active")
    variables = {"VIRTUAL_ENV": str(tmp_path / "active")}
    assert library_folders(project, variables, path) == (active,)
    second = environment(root / "venv")
    assert library_folders(project, variables, path) == (second,)
    first = environment(root / ".venv")
    assert library_folders(project, variables, path) == (first,)


def test_configured_interpreter_names_its_environment(root: Path, tmp_path: Path) -> None:
    """A link in an environment is that environment's; a command is looked up on PATH; a missing one has nothing."""
    packages = environment(tmp_path.resolve() / "chosen")
    system = tmp_path.resolve() / "system"
    (system / "bin").mkdir(parents=True)
    python = system / "bin" / "python3"
    python.write_text("#!/bin/sh\n")
    python.chmod(0o755)
    link = tmp_path / "chosen" / "bin" / "python"
    link.symlink_to(python)
    assert library_folders(Project(root=root, python=str(link)), {}, []) == (packages,)
    dist = system / "lib" / "python3" / "dist-packages"
    dist.mkdir(parents=True)
    found = library_folders(Project(root=root, python="python3"), {"PATH": str(system / "bin")}, [])
    assert found == (dist,)
    assert library_folders(Project(root=root, python="python9"), {"PATH": str(system / "bin")}, []) == ()


def test_system_packages_count_where_the_environment_says_so(root: Path, tmp_path: Path) -> None:
    """include-system-site-packages, after the environment's own."""
    system = tmp_path.resolve() / "system"
    shared = system / "lib" / "python3.11" / "site-packages"
    shared.mkdir(parents=True)
    packages = environment(root / ".venv", settings=f"home = {system}/bin\ninclude-system-site-packages = true\n")
    assert library_folders(Project(root=root), {}, []) == (packages, shared)
    (root / ".venv" / "pyvenv.cfg").write_text(f"home = {system}/bin\ninclude-system-site-packages = false\n")
    assert library_folders(Project(root=root), {}, []) == (packages,)
