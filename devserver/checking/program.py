"""The process of one check: ``python -m devserver.checking.program``, a request on its input, the answer on its output.

It gives way to the workers, ends with the dev server, and turns whatever goes wrong into an answer.
"""

from __future__ import annotations

import os
import sys
import threading
import traceback
from dataclasses import replace
from pathlib import Path
from typing import Final, NoReturn

import msgspec

from devserver.checking.messages import CheckAnswer, CheckRequest
from devserver.errors import CheckFailed

NICENESS: Final = 10
"""How far the check stands back: a worker that starts beside it gets nine tenths of a processor that they share."""

LOOK_S: Final = 1.0
"""Seconds between looks at whether the dev server still lives."""


def main() -> NoReturn:
    """Answer the request, and end without taking anything down in order: that takes longer than it is worth."""
    os.nice(NICENESS)
    request = msgspec.json.decode(sys.stdin.buffer.read(), type=CheckRequest)
    threading.Thread(target=_end_with, args=(request.parent,), daemon=True).start()
    answer = answer_to(request)
    sys.stdout.buffer.write(msgspec.json.encode(answer))
    sys.stdout.buffer.flush()
    os._exit(0)


def answer_to(request: CheckRequest) -> CheckAnswer:
    """Check, and return what to say; never raises for what is wrong with the project, its files or the check."""
    from trigger_sdk.protocol.errors import ProjectInvalid  # noqa: PLC0415 - it may be what is broken
    from trigger_sdk.protocol.problem import TriggerError  # noqa: PLC0415

    try:
        return _check(request)
    except ProjectInvalid:
        return CheckAnswer(memory=request.memory)  # whoever starts the worker says so
    except TriggerError as error:
        return CheckAnswer(memory=request.memory, failure=error.problem)
    except Exception as error:  # noqa: BLE001 - a bug of ours must not take more than this check
        return CheckAnswer(memory=request.memory, failure=_bug(error).problem)


def _check(request: CheckRequest) -> CheckAnswer:
    from analyzer.opening import open_session  # noqa: PLC0415
    from analyzer.output.view import View  # noqa: PLC0415
    from analyzer.settings import read_settings  # noqa: PLC0415
    from devserver.checking.story import tell  # noqa: PLC0415
    from devserver.text import Ink  # noqa: PLC0415
    from trigger_sdk.protocol.project import load_project  # noqa: PLC0415

    project = load_project(Path(request.root))
    if request.python:
        project = replace(project, python=request.python)
    settings = read_settings(project)
    if not settings.dev:
        return CheckAnswer(memory=request.memory, is_off=True)
    report = open_session(project, settings, environ=os.environ, import_path=sys.path).check()
    return tell(report, request, View(base=project.root, ink=Ink(enabled=request.is_coloured), unicode=True))


def _bug(error: Exception) -> CheckFailed:
    last = traceback.extract_tb(error.__traceback__)[-1]
    what = f"{type(error).__name__}: {error}" if str(error) else type(error).__name__
    return CheckFailed(f"the check ended with {what} ({Path(last.filename).name}:{last.lineno})")


def _end_with(parent: int) -> None:
    """End this process when the one that asked is gone."""
    wait = threading.Event()
    while os.getppid() == parent:
        wait.wait(LOOK_S)
    os._exit(1)


if __name__ == "__main__":
    main()
