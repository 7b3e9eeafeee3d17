"""Editors with the configuration that the page about editors shows, against the server that they start."""

from __future__ import annotations

import json
import os
import re
import shutil
import subprocess
import sys
from collections.abc import Callable
from pathlib import Path
from typing import Any, Final, NoReturn

import pytest

DRIVERS: Final = Path(__file__).parent / "editors"
_WITH_CONFIG: Final = (0, 11)
"""The first Neovim that takes the first of the page's snippets for it; older ones take the second."""

JOB: Final = """\
import time
import uuid

from rates import rate
from trigger_sdk import job


@job(id="convert")
async def convert(amount: float) -> str:
    time.sleep(3)
    print("größer", rate())
    return str(uuid.uuid4())
"""
FIXED: Final = JOB.replace("time.sleep(3)", "await sleep(3)").replace("import job", "import job, sleep")
HELPER: Final = "import requests\n\n\ndef rate():\n    return requests.get('https://rates.example').json()\n"


@pytest.fixture
def project(tmp_path: Path) -> Path:
    """Return a project whose job calls a helper in another file."""
    project = tmp_path / "project"
    (project / "jobs").mkdir(parents=True)
    (project / "trigger.toml").write_text('dirs = ["jobs"]\n', encoding="utf-8")
    (project / "jobs" / "convert.py").write_text(JOB, encoding="utf-8")
    (project / "rates.py").write_text(HELPER, encoding="utf-8")
    return project


def snippets(repository: Path, section: str, language: str) -> list[str]:
    """Return the snippets in a section of the page."""
    page = (repository / "docs/guides/editors.md").read_text(encoding="utf-8")
    text = page.split(f"\n## {section}\n")[1].split("\n## ")[0]
    return re.findall(rf"^```{language}\n(.*?)^```$", text, re.MULTILINE | re.DOTALL)


def run(command: list[str], project: Path) -> dict[str, Any]:
    """Run an editor without a screen, in a home without anything, and return what its driver wrote."""
    home = project.parent
    environment = {
        "PATH": f"{Path(sys.executable).parent}{os.pathsep}{os.environ['PATH']}",
        "HOME": str(home),
        "OUTCOME": str(home / "outcome.json"),
        "LANG": "C.UTF-8",
    }
    ended = subprocess.run(
        command, cwd=project, env=environment, stdin=subprocess.DEVNULL, capture_output=True, text=True, timeout=150,
        check=False,
    )  # fmt: skip
    assert (home / "outcome.json").exists(), ended.stderr
    outcome: dict[str, Any] = json.loads((home / "outcome.json").read_text(encoding="utf-8"))
    assert (project / "jobs" / "convert.py").read_text(encoding="utf-8") == JOB
    return outcome


def neovim_version(program: str) -> tuple[int, int]:
    """Return major and minor version."""
    said = subprocess.run([program, "--version"], capture_output=True, text=True, timeout=60, check=True).stdout
    found = re.search(r"v(\d+)\.(\d+)", said)
    assert found is not None, said
    return int(found[1]), int(found[2])


def test_neovim(missing_service: Callable[[str], NoReturn], repository: Path, project: Path) -> None:
    """Diagnostics, a fix, hover, the way to the effect, hints, and the unsaved text of another file."""
    program = shutil.which("nvim") or missing_service("neovim")
    recent, older = snippets(repository, "Neovim", "lua")
    init = project.parent / "init.lua"
    init.write_text(recent if neovim_version(program) >= _WITH_CONFIG else older, encoding="utf-8")
    driver = f"luafile {DRIVERS / 'neovim.lua'}"
    outcome = run([program, "--headless", "-i", "NONE", "-u", str(init), "jobs/convert.py", "-c", driver], project)
    assert "stuck" not in outcome, outcome["stuck"]
    assert "problem" not in outcome, outcome["problem"]
    assert outcome["found"] == "TRG101 TRG107 TRG202"
    assert outcome["action"] == "Sleep durably"
    assert f"{outcome['text']}\n" == FIXED
    assert "network-outside-task" in outcome["hover"]
    assert outcome["effect"] == (project / "rates.py").as_uri()
    assert outcome["hints"] == 1
    assert outcome["saved"] == "import requests"


def test_emacs(missing_service: Callable[[str], NoReturn], repository: Path, project: Path) -> None:
    """Diagnostics and a fix, by Eglot."""
    program = shutil.which("emacs") or missing_service("emacs")
    (snippet,) = snippets(repository, "Emacs and Sublime Text", "elisp")
    init = project.parent / "init.el"
    init.write_text(snippet, encoding="utf-8")
    outcome = run([program, "--batch", "-q", "--load", str(init), "--load", str(DRIVERS / "emacs.el")], project)
    assert outcome == {
        "found": "TRG101 TRG107 TRG202",
        "action": "Sleep durably",
        "left": "TRG101 TRG202",
        "text": FIXED,
    }
