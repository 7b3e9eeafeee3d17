"""Our own bugs: the traceback goes into a file, and the user hears where it is and what to do with it."""

from __future__ import annotations

import os
import platform
import sys
import tempfile
import traceback
from collections.abc import Sequence
from pathlib import Path

from trigger_sdk.protocol.problem import Problem
from trigger_sdk.protocol.version import VERSION


def save_crash(error: BaseException, argv: Sequence[str]) -> Problem:
    """Write the traceback to a new file in the temporary folder and return the problem to show.

    The file holds the command's name but not its arguments, which may hold what is private.
    """
    text = "".join(traceback.format_exception(error))
    command = " ".join(word for word in argv[:2] if word.isidentifier())
    report = (
        f"trigger {VERSION}, Python {platform.python_version()}, {platform.platform()}\n"
        f"command: trigger {command}\n\n{text}"
    )
    summary = traceback.format_exception_only(error)[-1].strip()
    try:
        handle, path = tempfile.mkstemp(prefix="trigger-crash-", suffix=".txt")
        with os.fdopen(handle, "w", encoding="utf-8") as file:
            file.write(report)
    except OSError:
        return Problem(code="internal-error", message=f"trigger has a bug: {summary}", detail=text, hint=_HINT)
    return Problem(
        code="internal-error",
        message=f"trigger has a bug: {summary}",
        where=path,
        hint=_HINT,
    )


_HINT = "please report it with that file; it holds the traceback and versions, none of your arguments or data"


def discard_output() -> None:
    """Point standard output at nothing, so that the interpreter's last flush cannot fail on a closed pipe."""
    with Path(os.devnull).open("w", encoding="utf-8") as nowhere:
        os.dup2(nowhere.fileno(), sys.stdout.fileno())
