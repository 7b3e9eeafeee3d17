"""What tests of images can ask for."""

from pathlib import Path

import pytest

from bundler.cache import Cache


@pytest.fixture
def cache(tmp_path: Path) -> Cache:
    """Return an empty cache."""
    return Cache(tmp_path / "cache")
