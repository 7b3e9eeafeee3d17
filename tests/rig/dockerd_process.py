"""A Docker engine of the tests' own: its socket, data, network and containers are nobody else's."""

from __future__ import annotations

import contextlib
import os
import shutil
import signal
import socket
import subprocess
import tempfile
import time
from collections.abc import Iterator
from pathlib import Path
from typing import Any

PROGRAMS = ("dockerd", "containerd", "runc", "setpriv", "unshare")
"""What is needed on PATH: packages docker.io (with containerd and runc), util-linux."""

_PATIENCE = 30.0
_MOUNT = 'mkdir -p "$1" && mount -t tmpfs -o size=6g tmpfs "$1" && shift && exec "$@"'


def missing_programs() -> list[str]:
    """Return which programs are not on PATH."""
    return [program for program in PROGRAMS if shutil.which(program) is None]


class DockerdProcess:
    """The process. Its containers have no network: the machine's rules for packets are left alone.

    Args:
        in_memory: whether what it stores lies in memory, and is gone when it ends; quicker by seconds.
    """

    def __init__(self, *, in_memory: bool = False) -> None:
        # A socket's path has at most 107 characters: pytest's own folders are too deep.
        self.folder = Path(tempfile.mkdtemp(prefix="dockerd-"))
        self.socket = self.folder / "docker.sock"
        self._drivers: tuple[str, ...] = ("overlay2", "vfs")  # the second where the kernel refuses the first
        # In a namespace of its own: the memory is given back however the engine ends.
        self._before = ("unshare", "--mount", "sh", "-c", _MOUNT, "sh", str(self.folder / "data")) * in_memory
        self._namespace = self.folder.name.encode().hex()  # a folder's name may have what a namespace's must not
        self._process: subprocess.Popen[bytes] | None = None

    @property
    def address(self) -> str:
        """Where it listens, as ``DOCKER_HOST`` has it."""
        return f"unix://{self.socket}"

    @property
    def log(self) -> str:
        """What it has said so far."""
        return (self.folder / "log").read_text(errors="replace")

    def start(self) -> DockerdProcess:
        """Start it, or start it again; it answers when this returns."""
        for driver in self._drivers:
            self._process = self._started(driver)
            if self._answers():
                self._drivers = (driver,)
                return self
            self.stop()
        raise AssertionError(f"dockerd does not start:\n{self.log}")

    def stop(self) -> None:
        """End it, as a machine that shuts down does; containers end too."""
        if self._process is None:
            return
        if self._process.poll() is None:
            self._process.send_signal(signal.SIGTERM)
            with contextlib.suppress(subprocess.TimeoutExpired):
                self._process.wait(timeout=15)
        self._process.kill()
        self._process.wait()
        self._end_containerd()
        self._process = None

    def kill(self) -> None:
        """End it at once, without a chance to tell anybody, with its containerd and what runs in its containers."""
        assert self._process is not None
        self._process.kill()
        self._process.wait()
        self._end_containerd()
        self._process = None

    def close(self) -> None:
        """End it and remove what it stored."""
        self.stop()
        _unmount(self.folder)
        shutil.rmtree(self.folder, ignore_errors=True)

    def load(self, archive: Path) -> None:
        """Take in an archive of ``docker save``."""
        with self.asked() as client, archive.open("rb") as stream:
            for _ in client.load_image(stream, quiet=True):
                pass

    def containers(self) -> list[str]:
        """Return the names of all containers, whether they run or not."""
        with self.asked() as client:
            return [str(each["Names"]) for each in client.containers(all=True)]

    def images(self) -> list[str]:
        """Return the ids of all images that are no mere steps of others."""
        with self.asked() as client:
            return [str(each["Id"]) for each in client.images()]

    @contextlib.contextmanager
    def asked(self) -> Iterator[Any]:
        """Yield a client of the docker SDK, for what a test asks behind the tested code's back."""
        import docker  # slow, and only who starts an engine needs it

        client = docker.APIClient(base_url=self.address, version="auto")
        try:
            yield client
        finally:
            client.close()

    def _started(self, driver: str) -> subprocess.Popen[bytes]:
        log = (self.folder / "log").open("wb")
        with log:
            return subprocess.Popen(
                # It ends with the process of the tests, however that ends.
                ["setpriv", "--pdeathsig", "TERM", *self._before, "dockerd",
                 "--host", self.address, "--group", str(os.getgid()),
                 "--data-root", str(self.folder / "data"), "--exec-root", str(self.folder / "exec"),
                 "--pidfile", str(self.folder / "pid"), "--storage-driver", driver,
                 "--containerd-namespace", self._namespace,
                 "--containerd-plugins-namespace", f"{self._namespace}.plugins",
                 "--bridge", "none", "--iptables=false", "--ip6tables=false", "--ip-forward=false", "--ip-masq=false",
                 "--userland-proxy=false"],
                stdout=log, stderr=log, stdin=subprocess.DEVNULL, cwd=self.folder,
            )  # fmt: skip

    def _answers(self) -> bool:
        assert self._process is not None
        deadline = time.monotonic() + _PATIENCE
        while self._process.poll() is None and time.monotonic() < deadline:
            with socket.socket(socket.AF_UNIX) as asking, contextlib.suppress(OSError):
                asking.settimeout(5)
                asking.connect(str(self.socket))
                asking.sendall(b"GET /_ping HTTP/1.0\r\n\r\n")
                if asking.recv(64).startswith(b"HTTP/1.0 200"):
                    return True
            subprocess.run(["sleep", "0.05"], check=True)
        return False

    def _end_containerd(self) -> None:
        """End what a killed engine leaves: its containerd, and the processes that keep containers."""
        for pid in _processes_of(str(self.folder)):
            with contextlib.suppress(ProcessLookupError):
                os.kill(pid, signal.SIGKILL)
        # Whoever inherits a killed process may be slow to collect it; the next engine would take it for alive.
        (self.folder / "exec/containerd/containerd.pid").unlink(missing_ok=True)


def _processes_of(folder: str) -> Iterator[int]:
    """Yield the processes whose command names a folder, and those of the containers that they keep."""
    for place in Path("/proc").iterdir():
        if not place.name.isdecimal() or int(place.name) == os.getpid():
            continue
        with contextlib.suppress(OSError):
            command = (place / "cmdline").read_bytes().split(b"\0")
            if command[0].rpartition(b"/")[2].startswith(b"containerd") and folder.encode() in b" ".join(command):
                yield from _children(int(place.name))
                yield int(place.name)


def _children(pid: int) -> Iterator[int]:
    with contextlib.suppress(OSError):
        for task in Path(f"/proc/{pid}/task").iterdir():
            for child in (task / "children").read_text().split():
                yield from _children(int(child))
                yield int(child)


def _unmount(folder: Path) -> None:
    """Take away what a killed engine has left mounted."""
    mounts = [line.split()[1] for line in Path("/proc/mounts").read_text().splitlines()]
    for place in sorted((mount for mount in mounts if mount.startswith(str(folder))), reverse=True):
        subprocess.run(["umount", "--lazy", place], check=False, capture_output=True)
