"""What tests of locks can ask for: an index on this machine, and projects that uv locks from it."""

from collections.abc import Callable, Iterator
from pathlib import Path
from typing import NoReturn

import pytest

from bundler.model import Platform, Target
from tests.fakes.index import FakeIndex
from tests.fakes.locking import Locked, uv_program


@pytest.fixture
def index() -> Iterator[FakeIndex]:
    """Return an index that listens."""
    with FakeIndex() as running:
        yield running


@pytest.fixture
def target() -> Target:
    """Return Python 3.11 on amd64."""
    return Target(python=(3, 11), platform=Platform(architecture="amd64"))


@pytest.fixture
def locked(tmp_path: Path, index: FakeIndex, missing_service: Callable[[str], NoReturn]) -> Locked:
    """Return what makes projects and locks them with uv."""
    if (uv := uv_program()) is None:
        missing_service("uv")
    return Locked(folder=tmp_path / "project", index=index, uv=uv)
