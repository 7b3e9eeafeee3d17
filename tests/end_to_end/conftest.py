"""The project that is killed in these tests, and the service that counts what it does."""

import shutil
from collections.abc import Callable, Iterator
from pathlib import Path

import pytest

from tests.fakes.effects import Effects


@pytest.fixture
def chaos_project(repository: Path, tmp_path: Path) -> Callable[..., Path]:
    """Return what copies the project; ``wait_grace`` in seconds."""

    def copy(name: str = "chaos", wait_grace: float = 0.0) -> Path:
        ignored = shutil.ignore_patterns("__pycache__", ".trigger", ".ruff_cache")
        folder = tmp_path / name
        shutil.copytree(repository / "tests" / "projects" / "chaos", folder, ignore=ignored)
        config = folder / "trigger.toml"
        config.write_text(config.read_text().replace("wait_grace = 0", f"wait_grace = {wait_grace}"))
        return folder

    return copy


@pytest.fixture
def effects(tmp_path: Path) -> Iterator[Effects]:
    """Return the service that counts effects."""
    service = Effects(tmp_path)
    yield service
    service.close()
