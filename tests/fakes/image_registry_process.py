"""A registry of the executor in a process of its own, which can be killed, on a disk that can be full."""

from __future__ import annotations

import os
import subprocess
import sys
from pathlib import Path

from tests.fakes import image_registry_program

ROOT = Path(image_registry_program.__file__ or "").resolve().parents[2]
_MOUNT = 'mount -t tmpfs -o size="$1" tmpfs "$2" && shift 2 && exec "$@"'


class ImageRegistryProcess:
    """The process; ``host`` is where it listens once it is started.

    Args:
        folder: what it keeps.
        disk_bytes: the size of a disk in memory that is mounted at the folder, for this process alone; 0 for none.
    """

    def __init__(self, folder: Path, *, disk_bytes: int = 0) -> None:
        self._folder = folder
        self._disk_bytes = disk_bytes
        self._process: subprocess.Popen[str] | None = None
        self.host = ""

    def start(self) -> ImageRegistryProcess:
        """Start it; it answers when this returns."""
        self._folder.mkdir(exist_ok=True)
        program = [sys.executable, "-P", str(image_registry_program.__file__), str(self._folder)]
        if self._disk_bytes:
            disk = ["unshare", "--mount", "sh", "-c", _MOUNT, "sh", str(self._disk_bytes), str(self._folder)]
            program = [*disk, *program]
        self._process = subprocess.Popen(
            program, stdout=subprocess.PIPE, text=True, env={**os.environ, "PYTHONPATH": str(ROOT)}
        )
        assert self._process.stdout is not None
        self.host = self._process.stdout.readline().strip()
        assert self.host, "the registry did not start"
        return self

    def kill(self) -> None:
        """End it at once."""
        if self._process is not None:
            self._process.kill()
            self._process.wait()
            if self._process.stdout is not None:
                self._process.stdout.close()
            self._process = None
