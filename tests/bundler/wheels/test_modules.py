"""Which modules wheels bring."""

from pathlib import Path

import pytest

from bundler.cache import Cache
from bundler.model import Wheel
from bundler.wheels.modules import modules_of
from tests.fakes.zips import made_wheel

FILES = {
    "yaml": ["yaml/__init__.py", "yaml/reader.py", "_yaml/__init__.py", "yaml-1.0.dist-info/METADATA"],
    "google-auth": ["google/auth/__init__.py", "google/auth/crypt/rsa.py", "google/oauth2/__init__.py"],
    "google-storage": ["google/cloud/storage/__init__.py", "google/cloud/_lone.py"],
    "six": ["six.py", "six-1.0.data/scripts/run.py", "tools/not-a-module.py"],
    "fast": ["_fast.cpython-311-x86_64-linux-gnu.so", "fast-1.0.data/platlib/faster/__init__.py", "README.md"],
}


@pytest.fixture
def wheels(tmp_path: Path) -> list[Wheel]:
    """Return the wheels of :data:`FILES`."""
    return [made_wheel(tmp_path, name.replace("-", "_"), dict.fromkeys(files, b"")) for name, files in FILES.items()]


def test_modules_are_named_by_their_topmost_package(tmp_path: Path, wheels: list[Wheel]) -> None:
    """Folders that several distributions fill are told apart, and what is no module is left out."""
    expected = {
        "yaml": "yaml", "_yaml": "yaml",
        "google.auth": "google-auth", "google.oauth2": "google-auth",
        "google.cloud.storage": "google-storage", "google.cloud._lone": "google-storage",
        "six": "six", "_fast": "fast", "faster": "fast",
    }  # fmt: skip
    cache = Cache(tmp_path / "cache")
    assert modules_of(wheels, cache) == expected
    for wheel in wheels:
        wheel.path.unlink()
    assert modules_of(wheels, cache) == expected  # remembered
