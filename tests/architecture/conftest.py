"""The source of the whole house, read once."""

from pathlib import Path

import pytest

from tests.architecture.source import Module, read_modules


@pytest.fixture(scope="session")
def modules(repository: Path) -> list[Module]:
    """Return every module of every package that is shipped."""
    return read_modules(repository)
