"""What tests of the Docker engine can ask for."""

from pathlib import Path

import pytest

from bundler.cache import Cache
from tests.rig.debian_image import DebianBase
from tests.rig.system_project import SystemProject


@pytest.fixture(scope="session")
def layer_cache(tmp_path_factory: pytest.TempPathFactory) -> Cache:
    """Return a cache of layers that tests share: packing them is not what they test."""
    return Cache(tmp_path_factory.mktemp("layers"))


@pytest.fixture
def system_project(tmp_path: Path, layer_cache: Cache, base_image: DebianBase) -> SystemProject:
    """Return a small project with dependencies."""
    return SystemProject(tmp_path / "project", layer_cache, base_image)
