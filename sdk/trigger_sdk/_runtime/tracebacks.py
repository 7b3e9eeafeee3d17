"""Tracebacks as users want them: their own lines and those of the libraries they call, without ours."""

from __future__ import annotations

import importlib
import traceback
from typing import TYPE_CHECKING

from trigger_sdk._runtime.frames import SDK_FOLDER

if TYPE_CHECKING:
    from collections.abc import Callable


def format_cleaned(error: BaseException) -> str:
    """Return the traceback of ``error``, its causes included, without frames of the SDK and of the import system."""
    report = traceback.TracebackException.from_exception(error)
    pending: list[traceback.TracebackException | None] = [report]
    while pending:
        part = pending.pop()
        if part is not None:
            kept = [frame for frame in part.stack if not _is_machinery(frame.filename)]
            part.stack = traceback.StackSummary.from_list(kept)
            pending += [part.__cause__, part.__context__, *(getattr(part, "exceptions", None) or ())]
    return "".join(report.format()).rstrip()


def _is_machinery(filename: str) -> bool:
    return filename == importlib.__file__ or filename.startswith((SDK_FOLDER, "<frozen importlib"))


def error_line(error: BaseException, is_project_file: Callable[[str], bool]) -> tuple[str, int] | None:
    """Return file and line in the project where ``error`` arose: of wrong syntax, or of the innermost frame there."""
    if isinstance(error, SyntaxError) and error.filename and error.lineno and is_project_file(error.filename):
        return error.filename, error.lineno
    lines = [
        (frame.f_code.co_filename, line)
        for frame, line in traceback.walk_tb(error.__traceback__)
        if is_project_file(frame.f_code.co_filename)
    ]
    return lines[-1] if lines else None
