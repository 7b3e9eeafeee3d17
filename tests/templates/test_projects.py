"""Each template as a project: complete, typed, tested by its own tests, and alike where it should be."""

import json
import re
import subprocess
import sys
import tomllib
from pathlib import Path
from typing import Any

import pytest

from tests.fakes.template_project import init_project

TEMPLATES = ("checkout", "contacts", "orders", "ticket")


@pytest.fixture
def templates(repository: Path) -> Path:
    """Return the folder of all templates."""
    return repository / "templates"


def read_toml(path: Path) -> dict[str, Any]:
    """Return what a TOML file says."""
    return tomllib.loads(path.read_text())


@pytest.mark.parametrize("name", TEMPLATES)
def test_template_is_a_whole_project(name: str, templates: Path) -> None:
    """It has what its users need, and names the dependencies that its code imports."""
    folder = templates / name
    assert {"README.md", "pyproject.toml", "jobs", "services", "payloads", "tests"} <= {
        path.name for path in folder.iterdir()
    }
    project = read_toml(folder / "pyproject.toml")
    assert project["tool"]["trigger"] == {"dirs": ["jobs"]}
    imported = {
        match
        for path in folder.rglob("*.py")
        if "tests" not in path.parts[len(folder.parts) :]
        for match in re.findall(r"^(?:from|import) (\w+)", path.read_text(), re.MULTILINE)
    }
    own = {path.stem for path in folder.iterdir()}
    foreign = imported - own - set(sys.stdlib_module_names)
    named = {re.split(r"[<>=]", item)[0].replace("-", "_") for item in project["project"]["dependencies"]}
    assert foreign == named


@pytest.mark.parametrize("name", TEMPLATES)
def test_next_steps_name_what_is_there(name: str, templates: Path) -> None:
    """The commands shown after init use jobs and payloads that the template has."""
    folder = templates / name
    about = read_toml(folder / "template.toml")
    assert set(about) == {"description", "next_steps"}
    assert 20 < len(about["description"]) < 110
    source = "".join(path.read_text() for path in (folder / "jobs").glob("*.py"))
    commands = "\n".join(about["next_steps"])
    jobs = re.findall(r"trigger run (\S+)", commands)
    assert jobs
    assert [job for job in jobs if f'@job(id="{job}"' not in source] == []
    payloads = re.findall(r"@(payloads/\S+)", commands)
    assert [path for path in payloads if not (folder / path).is_file()] == []


@pytest.mark.parametrize("name", TEMPLATES)
def test_payloads_are_json(name: str, templates: Path) -> None:
    """Every sample can be read, and README says what each is for."""
    readme = (templates / name / "README.md").read_text()
    for path in sorted((templates / name / "payloads").iterdir()):
        assert isinstance(json.loads(path.read_text()), dict)
        assert f"payloads/{path.name}" in readme, f"README of {name} does not mention {path.name}"


@pytest.mark.parametrize("file", ["server.py", "mail.py", "payment.py"])
def test_services_of_one_name_are_one(file: str, templates: Path) -> None:
    """Templates stand alone, so they repeat these files; they may not drift apart."""
    versions = {path.read_text() for path in templates.glob(f"*/services/{file}")}
    assert len(versions) == 1


@pytest.mark.parametrize("name", TEMPLATES)
def test_own_tests_pass(name: str, tmp_path: Path) -> None:
    """The tests that a user gets pass in a project that `trigger init` made."""
    folder = init_project(name, tmp_path / name)
    command = [sys.executable, "-m", "pytest", "-q", "-p", "no:pytest_asyncio", "-p", "no:randomly"]
    tests = subprocess.run(command, cwd=folder, capture_output=True, text=True, timeout=100, check=False)
    assert tests.returncode == 0, tests.stdout + tests.stderr
    assert " passed" in tests.stdout


@pytest.mark.parametrize("name", TEMPLATES)
def test_templates_are_typed(name: str, templates: Path, repository: Path) -> None:
    """mypy --strict has nothing to say about what users copy."""
    folder = templates / name
    modules = [path.name for path in folder.glob("*.py")]
    cache = repository / ".mypy_cache" / "templates" / name
    command = [sys.executable, "-m", "mypy", "--strict", "--cache-dir", str(cache), "jobs", "services", *modules]
    checked = subprocess.run(command, cwd=folder, capture_output=True, text=True, timeout=110, check=False)
    assert checked.returncode == 0, checked.stdout + checked.stderr


def test_job_ids_are_not_shared(templates: Path) -> None:
    """Two templates can be brought into one project without a clash of ids."""
    ids = [
        job
        for path in templates.glob("*/jobs/*.py")
        for job in re.findall(r'^\s*@job\(id="([^"]+)"', path.read_text(), re.MULTILINE)
    ]
    assert len(ids) == len(set(ids)) >= len(TEMPLATES)
