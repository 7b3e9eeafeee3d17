"""What `faulthandler` writes of an interpreter that hangs or crashes: where it was, thread by thread."""

from __future__ import annotations

import re
from dataclasses import dataclass
from typing import TYPE_CHECKING, Final

if TYPE_CHECKING:
    from collections.abc import Sequence

_FRAME: Final = re.compile(r'^  File "(?P<file>.*)", line (?P<line>\d+) in (?P<function>.*)$')
_THREAD: Final = re.compile(r"^(Current thread|Thread) 0x[0-9a-f]+.*\(most recent call first\):$")
_FATAL: Final = re.compile(r"^Fatal Python error: (?P<reason>.*)$")
_TIMEOUT: Final = re.compile(r"^Timeout \(.*\)!$")
_FOREIGN: Final = ("/site-packages/", "/dist-packages/", "/.")
_SHOWN: Final = 20


@dataclass(frozen=True, slots=True, kw_only=True)
class Dump:
    """A dump.

    Attributes:
        is_timeout: the time was up, rather than that something broke.
        fatal: what broke: ``Segmentation fault``; empty for a timeout.
        frames: file, line and function of the main thread's stack, innermost first.
    """

    is_timeout: bool
    fatal: str
    frames: tuple[tuple[str, int, str], ...]

    def place(self, root: str) -> str:
        """Return the innermost place in the project that lies in a folder, ``jobs/a.py:3``; empty without one."""
        for file, line, _ in self.frames:
            relative = file.removeprefix(f"{root}/")
            if relative != file and not any(part in f"/{relative}" for part in _FOREIGN):
                return f"{relative}:{line}"
        return ""

    def shown(self) -> str:
        """Return the stack for people, innermost first; without the frames of the import system and of the SDK."""
        kept = [
            f"{file}:{line} in {function}"
            for file, line, function in self.frames
            if not file.startswith("<frozen ") and "/importlib/" not in file and "/trigger_sdk/" not in file
        ]
        return "\n".join(kept[:_SHOWN])


def read_dump(lines: Sequence[str]) -> Dump | None:
    """Return what is dumped in lines, None when nothing is."""
    fatal = next((found["reason"] for line in lines if (found := _FATAL.match(line))), "")
    is_timeout = any(_TIMEOUT.match(line) for line in lines)
    if not fatal and not is_timeout:
        return None
    threads: list[list[tuple[str, int, str]]] = []
    crashed: list[tuple[str, int, str]] | None = None
    for line in lines:
        if _THREAD.match(line):
            threads.append([])
            crashed = threads[-1] if line.startswith("Current") else crashed
        elif threads and (frame := _FRAME.match(line)):
            threads[-1].append((frame["file"], int(frame["line"]), frame["function"]))
    # The main thread is written last.
    frames = crashed or (threads[-1] if threads else [])
    return Dump(is_timeout=is_timeout, fatal=fatal, frames=tuple(frames))
