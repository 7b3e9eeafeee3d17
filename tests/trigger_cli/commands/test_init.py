"""`trigger init` as users call it."""

import json
import os
import pty
import select
import subprocess
import sys
from pathlib import Path

import pytest

from tests.trigger_cli.ended import Trigger
from trigger_cli.scaffold.templates import list_templates, templates_folder
from trigger_sdk.protocol.project import find_project, load_project


@pytest.mark.parametrize("template", [item.name for item in list_templates(templates_folder())])
def test_every_template_makes_a_project(trigger: Trigger, tmp_path: Path, template: str) -> None:
    """Each shipped template becomes a project that is found and can be loaded, and says what to do next."""
    ended = trigger("init", str(tmp_path / "p"), "--template", template)
    assert (ended.code, ended.err) == (0, "")
    assert "next:\n  cd " in ended.out
    project = find_project(tmp_path / "p")
    assert project is not None
    assert load_project(tmp_path / "p").root == (tmp_path / "p").resolve()
    assert ".trigger/" in (tmp_path / "p" / ".gitignore").read_text().splitlines()


def test_default_template_is_hello(trigger_process: Trigger, tmp_path: Path) -> None:
    """Without a terminal and without --template, nothing is asked and the small template is taken."""
    ended = trigger_process("init", "my jobs")
    assert ended.code == 0
    assert "cd 'my jobs'" in ended.out
    assert (tmp_path / "my jobs" / "jobs" / "hello.py").exists()


def test_folder_with_files_needs_yes_without_terminal(trigger_process: Trigger, tmp_path: Path) -> None:
    """Nothing is asked and nothing written; the flag is named. With it, the files are added."""
    (tmp_path / "app.py").write_text("mine")
    (tmp_path / "pyproject.toml").write_text('[project]\nname = "mine"\n')
    ended = trigger_process("init")
    assert (ended.code, ended.out) == (2, "")
    assert "needs-confirmation" in ended.err
    assert "--yes" in ended.err
    assert not (tmp_path / "jobs").exists()
    assert trigger_process("init", "--yes").code == 0
    assert (tmp_path / "jobs" / "hello.py").exists()


def test_json(trigger: Trigger, tmp_path: Path) -> None:
    """--json says what was made, and lists the templates."""
    made = json.loads(trigger("init", str(tmp_path / "p"), "--json").out)
    assert made["template"] == "hello"
    assert "jobs/hello.py" in made["created"]
    listed = json.loads(trigger("init", "--list", "--json").out)["templates"]
    assert listed[0]["name"] == "hello"
    assert all(item["description"] for item in listed)


def test_unknown_template(trigger: Trigger, tmp_path: Path) -> None:
    """A misspelt template leads to the right one."""
    ended = trigger("init", str(tmp_path / "p"), "--template", "helo")
    assert ended.code == 2
    assert "did you mean 'hello'" in ended.err


@pytest.mark.parametrize(("answer", "written"), [("y\n", True), ("\n", False), ("n\n", False)])
def test_terminal_is_asked(tmp_path: Path, answer: str, written: bool) -> None:
    """On a terminal a folder with files is added to only after a yes."""
    (tmp_path / "app.py").write_text("mine")
    script = Path(sys.executable).with_name("trigger")
    leader, follower = pty.openpty()
    environment = {name: value for name, value in os.environ.items() if name != "CI"}
    with subprocess.Popen(
        [script, "init", "--template", "hello"],
        cwd=tmp_path,
        stdin=follower,
        stdout=follower,
        stderr=follower,
        env=environment,
    ) as process:
        os.close(follower)
        seen = b""
        while b"[y/N]" not in seen:
            assert select.select([leader], [], [], 30)[0], seen
            seen += os.read(leader, 4096)
        os.write(leader, answer.encode())
        try:
            while os.read(leader, 4096):
                pass
        except OSError:
            pass  # the other end is closed
        code = process.wait(30)
    os.close(leader)
    assert ((tmp_path / "jobs").exists(), code == 0) == (written, written)
