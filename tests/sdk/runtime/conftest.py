"""A user's project to import from, and scopes to stand in."""

from collections.abc import Iterator
from pathlib import Path

import pytest

from tests.fakes.scope import FakeScope
from tests.fakes.user_project import UserProject


@pytest.fixture
def user(tmp_path: Path) -> Iterator[UserProject]:
    """Return a user's project in an empty folder."""
    folder = tmp_path.resolve() / "project"
    folder.mkdir()
    project = UserProject(folder)
    yield project
    project.close()


@pytest.fixture
def body() -> FakeScope:
    """Return the scope of a body that has recorded nothing yet."""
    return FakeScope()


@pytest.fixture
def in_task() -> FakeScope:
    """Return the scope of a task."""
    return FakeScope(in_body=False)
