"""The processes of the demo: the template's services, `trigger dev`, and the worker that gets killed."""

from __future__ import annotations

import contextlib
import json
import os
import signal
import subprocess
import sys
import time
from collections.abc import Callable, Iterator, Mapping
from pathlib import Path
from typing import TypeVar

from trigger_cli.errors import DemoFailed

T = TypeVar("T")

START_S = 30.0
"""Seconds within which a process must be ready."""
_STOP_S = 15.0
_LOOK_S = 0.02
_TAIL_LINES = 20
_WORKER = "trigger_sdk.worker"


def until(look: Callable[[], T | None], what: str, *, seconds: float, failed: Callable[[], str] = str) -> T:
    """Return what ``look`` finds, trying until it is not None.

    Args:
        look: returns None for "not yet".
        what: what is waited for, for the error's message.
        seconds: how long to try.
        failed: returns a reason to stop trying at once, or an empty text.

    Raises:
        DemoFailed: it did not come.
    """
    deadline = time.monotonic() + seconds
    while True:
        found = look()
        if found is not None:
            return found
        reason = failed()
        if reason:
            raise DemoFailed(f"{what} did not happen", detail=reason)
        if time.monotonic() > deadline:
            raise DemoFailed(f"{what} did not happen within {seconds:g} s")
        time.sleep(_LOOK_S)


@contextlib.contextmanager
def started(
    command: list[str], *, folder: Path, log: Path, env: Mapping[str, str]
) -> Iterator[subprocess.Popen[bytes]]:
    """Run a process in ``folder`` with its output in ``log``; it is asked to end (SIGTERM) afterwards, then made to."""
    with log.open("wb") as output:
        process = subprocess.Popen(
            command, cwd=folder, env=dict(env), stdin=subprocess.DEVNULL, stdout=output, stderr=subprocess.STDOUT
        )
    try:
        yield process
    finally:
        stop(process)


def stop(process: subprocess.Popen[bytes]) -> None:
    """End a process: politely, then for certain."""
    if process.poll() is None:
        process.terminate()
        try:
            process.wait(_STOP_S)
        except subprocess.TimeoutExpired:
            process.kill()
            process.wait()


def tail(log: Path) -> str:
    """Return the last lines of a log."""
    with contextlib.suppress(OSError):
        return "\n".join(log.read_text(encoding="utf-8", errors="replace").splitlines()[-_TAIL_LINES:])
    return ""


@contextlib.contextmanager
def services(folder: Path) -> Iterator[str]:
    """Run the template's services; gives their URL."""
    log = folder / "services.log"
    command = [sys.executable, "-m", "services", "--port", "0", "--fresh"]
    with started(command, folder=folder, log=log, env=os.environ) as process:

        def look() -> str | None:
            words = log.read_text(encoding="utf-8").split()
            return next((word for word in words if word.startswith("http://")), None)

        yield until(look, "the start of the services", seconds=START_S, failed=lambda: _ended(process, log))


@contextlib.contextmanager
def dev(folder: Path, port: int, services_url: str) -> Iterator[tuple[subprocess.Popen[bytes], str]]:
    """Run `trigger dev` on the project; gives its process and URL."""
    log = folder / "dev.log"
    command = [sys.executable, "-P", "-m", "trigger_cli", "dev", "--port", str(port), "--no-reload", "--plain"]
    env = {name: value for name, value in os.environ.items() if name != "TRIGGER_API_URL"}
    env |= {"SERVICES_URL": services_url, "NO_COLOR": "1"}
    with started(command, folder=folder, log=log, env=env) as process:
        state = folder / ".trigger" / "dev.json"

        def look() -> str | None:
            with contextlib.suppress(OSError, ValueError, KeyError, TypeError):
                return str(json.loads(state.read_bytes())["url"])
            return None

        url = until(look, "the start of `trigger dev`", seconds=START_S, failed=lambda: _ended(process, log))
        yield process, url


def _ended(process: subprocess.Popen[bytes], log: Path) -> str:
    """Return how a process that should go on has ended; empty while it goes on."""
    code = process.poll()
    return "" if code is None else f"it ended with {code}:\n{tail(log)}"


def kill_worker(server: int) -> int:
    """Send SIGKILL to the worker of a `trigger dev` and return its process id.

    Args:
        server: process id of the `trigger dev`.

    Raises:
        DemoFailed: it has no worker.
    """
    table = _processes()
    family = {server}
    grown = True
    while grown:
        members = {pid for pid, (parent, _) in table.items() if parent in family}
        grown = not members <= family
        family |= members
    workers = [pid for pid in sorted(family) if pid != server and _WORKER in table.get(pid, (0, ""))[1]]
    if not workers:
        raise DemoFailed("`trigger dev` has no worker to kill")
    os.kill(workers[-1], signal.SIGKILL)
    return workers[-1]


def _processes() -> dict[int, tuple[int, str]]:
    """Return parent and command line of every process, from /proc where there is one, else from ps."""
    proc = Path("/proc")
    if not (proc / "self" / "stat").exists():
        listing = subprocess.run(["ps", "-axo", "pid=,ppid=,command="], capture_output=True, text=True, check=True)
        rows = [line.split(None, 2) for line in listing.stdout.splitlines()]
        return {int(row[0]): (int(row[1]), row[2]) for row in rows if len(row) == 3}  # noqa: PLR2004 - three fields asked for
    found = {}
    for folder in proc.iterdir():
        if folder.name.isdigit():
            with contextlib.suppress(OSError, IndexError, ValueError):
                # The name in parentheses may hold spaces: the fields begin after the last one.
                fields = (folder / "stat").read_text().rpartition(")")[2].split()
                command = (folder / "cmdline").read_bytes().replace(b"\0", b" ").decode(errors="replace")
                found[int(folder.name)] = (int(fields[1]), command)
    return found
