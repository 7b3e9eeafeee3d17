"""Compiling a project ahead of time: what the worker finds is what it would have made."""

import os
import subprocess
import sys
from pathlib import Path

import pytest

from trigger_sdk import precompile
from trigger_sdk._runtime import bytecode_cache

SOURCE = b"import time\n\ndef body():\n    return time.time()\n"


def frame(content: bytes) -> bytes:
    """Return a frame of the protocol."""
    return len(content).to_bytes(4, "big") + content


def run(asked: bytes, **variables: str) -> subprocess.CompletedProcess[bytes]:
    """Run the program as a builder does."""
    return subprocess.run(
        [sys.executable, "-P", "-m", "trigger_sdk.precompile"],
        input=asked, capture_output=True, check=False, env={**os.environ, **variables},
    )  # fmt: skip


def test_cache_file_is_the_workers() -> None:
    """The path that the worker looks at, with a content that it takes for this source and no other."""
    ((path, content),) = precompile.precompiled(iter([("/app/jobs/a.py", SOURCE)]))
    assert path == bytecode_cache.cache_path("/app/jobs/a.py")
    code = bytecode_cache.unpack(content, SOURCE, "/app/jobs/a.py")
    assert code is not None
    assert code.co_filename == "/app/jobs/a.py"
    assert bytecode_cache.unpack(content, SOURCE + b"\n", "/app/jobs/a.py") is None


@pytest.mark.parametrize("source", [b"def (", b"\0", b"# coding: nonsense\n", b"x = " + b"(" * 5000])
def test_source_with_an_error_is_left_out(source: bytes) -> None:
    """The others are compiled."""
    pairs = [("/app/wrong.py", source), ("/app/right.py", SOURCE)]
    assert [path for path, _ in precompile.precompiled(iter(pairs))] == [bytecode_cache.cache_path("/app/right.py")]


def test_program_speaks_in_frames(tmp_path: Path) -> None:
    """Two pairs in, two out, the same bytes each time; a prefix for caches on this machine changes nothing."""
    asked = b"".join(
        map(frame, (b"/app/a.py", SOURCE, b"/app/wrong.py", b"def (", b"/app/b.py", b"x = {'a', 'b', 'c'}\n"))
    )
    done = run(asked, PYTHONHASHSEED="0")
    assert (done.returncode, done.stderr) == (0, b"")
    expected = b"/app/__pycache__/a."
    assert done.stdout[4 : 4 + len(expected)] == expected
    assert done.stdout.count(b"/app/__pycache__/") == 2
    again = run(asked, PYTHONHASHSEED="0", PYTHONPYCACHEPREFIX=str(tmp_path))
    assert again.stdout == done.stdout


def test_nothing_asked_is_nothing_answered() -> None:
    """A project without modules."""
    done = run(b"")
    assert (done.returncode, done.stdout) == (0, b"")
