"""Reads what a worker that did not come up left behind: its exit code, its stderr, a stack it dumped."""

from __future__ import annotations

import re
import signal
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Final

from devserver.errors import InterpreterTooOld, SdkMissing, WorkerCrashed, WorkerStuck
from devserver.interpreter import Interpreter
from trigger_sdk.protocol.problem import Problem
from trigger_sdk.protocol.project import Project

_NO_SDK: Final = re.compile(r"No module named '?trigger_sdk(\.worker)?'?")
_OLD_PYTHON: Final = re.compile(r"[Uu]nknown option:? -P")
_FRAME: Final = re.compile(r'^  File "(?P<file>.*)", line (?P<line>\d+) in (?P<function>.*)$')
_DUMP_HEAD: Final = re.compile(
    r"^(Current thread 0x[0-9a-f]+|Thread 0x[0-9a-f]+|Stack)( \[.*\])? \(most recent call first\):$|^Timeout \(.*\)!$"
)
_FATAL: Final = re.compile(r"^Fatal Python error: (?P<reason>.*)$")
_GAVE_UP: Final = 3
"""Exit code of a worker that cannot go on, such as after a refusal or a mistake of the server."""


@dataclass(frozen=True, slots=True, kw_only=True)
class StackFrame:
    """A frame of a dumped stack: file, line and function."""

    file: str
    line: int
    function: str


def split_dump(lines: Sequence[str]) -> tuple[list[StackFrame], list[str]]:
    """Part a dump of `faulthandler` from other lines; returns the frames, innermost first, and the other lines.

    Of several threads the frames of the last are first: `faulthandler` writes the main thread last.
    """
    threads: list[list[StackFrame]] = []
    others = []
    for line in lines:
        frame = _FRAME.match(line)
        if frame is not None and threads:
            threads[-1].append(StackFrame(file=frame["file"], line=int(frame["line"]), function=frame["function"]))
        elif _DUMP_HEAD.match(line):
            threads.append([])
        elif line or not threads:
            others.append(line)
    return [frame for thread in reversed(threads) for frame in thread], others


def place_in_project(frames: Sequence[StackFrame], project: Project) -> str:
    """Return the innermost place in the project's own code, ``jobs/a.py:3``; empty without one."""
    for frame in frames:
        path = Path(frame.file)
        if path.is_absolute() and project.is_project_file(path):
            shown = path.relative_to(project.root).as_posix() if path.is_relative_to(project.root) else frame.file
            return f"{shown}:{frame.line}"
    return ""


def stuck_problem(frames: Sequence[StackFrame], project: Project, seconds: float) -> Problem:
    """Return the problem of a worker that has been starting for ``seconds``; ``frames`` may be empty."""
    place = place_in_project(frames, project)
    at = f": {place} is being imported" if place else ""
    stack = "\n".join(f"{frame.file}:{frame.line} in {frame.function}" for frame in frames[:8])
    return WorkerStuck(
        f"the worker is not ready after {seconds:.0f} s{at}",
        detail=f"it is here now, innermost first:\n{stack}" if stack else "",
        hint="A module should only declare while it is imported; move what waits or computes into a task.",
        where=place,
    ).problem


def exit_words(code: int) -> str:
    """Return how a process ended, as the end of a sentence: ``was killed by SIGKILL``, ``ended with exit code 1``."""
    if code >= 0:
        return f"ended with exit code {code}"
    try:
        name = signal.Signals(-code).name
    except ValueError:
        name = f"signal {-code}"
    return f"was killed by {name}"


def explain_end(
    code: int, stderr: Sequence[str], *, ready: bool, interpreter: Interpreter, project: Project
) -> WorkerCrashed | SdkMissing | InterpreterTooOld:
    """Return the error of a worker that ended by itself; only after a crash can starting it again help.

    Args:
        code: its exit code; negative is the signal.
        stderr: the last lines it wrote past the session.
        ready: it was serving.
        interpreter: what it ran on.
        project: what it ran.
    """
    text = "\n".join(stderr)
    if not ready and code == 1 and _NO_SDK.search(text):
        return _no_sdk(interpreter)
    if not ready and _OLD_PYTHON.search(text):
        message = f"{interpreter.path} is older than Python 3.11 ({interpreter.origin})"
        hint = "Set python in the project's configuration to a Python 3.11 or newer, with trigger-sdk installed."
        return InterpreterTooOld(message, hint=hint, where=interpreter.path)
    frames, others = split_dump(stderr)
    fatal = next((found["reason"] for line in others if (found := _FATAL.match(line))), "")
    phase = "" if ready else " while it was starting"
    message = f"the worker {exit_words(code)}{phase}{f': {fatal}' if fatal else ''}"
    return WorkerCrashed(
        message,
        detail="\n".join(others[-20:]),
        hint=_crash_hint(code, ready=ready),
        where=place_in_project(frames, project),
    )


def _no_sdk(interpreter: Interpreter) -> SdkMissing:
    return SdkMissing(
        f"trigger-sdk is not installed for {interpreter.path} ({interpreter.origin})",
        hint=f"Install it there: {interpreter.path} -m pip install trigger-sdk",
        where=interpreter.path,
    )


def _crash_hint(code: int, *, ready: bool) -> str:
    if code == -signal.SIGKILL:
        return "If it was not you, it may have been the system, out of memory: see dmesg."
    if code < 0:
        return "A crash below Python: look at the libraries written in C that the jobs use."
    if ready and code == _GAVE_UP:
        return "It gave up by itself: what it and the server said before tells why."
    if ready:
        return "Something in the jobs ended the process: os._exit, or a library that does."
    return "Something ended the process while the project's modules were imported."
