"""What tests of images can ask for."""

import shutil
import subprocess
from collections.abc import Callable
from pathlib import Path
from typing import NoReturn

import pytest

from bundler.cache import Cache


@pytest.fixture
def cache(tmp_path: Path) -> Cache:
    """Return an empty cache."""
    return Cache(tmp_path / "cache")


@pytest.fixture
def skopeo(missing_service: Callable[[str], NoReturn], tmp_path: Path) -> Callable[..., bytes]:
    """Return what runs skopeo and returns its output."""
    if shutil.which("skopeo") is None:
        missing_service("skopeo")

    def run(*arguments: str) -> bytes:
        command = ["skopeo", "--insecure-policy", "--tmpdir", str(tmp_path), *arguments]
        done = subprocess.run(command, capture_output=True, check=False, timeout=60)
        assert done.returncode == 0, done.stderr.decode()
        return done.stdout

    return run
