"""The guard: a side effect that a job's body causes itself, outside any task, is stopped and named.

The interpreter's audit events tell of files, sockets, processes and databases as they are opened; for what has no event
(starting a thread, sending on a socket that is already open) the methods of the standard library are replaced by
descriptors that look at the scope when they are fetched (:mod:`trigger_sdk._runtime.guarded_methods`). Outside bodies
both look up one context variable and do nothing more.

An effect counts when, from the call outwards, the first frame that decides is one of the project's. It does not count
when a frame of ours comes first, or one of what may work lazily behind any line of code: imports, reading sources for a
traceback, log handlers, time zones, installed packages' data files, finalizers.
"""

from __future__ import annotations

import logging
import os
import sys
import threading
from typing import TYPE_CHECKING, Any, Final

from trigger_sdk._runtime.effects import EFFECTS, describe, is_harmless_path, works_lazily
from trigger_sdk._runtime.frames import SDK_FOLDER, Place, is_user_file, place_of, stack
from trigger_sdk._runtime.scope import current_scope
from trigger_sdk.errors import REMEDY_ASYNC, REMEDY_SYNC, SideEffectOutsideTask

if TYPE_CHECKING:
    from collections.abc import Callable
    from pathlib import Path
    from types import FrameType

    from trigger_sdk.protocol.project_keys import GuardMode
    from trigger_sdk.protocol.project_model import Project

_scope_here = current_scope.get
_logger = logging.getLogger("trigger_sdk.guard")


class Guard:
    """Judges effects for one project.

    Args:
        mode: ``error`` raises, ``warn`` logs each line once, ``off`` lets everything pass.
        root: the project's folder; lines are shown relative to it.
        is_project_file: tells the project's sources by file name.
    """

    def __init__(self, *, mode: GuardMode, root: Path | None, is_project_file: Callable[[str], bool]) -> None:
        self.mode = mode
        self._root = root
        self._is_project_file = is_project_file
        self._warned: set[tuple[str, str]] = set()
        self._busy = threading.local()

    def judge(self, effect: str, frame: FrameType | None, *, remedy: str = "") -> None:
        """Raise or warn when ``effect``, caused under ``frame``, is the body's own doing."""
        if self.mode == "off" or getattr(self._busy, "judging", False):
            return
        self._busy.judging = True
        try:
            place = self._culprit(frame)
            if place is not None:
                self._stop(effect, place, remedy)
        finally:
            self._busy.judging = False

    def _culprit(self, frame: FrameType | None) -> Place | None:
        """Return the line of the project that caused what happens in ``frame``, or None when it is nobody's fault."""
        for caller in stack(frame):
            file = caller.f_code.co_filename
            if file.startswith(SDK_FOLDER) or works_lazily(caller):
                return None
            if self._is_project_file(file):
                return place_of(caller)
        return None

    def _stop(self, effect: str, place: Place, remedy: str) -> None:
        where = place.relative_to(self._root) if self._root is not None else place.where
        advice = remedy or (REMEDY_ASYNC if place.in_coroutine else REMEDY_SYNC)
        if self.mode == "error":
            raise SideEffectOutsideTask.at(effect, where=where, remedy=advice)
        if (effect, where) not in self._warned:
            self._warned.add((effect, where))
            _logger.warning("%s: the job's body called %s outside a task. %s", where, effect, advice)


class _Active:
    """Which guard is on in this process. An audit hook cannot be taken off, so it asks here."""

    guard: Guard | None = None
    hooked: bool = False


_DEFAULT: Final = Guard(mode="error", root=None, is_project_file=is_user_file)
"""For recorded calls that are refused before a project's guard is installed, as in a test."""


def install(project: Project) -> None:
    """Guard the bodies of ``project`` in this process, in the mode that it configures."""
    from trigger_sdk._runtime.guarded_methods import guard_methods

    _Active.guard = Guard(mode=project.guard, root=project.root, is_project_file=project.is_project_file)
    guard_methods(judge_here)
    if not _Active.hooked:
        _Active.hooked = True
        sys.addaudithook(_audit)


def uninstall() -> None:
    """Let everything pass again; the hook itself stays, inert."""
    from trigger_sdk._runtime.guarded_methods import restore_methods

    _Active.guard = None
    restore_methods()


def refuse(effect: str, *, remedy: str = "") -> None:
    """Treat ``effect`` as one the body must not cause: raise, warn or pass by the project's mode. Call it in a body."""
    guard = _Active.guard or _DEFAULT
    frame: FrameType | None = sys._getframe(1)  # noqa: SLF001 - one's own stack, without inspect's cost
    while frame is not None and frame.f_code.co_filename.startswith(SDK_FOLDER):
        frame = frame.f_back
    guard.judge(effect, frame, remedy=remedy)


def judge_here(effect: str, frame: FrameType) -> None:
    """Judge an effect that a guarded method is about to cause in a body, called from ``frame``."""
    if _Active.guard is not None:
        _Active.guard.judge(effect, frame)


def _audit(event: str, args: tuple[Any, ...]) -> None:
    # Called for every audit event of the process: the first line is what all others pay.
    scope = _scope_here()
    if scope is None or event not in EFFECTS or not scope.in_body:
        return
    guard = _Active.guard
    if guard is None or (event in {"open", "os.listdir", "os.scandir"} and _is_harmless(event, args)):
        return
    guard.judge(describe(event, args), sys._getframe(1))  # noqa: SLF001 - as above


def _is_harmless(event: str, args: tuple[Any, ...]) -> bool:
    path = args[0] if args else None
    if isinstance(path, int):
        return True  # a descriptor that is open already
    writes = event == "open" and _opens_for_writing(args)
    return is_harmless_path(os.fsdecode(path), writes=writes) if isinstance(path, str | bytes) else False


def _opens_for_writing(args: tuple[Any, ...]) -> bool:
    mode, flags = (*args[1:3], None, None)[:2]
    if isinstance(mode, str):
        return any(letter in mode for letter in "wax+")
    return bool(isinstance(flags, int) and flags & (os.O_WRONLY | os.O_RDWR | os.O_CREAT | os.O_TRUNC))
