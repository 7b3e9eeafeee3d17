"""What an interpreter is: asked once, and again when its file changes."""

import sys
from pathlib import Path

import pytest

from bundler.cache import Cache
from bundler.errors import InterpreterUnusable
from bundler.interpreter import read_interpreter


@pytest.fixture
def cache(tmp_path: Path) -> Cache:
    """Return an empty cache."""
    return Cache(tmp_path / "cache")


def test_own_interpreter_is_read(cache: Cache) -> None:
    """Version and implementation, the same when they are remembered."""
    first, second = (read_interpreter(Path(sys.executable), cache) for _ in range(2))
    assert first == second
    assert (first.version, first.implementation) == (sys.version_info[:2], sys.implementation.name)
    assert first.build == sys.version


def test_interpreter_is_asked_once_until_its_file_changes(tmp_path: Path, cache: Cache) -> None:
    """A script that counts how often it is run."""
    python, count = tmp_path / "python", tmp_path / "count"
    script = f'#!/bin/sh\necho x >> {count}\necho \'[[3, 11], "cpython", "build %s", "a70d0d0a"]\'\n'
    python.write_text(script % 1)
    python.chmod(0o755)
    assert [read_interpreter(python, cache).build for _ in range(2)] == ["build 1", "build 1"]
    python.write_text(script % "two")
    assert read_interpreter(python, cache).build == "build two"
    assert count.read_text() == "x\nx\n"


def test_interpreter_that_cannot_be_run_is_a_problem(tmp_path: Path, cache: Cache) -> None:
    """It is missing, ends with an error, or is no program."""
    with pytest.raises(InterpreterUnusable, match="cannot be run"):
        read_interpreter(tmp_path / "none", cache)
    broken = tmp_path / "python"
    broken.write_text("#!/bin/sh\necho broken >&2\nexit 4\n")
    broken.chmod(0o755)
    with pytest.raises(InterpreterUnusable, match="code 4") as raised:
        read_interpreter(broken, cache)
    assert "broken" in raised.value.problem.detail
    broken.chmod(0o644)
    with pytest.raises(InterpreterUnusable, match="cannot be run"):
        read_interpreter(broken, cache)
