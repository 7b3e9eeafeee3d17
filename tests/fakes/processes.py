"""Processes that a test starts, kills and looks into: each carries a mark, so that none outlives its test."""

from __future__ import annotations

import contextlib
import os
import signal
import time
from collections.abc import Callable
from pathlib import Path
from typing import TypeVar

T = TypeVar("T")

MARK = "TRIGGER_TEST_MARK"
"""Environment variable by which the processes of one test are known, their children included."""


def until(look: Callable[[], T | None], what: str, *, timeout: float = 30.0) -> T:
    """Look until there is something to see and return it; raises AssertionError after ``timeout`` seconds."""
    deadline = time.monotonic() + timeout
    while True:
        seen = look()
        if seen:
            return seen
        if time.monotonic() > deadline:
            message = f"not within {timeout:g} s: {what}"
            raise AssertionError(message)
        time.sleep(0.01)  # noqa: TID251 - between two looks at a condition with a deadline


def environment(mark: str, **more: str) -> dict[str, str]:
    """Return this process's environment with a mark, without what would lead a child astray, and with ``more``."""
    astray = ("http_proxy", "https_proxy", "all_proxy", "pythonpath", "trigger_api_url", "services_url", "virtual_env")
    kept = {name: value for name, value in os.environ.items() if name.lower() not in astray}
    return kept | {MARK: mark, "NO_COLOR": "1", "COLUMNS": "120", "PYTHONUNBUFFERED": "1"} | more


def marked(mark: str, *, command: str = "") -> list[int]:
    """Return the ids of living processes with a mark, and with ``command`` in their command line, oldest first."""
    needle = f"{MARK}={mark}".encode()
    found = []
    for folder in Path("/proc").iterdir():
        if not folder.name.isdigit() or int(folder.name) == os.getpid():
            continue
        with contextlib.suppress(OSError):
            line = (folder / "cmdline").read_bytes().replace(b"\0", b" ").decode(errors="replace")
            # An exited process that nobody waited for has no command line.
            if line and command in line and needle in (folder / "environ").read_bytes().split(b"\0"):
                found.append(int(folder.name))
    return sorted(found)


def kill(pids: list[int]) -> None:
    """End processes with SIGKILL; one that is gone is fine."""
    for pid in pids:
        with contextlib.suppress(ProcessLookupError):
            os.kill(pid, signal.SIGKILL)
