"""What tests of layers can ask for."""

from pathlib import Path

import pytest

from bundler.cache import Cache
from bundler.layers.scheme import Scheme


@pytest.fixture
def cache(tmp_path: Path) -> Cache:
    """Return an empty cache."""
    return Cache(tmp_path / "cache")


@pytest.fixture
def scheme() -> Scheme:
    """Return the scheme of the official images of Python 3.11."""
    return Scheme.of_prefix("/usr/local", (3, 11))
