"""What a process that indexes leaves behind: an index, problems, or a trace of how it ended. Read without trust."""

from __future__ import annotations

import json
import signal
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any, Final

from bundler.errors import BundlerError
from bundler.indexing.errors import IndexCrashed, IndexFailed, IndexTimedOut, IndexUnavailable
from bundler.indexing.model import Index
from bundler.indexing.stacks import Dump, read_dump
from trigger_sdk.protocol.problem import Problem

if TYPE_CHECKING:
    from collections.abc import Callable

_FAILED: Final = 3
_SIGNALED: Final = 128
"""Exit codes above are those of signals."""
_LINES_SHOWN: Final = 20
_LONGEST_LINE: Final = 500


@dataclass(frozen=True, slots=True, kw_only=True)
class Ending:
    """How a process ended, and what it left.

    Attributes:
        exit_code: of the process; 128 and more for a signal.
        answer: what it wrote as its answer.
        output: the last of what it wrote beside it.
        is_timed_out: it had to be ended.
        is_out_of_memory: the system ended it, for the memory that it took.
    """

    exit_code: int
    answer: bytes
    output: bytes
    is_timed_out: bool = False
    is_out_of_memory: bool = False


@dataclass(frozen=True, slots=True, kw_only=True)
class Setting:
    """Where a process ran.

    Attributes:
        interpreter: what ran it, for people.
        root: folder of the project there.
        seconds: that it was given.
        shown: returns a text with the paths that the user knows.
        install: how one gets the SDK there.
    """

    interpreter: str
    root: str
    seconds: float
    shown: Callable[[str], str]
    install: str


def read_answer(ending: Ending, setting: Setting) -> Index:
    """Return the index.

    Raises:
        IndexFailed: the jobs cannot be imported, or cannot be described.
        IndexTimedOut: that took too long.
        IndexCrashed: the process was ended.
        IndexUnavailable: it could not do it at all.
    """
    lines = ending.answer.decode("utf-8", "replace").splitlines()
    importing, last = _last(lines)
    if ending.exit_code == 0 and last is not None and not ending.is_timed_out:
        try:
            return Index.of(lines[-1].encode())
        except ValueError as error:
            message = f"the index that {setting.interpreter} made cannot be read: {error}"
            raise IndexUnavailable(message, hint=f"Use the trigger-sdk of this version. {setting.install}") from error
    if ending.exit_code == _FAILED and last is not None and (problems := _problems(last, setting)):
        raise IndexFailed.of(problems)
    dump = read_dump(lines)
    if ending.is_timed_out or (dump is not None and dump.is_timeout):
        raise _timed_out(dump, importing, setting)
    if not lines and (cause := _no_sdk(ending, setting)) is not None:
        raise cause
    raise _crashed(ending, dump, importing, setting)


def _last(lines: list[str]) -> tuple[str, dict[str, Any] | None]:
    """Return which module was imported at last, and the last line if it is an object and no news of an import."""
    importing, last = "", None
    for line in lines:
        try:
            value = json.loads(line)
        except (ValueError, RecursionError):
            value = None
        last = value if isinstance(value, dict) else None
        if last is not None and isinstance(last.get("importing"), str):
            importing, last = last["importing"], None
    return importing, last


def _problems(last: dict[str, Any], setting: Setting) -> list[Problem]:
    listed = last.get("problems")
    if not isinstance(listed, list):
        return []
    found = [Problem.from_dict(each) for each in listed if isinstance(each, dict)]
    return [
        Problem(
            code=each.code,
            message=setting.shown(each.message),
            detail=setting.shown(each.detail),
            hint=setting.shown(each.hint),
            where=setting.shown(each.where),
        )
        for each in found
    ]


def _timed_out(dump: Dump | None, importing: str, setting: Setting) -> IndexTimedOut:
    place = dump.place(setting.root) if dump is not None else ""
    at = f": it hangs at {place}" if place else f": it hangs in the import of {importing}" if importing else ""
    stack = setting.shown(dump.shown()) if dump is not None else ""
    return IndexTimedOut(
        f"the jobs are not imported after {setting.seconds:g} s{at}",
        detail=f"it is here, innermost first:\n{stack}" if stack else "",
        where=place,
    )


def _crashed(ending: Ending, dump: Dump | None, importing: str, setting: Setting) -> IndexCrashed:
    place = dump.place(setting.root) if dump is not None else ""
    during = f" while {importing} was imported" if importing else ""
    fatal = f": {dump.fatal}" if dump is not None and dump.fatal else ""
    killed = ending.is_out_of_memory or ending.exit_code == _SIGNALED + signal.SIGKILL
    hint = "Something in the modules ended the process: os._exit, or a library that does."
    if killed:
        hint = "It may have been the system, out of memory: load what is large in a task, not on import."
    elif ending.exit_code > _SIGNALED:
        hint = "A crash below Python: look at the libraries written in C that the jobs use."
    output = ending.output.decode("utf-8", "replace").splitlines()[-_LINES_SHOWN:]
    stack = dump.shown() if dump is not None else ""
    detail = "\n".join([*(line[:_LONGEST_LINE] for line in output), *([stack] if stack else [])])
    return IndexCrashed(
        f"the process that imports the jobs {_end_in_words(ending)}{during}{fatal}",
        detail=setting.shown(detail),
        hint=hint,
        where=place,
    )


def _end_in_words(ending: Ending) -> str:
    if ending.is_out_of_memory:
        return "ran out of memory"
    if ending.exit_code <= _SIGNALED:
        return f"ended with exit code {ending.exit_code}"
    number = ending.exit_code - _SIGNALED
    try:
        return f"was killed by {signal.Signals(number).name}"
    except ValueError:
        return f"was killed by signal {number}"


def _no_sdk(ending: Ending, setting: Setting) -> BundlerError | None:
    """Return what is wrong with an interpreter that did not even begin, None when nothing tells."""
    said = ending.output.decode("utf-8", "replace")
    if "No module named" in said and "trigger_sdk" in said:
        is_old = "No module named trigger_sdk.indexing" in said
        missing = "has a trigger-sdk that is too old to index" if is_old else "has no trigger-sdk"
        return IndexUnavailable(f"{setting.interpreter} {missing}", hint=setting.install, where=setting.interpreter)
    if "nknown option" in said and "-P" in said:
        message = f"{setting.interpreter} is older than Python 3.11"
        hint = "Set python in the project's configuration to a Python 3.11 or newer, with trigger-sdk installed."
        return IndexUnavailable(message, hint=hint, where=setting.interpreter)
    return None
