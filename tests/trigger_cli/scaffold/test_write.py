"""A template into a folder: new, empty, or with a project; all or nothing."""

import json
import os
import shutil
import subprocess
import sys
import tomllib
from pathlib import Path, PurePosixPath

import pytest

from trigger_cli.errors import InitConflict, InitFailed, InitHalfDone, UnknownTemplate, UsageProblem
from trigger_cli.scaffold.plan import MARKER, make_plan
from trigger_cli.scaffold.templates import Template, find_template, list_templates
from trigger_cli.scaffold.write import carry_out

NEW = {".gitignore", "README.md", "jobs/buy.py", "pyproject.toml", "run.sh", "services/__init__.py"}
CONFIGURED = '[project]\nname = "mine"\ndependencies = ["Trigger_SDK"]\n[tool.trigger]\ndirs = ["work"]\n'


def init(template: Template, target: Path) -> list[str]:
    """Plan and write; returns the advice."""
    plan = make_plan(template, target)
    carry_out(plan)
    return plan.advice


def files(folder: Path) -> dict[str, bytes]:
    """Return every file below a folder with its content."""
    return {str(path.relative_to(folder)): path.read_bytes() for path in folder.rglob("*") if path.is_file()}


def test_new_folder(shop: Template, tmp_path: Path) -> None:
    """A folder that does not exist gets exactly the template, byte by byte, and nothing that using it left behind."""
    init(shop, tmp_path / "deep" / "new")
    made = files(tmp_path / "deep" / "new")
    assert set(made) == NEW
    assert made["jobs/buy.py"] == b"BUY = 1\r\n"
    assert made[".gitignore"] == b".services/\n.trigger/\n"
    assert os.access(tmp_path / "deep" / "new" / "run.sh", os.X_OK)
    assert not os.access(tmp_path / "deep" / "new" / "README.md", os.X_OK)
    assert list((tmp_path / "deep").iterdir()) == [tmp_path / "deep" / "new"]


def test_new_folder_has_usual_permissions(shop: Template, tmp_path: Path) -> None:
    """The folder is not the temporary one's private kind."""
    init(shop, tmp_path / "new")
    assert (tmp_path / "new").stat().st_mode & 0o777 == 0o777 & ~_umask()


def _umask() -> int:
    mask = os.umask(0)
    os.umask(mask)
    return mask


def test_empty_folder(shop: Template, tmp_path: Path) -> None:
    """A folder that exists and is empty is as good as new, and no trace of the work is left."""
    (tmp_path / "empty").mkdir()
    init(shop, tmp_path / "empty")
    assert set(files(tmp_path / "empty")) == NEW
    assert not (tmp_path / "empty" / ".trigger").exists()


def test_fresh_repository(shop: Template, tmp_path: Path) -> None:
    """README.md stays the user's; .gitignore gets lines at its end, each once."""
    (tmp_path / "repo").mkdir()
    (tmp_path / "repo" / "README.md").write_text("mine")
    (tmp_path / "repo" / ".gitignore").write_bytes(b"*.log\r\n/.trigger")
    plan = make_plan(shop, tmp_path / "repo")
    carry_out(plan)
    assert plan.kept == [PurePosixPath("README.md")]
    assert (tmp_path / "repo" / "README.md").read_text() == "mine"
    assert (tmp_path / "repo" / ".gitignore").read_bytes() == b"*.log\r\n/.trigger\r\n.services/\r\n"


def test_existing_project_gets_a_table(shop: Template, tmp_path: Path) -> None:
    """A pyproject.toml keeps every byte and gets the template's table, and only that, at its end."""
    text = '# mine\r\n[project]\r\nname="x"  # odd   \r\ndependencies = ["httpx[http2]==1"]\r\n\r\n[tool.black]\r\nx=1'
    (tmp_path / "pyproject.toml").write_bytes(text.encode())
    (tmp_path / "pyproject.toml").chmod(0o640)
    advice = init(shop, tmp_path)
    after = (tmp_path / "pyproject.toml").read_bytes().decode()
    assert after == text + '\r\n\r\n[tool.trigger]\r\ndirs = ["jobs"]\r\nguard = "warn"\r\n'
    assert (tmp_path / "pyproject.toml").stat().st_mode & 0o777 == 0o640
    assert advice == ["add to your dependencies: trigger-sdk>=0.1"]
    assert (tmp_path / "jobs" / "buy.py").exists()


def test_configured_project_is_not_touched(shop: Template, tmp_path: Path) -> None:
    """Where trigger is configured already, the configuration stays; what has to be added is said."""
    (tmp_path / "pyproject.toml").write_text(CONFIGURED)
    advice = init(shop, tmp_path)
    assert (tmp_path / "pyproject.toml").read_text() == CONFIGURED
    assert advice == [
        "add 'jobs' to `dirs` in pyproject.toml: the new jobs are there",
        "add to your dependencies: httpx>=0.27",
    ]


def test_project_with_trigger_toml(shop: Template, tmp_path: Path) -> None:
    """trigger.toml is a configuration too: no second one appears beside it."""
    (tmp_path / "trigger.toml").write_text('dirs = ["jobs/"]\n')
    init(shop, tmp_path)
    assert not (tmp_path / "pyproject.toml").exists()


@pytest.mark.parametrize(
    "text", ["tool = {x = 1}\n", "[tool]\nx = {y = 1}\n[[tool.z]]\n", '[tool.poetry]\nname = "p"\n', ""]
)
def test_table_is_appended_only_where_it_can_stand(shop: Template, tmp_path: Path, text: str) -> None:
    """Whatever the file looks like, it stays valid TOML with the same content; else the user is told what to add."""
    path = tmp_path / "pyproject.toml"
    path.write_text(text)
    advice = init(shop, tmp_path)
    data = tomllib.loads(path.read_text())
    if "trigger" in data.get("tool", {}):
        assert data["tool"].pop("trigger") == {"dirs": ["jobs"], "guard": "warn"}
        assert data.get("tool", {}) == tomllib.loads(text).get("tool", {})
    else:
        assert path.read_text() == text
        assert "[tool.trigger]" in advice[0]


def test_broken_pyproject_is_refused(shop: Template, tmp_path: Path) -> None:
    """A pyproject.toml that is no TOML is named, and nothing is written."""
    (tmp_path / "pyproject.toml").write_text("[project\n")
    with pytest.raises(UsageProblem, match=r"pyproject\.toml is not TOML"):
        make_plan(shop, tmp_path)


def test_conflicts_are_all_named_and_nothing_is_written(shop: Template, tmp_path: Path) -> None:
    """Files, folders in the way and dangling links are conflicts; one is enough to write nothing."""
    (tmp_path / "jobs").mkdir()
    (tmp_path / "jobs" / "buy.py").write_text("mine")
    (tmp_path / "services").write_text("a file")
    (tmp_path / "run.sh").symlink_to("nowhere")
    before = files(tmp_path)
    with pytest.raises(InitConflict) as caught:
        make_plan(shop, tmp_path)
    assert caught.value.problem.detail.splitlines() == [
        "jobs/buy.py",
        "run.sh",
        "services (a file, and services/__init__.py needs a folder there)",
    ]
    assert files(tmp_path) == before


def test_second_init_is_refused(shop: Template, tmp_path: Path) -> None:
    """The same template again would overwrite itself."""
    init(shop, tmp_path / "new")
    before = files(tmp_path / "new")
    with pytest.raises(InitConflict):
        make_plan(shop, tmp_path / "new")
    assert files(tmp_path / "new") == before


def test_file_that_appears_meanwhile_survives(shop: Template, tmp_path: Path) -> None:
    """Between plan and writing somebody else writes a file: theirs stays, ours all go, changes are taken back."""
    (tmp_path / "pyproject.toml").write_text("")
    (tmp_path / ".gitignore").write_text("mine\n")
    plan = make_plan(shop, tmp_path)
    (tmp_path / "services").mkdir()
    (tmp_path / "services" / "__init__.py").write_text("theirs")
    before = files(tmp_path)
    with pytest.raises(InitConflict, match=r"services/__init__\.py appeared"):
        carry_out(plan)
    assert files(tmp_path) == before
    assert not (tmp_path / "jobs").exists()
    assert not (tmp_path / ".trigger").exists()


def test_folder_that_appears_meanwhile_survives(shop: Template, tmp_path: Path) -> None:
    """A new folder never replaces one that appeared with something in it."""
    plan = make_plan(shop, tmp_path / "new")
    (tmp_path / "new").mkdir()
    (tmp_path / "new" / "run.sh").write_text("theirs")
    with pytest.raises(InitConflict):
        carry_out(plan)
    assert files(tmp_path / "new") == {"run.sh": b"theirs"}


def test_half_done_is_explained(shop: Template, tmp_path: Path) -> None:
    """A marker of an init that was killed: which of its files are there, and what to do."""
    (tmp_path / ".trigger").mkdir()
    (tmp_path / MARKER).write_text(json.dumps({"template": "shop", "files": ["run.sh", "jobs/buy.py"]}))
    (tmp_path / "run.sh").write_text("")
    with pytest.raises(InitHalfDone) as caught:
        make_plan(shop, tmp_path)
    assert caught.value.problem.detail.splitlines() == ["written  run.sh", "missing  jobs/buy.py"]
    (tmp_path / MARKER).write_text("{")
    with pytest.raises(InitHalfDone):
        make_plan(shop, tmp_path)


def test_init_that_is_killed_is_detected(shop: Template, tmp_path: Path) -> None:
    """SIGKILL after the second file: the next init says which are there; cleared as it says, it works."""
    (tmp_path / "pyproject.toml").write_text("")
    program = (
        "import os, pathlib, signal, sys\n"
        "from trigger_cli.scaffold.plan import make_plan\n"
        "from trigger_cli.scaffold.templates import find_template\n"
        "from trigger_cli.scaffold.write import carry_out\n"
        "link, placed = os.link, []\n"
        "def link_two(source, target):\n"
        "    if len(placed) == 2:\n"
        "        os.kill(os.getpid(), signal.SIGKILL)\n"
        "    link(source, target)\n"
        "    placed.append(target)\n"
        "os.link = link_two\n"
        "carry_out(make_plan(find_template('shop', pathlib.Path(sys.argv[1])), pathlib.Path(sys.argv[2])))\n"
    )
    command = [sys.executable, "-c", program, str(shop.folder.parent), str(tmp_path)]
    assert subprocess.run(command, check=False, timeout=60).returncode == -9
    with pytest.raises(InitHalfDone) as caught:
        make_plan(shop, tmp_path)
    lines = caught.value.problem.detail.splitlines()
    written = [line.split()[1] for line in lines if line.startswith("written")]
    assert (len(written), len(lines)) == (2, 5)
    assert (tmp_path / "pyproject.toml").read_text() == ""
    for name in written:
        (tmp_path / name).unlink()
    for left in (tmp_path / ".trigger").glob("init*"):
        shutil.rmtree(left) if left.is_dir() else left.unlink()
    init(shop, tmp_path)
    assert (tmp_path / "jobs" / "buy.py").exists()


def test_target_that_is_a_file(shop: Template, tmp_path: Path) -> None:
    """A file is no folder for a project."""
    (tmp_path / "x").write_text("")
    with pytest.raises(UsageProblem, match="is not a folder"):
        make_plan(shop, tmp_path / "x")


def test_place_that_cannot_be_written(shop: Template, tmp_path: Path) -> None:
    """A parent that is a file: a problem of the environment, and nothing is left behind."""
    (tmp_path / "x").write_text("")
    with pytest.raises(InitFailed, match="nothing was written"):
        init(shop, tmp_path / "x" / "y" / "z")
    assert (tmp_path / "x").read_text() == ""


def test_templates_are_listed(templates: Path) -> None:
    """Name, description and steps come from template.toml; hidden folders are none."""
    [shop] = list_templates(templates)
    assert (shop.name, shop.description, shop.next_steps) == ("shop", "A shop", ("trigger dev",))
    with pytest.raises(UnknownTemplate) as caught:
        find_template("shpo", templates)
    assert "did you mean 'shop'" in caught.value.problem.hint
