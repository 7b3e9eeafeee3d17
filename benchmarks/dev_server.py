"""`trigger dev` as the developer starts it, on a fresh copy of the project of the benchmarks."""

from __future__ import annotations

import json
import os
import shutil
import signal
import subprocess
import sys
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Final
from urllib.request import ProxyHandler, build_opener

from benchmarks.api import LOOK_S, Api
from benchmarks.figures import BenchmarkFailed
from benchmarks.process import children

PROJECT: Final = Path(__file__).resolve().parent / "project"
_READY_S: Final = 60.0
_STOP_S: Final = 20.0
_TAIL_LINES: Final = 15
_WORKER: Final = "trigger_sdk.worker"


class DevServer:
    """A running `trigger dev`.

    Attributes:
        url: where its API is.
        api: a client of it.
    """

    def __init__(self, project: Path, process: subprocess.Popen[bytes], log: Path) -> None:
        self._project = project
        self._process = process
        self._log = log
        self._open = build_opener(ProxyHandler({})).open
        self.url = ""
        self.api: Api
        self._connected = False

    @property
    def pid(self) -> int:
        """The server's process."""
        return self._process.pid

    @property
    def worker(self) -> int:
        """The worker's process. Raises BenchmarkFailed when there is none."""
        found = children(self.pid, _WORKER)
        if not found:
            raise BenchmarkFailed("there is no worker")
        return found[-1]

    def kill_worker(self) -> float:
        """End the worker with SIGKILL and wait until the server noticed; return when, in seconds since the epoch."""
        pid = self.worker
        killed_at = time.time()
        os.kill(pid, signal.SIGKILL)
        # The session is gone long before another worker has started.
        self._until(lambda: pid not in children(self.pid, _WORKER) and self._sessions() == 0, "a session's end")
        return killed_at

    def wait_ready(self) -> None:
        """Return when the server answers and has a session with a worker."""
        self._until(lambda: self._sessions() > 0, "trigger dev with a worker")
        if not self._connected:
            self.api = Api(self.url)
            self._connected = True

    def _sessions(self) -> int:
        try:
            self.url = json.loads((self._project / ".trigger" / "dev.json").read_text())["url"]
            with self._open(f"{self.url}/healthz", timeout=5) as answer:
                return int(json.load(answer)["workers"])
        except (OSError, ValueError):
            return 0

    def _until(self, holds: Callable[[], bool], what: str) -> None:
        deadline = time.monotonic() + _READY_S
        while not holds():
            if self._process.poll() is not None or time.monotonic() > deadline:
                raise BenchmarkFailed(f"waited in vain for {what}")
            time.sleep(LOOK_S)

    def last_words(self) -> str:
        """Return the last lines it printed."""
        return "\n".join(self._log.read_text(errors="replace").splitlines()[-_TAIL_LINES:])

    def stop(self) -> None:
        """End it, politely first."""
        if self._process.poll() is None:
            self._process.send_signal(signal.SIGTERM)
            try:
                self._process.wait(_STOP_S)
            except subprocess.TimeoutExpired:
                self._process.kill()
                self._process.wait()


@contextmanager
def dev_server(folder: Path, name: str) -> Iterator[DevServer]:
    """Start `trigger dev` with an empty database below ``folder``; it is ended with the block.

    Its output goes to a file, as it would go to a terminal.
    """
    project, log = folder / name, folder / f"{name}.log"
    shutil.copytree(PROJECT, project, ignore=shutil.ignore_patterns("__pycache__", ".trigger"))
    environment = {key: value for key, value in os.environ.items() if not key.startswith("TRIGGER_")}
    with log.open("wb") as output:
        process = subprocess.Popen(
            [sys.executable, "-P", "-m", "trigger_cli", "dev", "--port", "0"],
            cwd=project,
            env=environment,
            stdin=subprocess.DEVNULL,
            stdout=output,
            stderr=subprocess.STDOUT,
            start_new_session=True,
        )
    server = DevServer(project, process, log)
    try:
        server.wait_ready()
        yield server
    except (BenchmarkFailed, OSError, AssertionError) as error:
        raise BenchmarkFailed(f"{name}: {error}\n{server.last_words()}") from error
    finally:
        server.stop()
