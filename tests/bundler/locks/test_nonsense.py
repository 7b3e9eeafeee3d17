"""Locks of random structure: each is read, or refused as a problem; nothing else happens."""

import contextlib
import json
from pathlib import Path
from typing import Any

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from bundler.errors import BundlerError
from bundler.locks.pylock import pylock_of
from bundler.locks.requirements_file import requirements_of
from bundler.locks.selection import select
from bundler.locks.uv_lock import read_uv_lock
from bundler.model import Platform, Target

TARGET = Target(python=(3, 11), platform=Platform(architecture="amd64"))
TEXT = st.sampled_from([
    "a", "b", "1", "", "..", "https://h/a-1-py3-none-any.whl", "http://[", "sha256:" + "a" * 64, "extra == 'x'",
    "python_version < '3'", ".", "\0", "x" * 300, "a" * 64, "'x' in extras", "registry", "python_version < 'é'",
])  # fmt: skip
KEYS = st.sampled_from([
    "name", "version", "source", "registry", "git", "url", "path", "editable", "virtual", "dependencies", "marker",
    "extra", "wheels", "sdist", "hash", "size", "optional-dependencies", "dev-dependencies", "x", "index", "hashes",
    "sha256", "vcs", "archive", "directory", "type", "commit-id", "subdirectory",
])  # fmt: skip
LEAF = TEXT | st.integers(-1, 3) | st.booleans()
NODE = st.recursive(
    LEAF, lambda inner: st.lists(inner, max_size=3) | st.dictionaries(KEYS, inner, max_size=4), max_leaves=12
)
ENTRY = st.dictionaries(KEYS, NODE, max_size=6)


def toml(value: Any) -> str:
    """Return a value as inline TOML."""
    if isinstance(value, dict):
        return "{" + ", ".join(f'"{key}" = {toml(item)}' for key, item in value.items()) + "}"
    if isinstance(value, list):
        return "[" + ", ".join(map(toml, value)) + "]"
    return json.dumps(value)


@pytest.fixture(scope="module")
def folder(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Return an empty folder."""
    return tmp_path_factory.mktemp("nonsense")


def read(what: Any) -> None:
    """Run what reads, and allow for problems only."""
    with contextlib.suppress(BundlerError):
        what()


@given(entries=st.lists(ENTRY, max_size=4))
@settings(max_examples=150, suppress_health_check=[HealthCheck.too_slow])
def test_uv_lock_of_any_structure_is_read_or_refused(entries: list[dict[str, Any]], folder: Path) -> None:
    """With an entry for the project in front."""
    own = {"name": "own", "version": "1", "source": {"virtual": "."}, "dependencies": [{"name": "a"}]}
    path = folder / "uv.lock"
    path.write_text(f"version = 1\npackage = {toml([own, *entries])}\n")
    read(lambda: select(read_uv_lock(path, folder), TARGET))


@given(entries=st.lists(ENTRY, max_size=4))
@settings(max_examples=150, suppress_health_check=[HealthCheck.too_slow])
def test_pylock_of_any_structure_is_read_or_refused(entries: list[dict[str, Any]], folder: Path) -> None:
    """With a right version in front."""
    content = f'lock-version = "1.0"\npackages = {toml(entries)}\n'.encode()
    read(lambda: select(pylock_of(content, path=folder / "pylock.toml", project=folder), TARGET))


@given(text=st.text(st.sampled_from("ab=<>-- r@[]:;#\\\n'\"/.1e,~!*\0é"), max_size=60))
def test_requirements_of_any_text_are_read_or_refused(text: str, folder: Path) -> None:
    """Whatever stands in the lines."""
    read(lambda: requirements_of(text.encode(), folder / "r.txt"))
