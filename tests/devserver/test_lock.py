"""One dev server per project, found by its file, and a crash leaves nothing that is in the way."""

import json
import os
import signal
import subprocess
import sys
from collections.abc import Iterator
from contextlib import suppress
from pathlib import Path

import pytest

from devserver.errors import DevAlreadyRunning, StateFolderUnusable
from devserver.lock import DevInfo, DevLock, read_info

HOLD = """
import sys, pathlib
from devserver.lock import DevInfo, DevLock
lock = DevLock.acquire(pathlib.Path(sys.argv[1]))
if sys.argv[2:]:
    import os
    lock.publish(DevInfo(url=sys.argv[2], pid=os.getpid(), token="t"))
print("held", flush=True)
sys.stdin.read()
"""

URL = "http://127.0.0.1:8734"


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    """Return where a project's state goes; it does not exist yet."""
    return tmp_path / ".trigger"


def hold(folder: Path, *url: str) -> subprocess.Popen[str]:
    """Start a process that holds the lock."""
    process = subprocess.Popen(
        [sys.executable, "-c", HOLD, folder, *url], stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True
    )
    assert process.stdout is not None
    assert process.stdout.readline() == "held\n"
    return process


@pytest.fixture
def holder(folder: Path) -> Iterator[subprocess.Popen[str]]:
    """Return a process that holds the lock and wrote down where it is."""
    with hold(folder, URL) as process:
        yield process
        process.kill()


def test_second_server_is_refused_by_name(folder: Path, holder: subprocess.Popen[str]) -> None:
    """The problem says where the first one is and how to stop it."""
    with pytest.raises(DevAlreadyRunning) as refused:
        DevLock.acquire(folder)
    assert URL in refused.value.message
    assert f"pid {holder.pid}" in refused.value.message
    assert refused.value.problem.hint.endswith(f"kill {holder.pid}")


def test_server_that_is_starting_is_named_by_pid(folder: Path) -> None:
    """Before it wrote down its address, or with a file left by one that crashed, the pid is known all the same."""
    folder.mkdir()
    (folder / "dev.json").write_text(json.dumps({"url": URL, "pid": 1, "token": "old"}))
    with hold(folder) as process:
        with pytest.raises(DevAlreadyRunning, match=f"starting.*pid {process.pid}"):
            DevLock.acquire(folder)
        process.kill()


def test_lock_is_free_after_sigkill(folder: Path, holder: subprocess.Popen[str]) -> None:
    """A crash leaves files, and they are no obstacle."""
    holder.send_signal(signal.SIGKILL)
    holder.wait()
    lock = DevLock.acquire(folder)
    lock.publish(DevInfo(url=URL, pid=os.getpid(), token="new"))
    assert read_info(folder) == DevInfo(url=URL, pid=os.getpid(), token="new")
    lock.release()


def test_release_frees_and_removes_the_address(folder: Path) -> None:
    """After an orderly end nobody is sent to a server that is gone; the next one can start."""
    lock = DevLock.acquire(folder)
    lock.publish(DevInfo(url=URL, pid=1, token="t"))
    lock.release()
    lock.release()
    assert read_info(folder) is None
    DevLock.acquire(folder).release()


def test_lock_is_not_inherited(folder: Path) -> None:
    """A worker that outlives the server does not hold the lock."""
    lock = DevLock.acquire(folder)
    with subprocess.Popen(["sleep", "60"], close_fds=False) as child:
        lock.release()
        DevLock.acquire(folder).release()
        child.kill()


def test_address_is_private(folder: Path) -> None:
    """The file holds the workers' token: only its user reads it."""
    lock = DevLock.acquire(folder)
    lock.publish(DevInfo(url=URL, pid=1, token="t"))
    assert (folder / "dev.json").stat().st_mode & 0o777 == 0o600
    lock.release()


def test_folder_keeps_itself_out_of_the_repository(folder: Path) -> None:
    """Git ignores all of it, whatever the project's own .gitignore says."""
    DevLock.acquire(folder).release()
    assert (folder / ".gitignore").read_text() == "*\n"


@pytest.mark.parametrize("text", ["", "{", "[]", '{"url": 1}', '{"url": "x", "pid": "y", "token": "z"}'])
def test_damaged_address_is_no_address(folder: Path, text: str) -> None:
    """Whatever stands in the file, reading it raises nothing."""
    folder.mkdir()
    (folder / "dev.json").write_text(text)
    assert read_info(folder) is None


def test_file_in_the_way_is_named(folder: Path) -> None:
    """A file called .trigger is a problem with a hint."""
    folder.write_text("")
    with pytest.raises(StateFolderUnusable, match=r"\.trigger cannot be written") as refused:
        DevLock.acquire(folder)
    assert "Move" in refused.value.problem.hint


@pytest.fixture
def mounted(tmp_path: Path) -> Iterator[Path]:
    """Return a tiny file system of its own."""
    folder = tmp_path / "disk"
    folder.mkdir()
    if (
        os.geteuid() != 0
        or subprocess.run(
            ["mount", "-t", "tmpfs", "-o", "size=64k", "tmpfs", folder], capture_output=True, timeout=60, check=False
        ).returncode
    ):
        pytest.skip("mounting needs root")
    yield folder
    subprocess.run(["umount", "--lazy", folder], check=True, timeout=60)


def test_read_only_project_is_a_problem(mounted: Path) -> None:
    """The folder is named, and what to do."""
    subprocess.run(["mount", "-o", "remount,ro", mounted], check=True, timeout=60)
    with pytest.raises(StateFolderUnusable, match="Read-only") as refused:
        DevLock.acquire(mounted / ".trigger")
    assert "writable" in refused.value.problem.hint


def test_full_disk_is_a_problem(mounted: Path) -> None:
    """A disk without room is named as that, wherever the writing stops."""
    with suppress(OSError):
        (mounted / "ballast").write_bytes(b"x" * 1024 * 1024)
    with pytest.raises(StateFolderUnusable, match="No space") as refused:
        DevLock.acquire(mounted / ".trigger").publish(DevInfo(url=URL, pid=1, token="t" * 100_000))
    assert "room" in refused.value.problem.hint
