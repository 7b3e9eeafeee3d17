"""Small projects for tests of the check."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from pathlib import Path

import pytest

from tests.fakes.checked_project import CheckedProject


@pytest.fixture
def project(tmp_path: Path) -> Callable[[Mapping[str, str | bytes]], CheckedProject]:
    """Make a project of files by path, below a folder of its own."""
    root = tmp_path.resolve() / "project"

    def make(files: Mapping[str, str | bytes]) -> CheckedProject:
        made = CheckedProject(root=root)
        made.write(files)
        return made

    return make
