"""A project made from a template by `trigger init`, and the parts of it that run."""

from __future__ import annotations

import json
import subprocess
import sys
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import httpx

from tests.fakes.dev_process import DevProcess
from tests.fakes.services_process import ServicesProcess
from trigger_sdk.protocol.states import FINAL_STATES


@dataclass(frozen=True, slots=True, kw_only=True)
class TemplateProject:
    """A project, its services, and `trigger dev` on it.

    Attributes:
        folder: the project's folder.
        services: what its jobs talk to.
        dev: the server and its worker.
    """

    folder: Path
    services: ServicesProcess
    dev: DevProcess

    def payload(self, name: str, **changes: object) -> Any:
        """Return a sample payload, with top-level fields replaced."""
        sample = json.loads((self.folder / "payloads" / f"{name}.json").read_text())
        return sample | changes if changes else sample

    def is_idle(self) -> bool:
        """Tell whether `trigger dev` answers, has a worker, and every run has ended."""
        try:
            runs = self.dev.request("GET", "/runs?limit=200").json()["runs"]
            return bool(self.dev.worker_pids()) and all(run["state"] in FINAL_STATES for run in runs)
        except (httpx.HTTPError, KeyError):
            return False

    def close(self) -> None:
        """End everything."""
        try:
            self.dev.close()
        finally:
            self.services.close()


def init_project(template: str, folder: Path) -> Path:
    """Make a project by `trigger init` and return its folder."""
    command = [sys.executable, "-P", "-m", "trigger_cli", "init", str(folder), "--template", template, "--yes"]
    made = subprocess.run(command, capture_output=True, text=True, timeout=60, check=False, stdin=subprocess.DEVNULL)
    assert made.returncode == 0, made.stdout + made.stderr
    return folder


def set_wait_grace(project: Path, seconds: float) -> None:
    """Set how long a waiting run stays in its worker."""
    config = project / "pyproject.toml"
    text = config.read_text()
    assert "[tool.trigger]\n" in text
    config.write_text(text.replace("[tool.trigger]\n", f"[tool.trigger]\nwait_grace = {seconds}\n"))
