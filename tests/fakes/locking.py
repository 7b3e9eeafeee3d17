"""Projects that are locked by uv, from an index on this machine and with no other."""

import os
import shutil
import subprocess
import sys
from dataclasses import dataclass
from pathlib import Path

from tests.fakes.index import FakeIndex


def uv_program() -> str | None:
    """Return uv: the one beside this interpreter, or that on PATH."""
    beside = Path(sys.executable).parent / "uv"
    return str(beside) if beside.exists() else shutil.which("uv")


@dataclass(frozen=True, kw_only=True)
class Locked:
    """A project folder, the index it is locked from, and uv."""

    folder: Path
    index: FakeIndex
    uv: str

    @property
    def environ(self) -> dict[str, str]:
        """Return uv's variables: no cache, no configuration and no index but ours."""
        kept = {key: value for key, value in os.environ.items() if not key.startswith(("UV_", "PIP_"))}
        ours = {
            "UV_DEFAULT_INDEX": self.index.simple, "UV_NO_CONFIG": "1", "UV_NO_CACHE": "1",
            "UV_PYTHON": sys.executable, "UV_PYTHON_DOWNLOADS": "never", "UV_NO_PROGRESS": "1",
        }  # fmt: skip
        return {**kept, **ours}

    def run(self, *arguments: str) -> str:
        """Run uv in the project and return what it prints."""
        run = subprocess.run(
            [self.uv, *arguments], cwd=self.folder, env=self.environ, capture_output=True, text=True, timeout=60,
            check=False,
        )  # fmt: skip
        assert run.returncode == 0, run.stderr
        return run.stdout

    def write(self, pyproject: str, place: str = "") -> Path:
        """Write a pyproject.toml."""
        path = self.folder / place / "pyproject.toml"
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_text(pyproject)
        return path

    def lock(self, pyproject: str) -> Path:
        """Write the project, lock it and return the lock."""
        self.write(pyproject)
        self.run("lock")
        return self.folder / "uv.lock"
