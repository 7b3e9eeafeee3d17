"""Small job files, fixed."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from pathlib import Path

import pytest

from tests.fakes.fixing import fix_project
from tests.fakes.user_project import UserProject


@pytest.fixture
def fixed(tmp_path: Path) -> Callable[..., str]:
    """Return what fixes one job file until nothing changes, and returns its text."""
    counter = iter(range(1000))

    def run(text: str, *, unsafe: bool = False, **others: str) -> str:
        root = tmp_path.resolve() / f"project{next(counter)}"
        (root / "jobs").mkdir(parents=True)
        (root / "trigger.toml").write_text('dirs = ["jobs"]\n')
        for name, content in others.items():
            (root / f"{name}.py").write_text(content)
        file = root / "jobs" / "case.py"
        file.write_bytes(text.encode("utf-8"))
        fix_project(root, unsafe=unsafe)
        return file.read_bytes().decode("utf-8")

    return run


@pytest.fixture
def user(tmp_path: Path) -> Iterator[UserProject]:
    """Return a user's project in an empty folder."""
    folder = tmp_path.resolve() / "user"
    folder.mkdir()
    project = UserProject(folder)
    yield project
    project.close()
