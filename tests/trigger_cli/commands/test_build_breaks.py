"""`trigger build` that breaks on the way (full disks, Ctrl-C, a reader that goes away), and how far it says it is."""

import contextlib
import fcntl
import os
import pty
import re
import resource
import select
import shutil
import signal
import socket
import struct
import subprocess
import termios
import time
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import NoReturn

import pytest

from tests.fakes.index import FakeIndex
from tests.fakes.processes import until
from tests.rig.build_command import BuildCommand

GATED = """\
import os
from pathlib import Path
from trigger_sdk import job

while Path(os.environ["GATE"]).exists():
    pass


@job(id="gated")
def gated() -> None: ...
"""
"""A module whose import takes as long as a file is there."""

MOUNTED = 'mount -t tmpfs -o "size=$1" tmpfs "$2" && shift 2 && exec "$@"'


def leftovers(build: BuildCommand) -> list[str]:
    """Return what a build has left beside the project, in its state and in the cache's place for unfinished things."""
    found = {path.name for path in build.folder.parent.iterdir()} - {"shop", "cache", "home", "base", "gate"}
    partial = [path.name for path in build.cache.rglob("partial/*")]
    indexing = [path.name for path in (build.folder / ".trigger/cache/index").glob("*")]
    return sorted([*found, *partial, *indexing])


def test_full_disk_of_the_cache_is_3(build: BuildCommand, missing_service: Callable[[str], NoReturn]) -> None:
    """A cache on a disk that is too small; with a larger one the build is right."""
    if shutil.which("unshare") is None or os.geteuid() != 0:
        missing_service("mounting")
    build.cache.mkdir()
    words = ["unshare", "--mount", "sh", "-c", MOUNTED, "sh", "1m", str(build.cache), *build.words(("-o", "oci:../o"))]
    done = subprocess.run(
        words, cwd=build.folder, env=build.environ(), capture_output=True, text=True, timeout=60, check=False
    )
    assert (done.returncode, done.stdout) == (3, ""), done.stderr
    assert "error: cache-full: the disk of the build cache is full" in done.stderr
    assert leftovers(build) == []
    assert build("-o", "oci:../o").code == 0


@pytest.mark.parametrize(("warm", "output", "code"), [
    (False, "oci:../o", "cache-unusable"), (True, "oci:../o", "output-failed"), (True, "tar:../o", "output-failed"),
])  # fmt: skip
def test_file_that_cannot_grow_is_3(build: BuildCommand, *, warm: bool, output: str, code: str) -> None:
    """A limit of the system for cache or output: nothing half is left, and without the limit the build is right."""
    if warm:
        build("-o", "tar:../warm")
        (build.folder.parent / "warm").unlink()
    most = 600_000  # less than the largest layer

    def limit() -> None:
        resource.setrlimit(resource.RLIMIT_FSIZE, (most, most))

    process = build.start("-o", output, preexec_fn=limit)
    out, err = process.communicate(timeout=60)
    assert (process.returncode, out) == (3, ""), err
    assert f"error: {code}:" in err
    assert "File too large" in err
    assert leftovers(build) in ([], [".o.partial"])  # what is in that is used by the next build
    assert not (build.folder.parent / "o/index.json").exists()
    assert build("-o", output).code == 0
    assert leftovers(build) == ["o"]


def test_interrupt_while_jobs_are_imported(build: BuildCommand) -> None:
    """Ctrl-C: exit code 130, nothing written, the import ended, and the next build is right."""
    gate = build.folder.parent / "gate"
    gate.touch()
    build.project.configure(f'env = {{ GATE = "{gate}" }}')
    build.project.write("jobs/gated.py", GATED)
    process = build.start("-o", "oci:../o", process_group=0)
    importing = until(lambda: children(process.pid), "the import of the jobs")
    os.killpg(process.pid, signal.SIGINT)
    out, err = process.communicate(timeout=30)
    assert (process.returncode, out, err) == (130, "", "")
    until(lambda: not any(Path(f"/proc/{pid}").exists() for pid in importing), "the import has ended")
    assert leftovers(build) == []
    gate.unlink()
    assert build("-o", "oci:../o").code == 0


def children(pid: int) -> list[int]:
    """Return the processes that a process has started for its jobs' import."""
    found = []
    for place in Path("/proc").iterdir():
        with contextlib.suppress(OSError):
            if place.name.isdecimal() and b"trigger_sdk.indexing" in (place / "cmdline").read_bytes():
                status = (place / "status").read_text()
                if f"PPid:\t{pid}\n" in status:
                    found.append(int(place.name))
    return found


@pytest.fixture
def silent_host() -> Iterator[socket.socket]:
    """Return a server that takes connections and never answers."""
    with socket.create_server(("127.0.0.1", 0)) as listening:
        listening.settimeout(60)
        yield listening


def test_interrupt_while_a_registry_does_not_answer(build: BuildCommand, silent_host: socket.socket) -> None:
    """Ctrl-C does not wait for it."""
    process = build.start("--repository", f"127.0.0.1:{silent_host.getsockname()[1]}/shop", process_group=0)
    with silent_host.accept()[0]:
        os.killpg(process.pid, signal.SIGINT)
        out, err = process.communicate(timeout=30)
    assert (process.returncode, out) == (130, "")
    assert "Traceback" not in err
    assert leftovers(build) == []


def test_interrupt_while_a_wheel_comes(build: BuildCommand) -> None:
    """Half a wheel is not kept."""
    with slow_wheel(build) as (index, path):
        process = build.start("-o", "oci:../o", env=build.environ(**environ_of(index)), process_group=0)
        until(lambda: ("trigger", path) in index.agents, "the wheel is asked for")
        os.killpg(process.pid, signal.SIGINT)
        out, err = process.communicate(timeout=30)
        assert (process.returncode, out) == (130, "")
        assert "Traceback" not in err
        assert leftovers(build) == []
        index.stall.clear()
        assert build("-o", "oci:../o", **environ_of(index)).code == 0


def test_standard_output_that_is_closed(build: BuildCommand) -> None:
    """Closed from the start: the image is there all the same. A reader that went away is no failure either."""
    for redirection, name in ((">&-", "closed"), ("| true", "gone")):
        line = f'"$@" {redirection}'
        done = subprocess.run(
            ["bash", "-c", f"set -o pipefail; {line}", "bash", *build.words(("-o", f"oci:../{name}"))],
            cwd=build.folder, env=build.environ(), capture_output=True, text=True, timeout=60, check=False,
        )  # fmt: skip
        assert (done.returncode, done.stdout) == (0, ""), done.stderr
        assert "Traceback" not in done.stderr
        assert (build.folder.parent / name / "index.json").exists()


def environ_of(index: FakeIndex) -> dict[str, str]:
    """Return the variables by which uv asks an index alone."""
    return {"UV_INDEX_URL": index.simple, "UV_NO_CONFIG": "1"}


@contextlib.contextmanager
def slow_wheel(build: BuildCommand) -> Iterator[tuple[FakeIndex, str]]:
    """Yield an index whose one wheel does not come further than half, and its path; uv needs its start alone."""
    build.project.unlock("websockets")
    with FakeIndex() as index:
        wheel = index.offer("websockets", "15.0", files={"websockets/large.bin": os.urandom(300_000)})
        path = f"/files/{wheel.filename}"
        index.stall.add(path)
        yield index, path


def test_progress_on_a_terminal_is_a_bar(build: BuildCommand) -> None:
    """For what takes longer than half a second; nothing of it is left, and nothing is on standard output."""
    ours, theirs = pty.openpty()
    fcntl.ioctl(theirs, termios.TIOCSWINSZ, struct.pack("HHHH", 24, 100, 0, 0))
    with slow_wheel(build) as (index, path):
        environ = build.environ(TERM="xterm", **environ_of(index))
        process = build.start("-o", "oci:../o", env=environ, stdin=theirs, stderr=theirs)
        os.close(theirs)
        shown = read_until(ours, b" MB")
        index.stall.discard(path)
        out, _ = process.communicate(timeout=60)
    shown += read_until(ours, b"")
    assert process.returncode == 0, shown
    assert out.count("\n") == 1
    assert b"fetch wheels" in shown
    assert re.search(rb"\d\.\d/\? MB", shown), shown  # the index does not say how large it is
    assert b"\x1b[?25h" in shown, "the cursor is shown again"


def read_until(terminal: int, wanted: bytes) -> bytes:
    """Read from a terminal until something is there, or to its end."""
    found = b""
    deadline = time.monotonic() + 30
    while not wanted or wanted not in found:
        assert time.monotonic() < deadline, found
        if select.select([terminal], [], [], 1)[0]:
            try:
                found += os.read(terminal, 65536)
            except OSError:  # nobody has the other end any more
                return found
    return found


def test_progress_elsewhere_is_a_line_each(build: BuildCommand) -> None:
    """With what it was, how much, and how long it took."""
    with slow_wheel(build) as (index, path):
        process = build.start("-o", "oci:../o", env=build.environ(**environ_of(index)))
        until(lambda: ("trigger", path) in index.agents, "the wheel is asked for")
        asked = time.monotonic()
        until(lambda: time.monotonic() > asked + 0.6, "more than half a second is over")
        index.stall.discard(path)
        out, err = process.communicate(timeout=60)
    assert process.returncode == 0, err
    lines = [line for line in err.splitlines() if line.startswith("fetch wheels")]
    assert len(lines) == 1, err
    assert lines[0].endswith(" s")
    assert "MB: " in lines[0]
    assert "\x1b" not in err
    assert out.count("\n") == 1
