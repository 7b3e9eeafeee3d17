"""The keys of the project's configuration: what each may hold, and what is said when it does not."""

from __future__ import annotations

import difflib
import math
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any, Final, Literal

from trigger_sdk.protocol.errors import ProjectInvalid
from trigger_sdk.protocol.limits import DEFAULT_WAIT_GRACE_S
from trigger_sdk.protocol.problem import Problem

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping
    from pathlib import Path

GuardMode = Literal["error", "warn", "off"]
"""What happens when a body has a side effect: it raises, a line is logged, nothing."""

DEFAULT_DIRS: Final = ("jobs",)


@dataclass(frozen=True, slots=True, kw_only=True)
class Settings:
    """The configuration as written, checked, with its defaults; see :class:`.project.Project` for the meanings."""

    name: str = ""
    dirs: tuple[str, ...] = DEFAULT_DIRS
    source_roots: tuple[str, ...] | None = None
    python: str | None = None
    guard: GuardMode = "error"
    wait_grace: float = DEFAULT_WAIT_GRACE_S
    concurrency: int = 1000
    task_threads: int = 64


DEFAULTS: Final = Settings()


class _Wrong(Exception):
    """A value does not fit: what was expected, and a hint."""

    def __init__(self, expected: str, hint: str) -> None:
        super().__init__(expected)
        self.expected = expected
        self.hint = hint


def _text(value: object) -> str:
    if not isinstance(value, str) or not value.strip():
        raise _Wrong("text", "Put the text in quotes.")
    return value


def _paths(value: object) -> tuple[str, ...]:
    if isinstance(value, str):
        raise _Wrong("a list of paths", f'Write it as a list: ["{value}"].')
    if not isinstance(value, list) or not value:
        raise _Wrong("a list of paths", 'Name at least one folder, such as ["jobs"].')
    if not all(isinstance(entry, str) and entry.strip() for entry in value):
        raise _Wrong("a list of paths", 'Each entry is a path in quotes, such as "jobs".')
    return tuple(dict.fromkeys(entry.rstrip("/") or "/" for entry in value))


def _guard(value: object) -> GuardMode:
    if value in ("error", "warn", "off"):
        return value
    hint = 'Write "error", "warn" or "off".'
    if isinstance(value, bool):
        hint = f'Write "{"error" if value else "off"}" for that.'
    raise _Wrong('"error", "warn" or "off"', hint)


def _seconds(value: object) -> float:
    if isinstance(value, bool) or not isinstance(value, int | float):
        raise _Wrong("a number of seconds", "Write a number without quotes or unit, such as 5 or 0.5.")
    if not 0 <= value < math.inf:
        raise _Wrong("a number of seconds, 0 or more", "Write 0 to leave the worker at once.")
    return float(value)


def _count(value: object) -> int:
    if isinstance(value, bool) or not isinstance(value, int) or value < 1:
        raise _Wrong("a whole number, 1 or more", "Write a number without quotes, such as 100.")
    return value


_KEYS: Final[Mapping[str, Callable[[object], Any]]] = {
    "name": _text,
    "dirs": _paths,
    "source_roots": _paths,
    "python": _text,
    "guard": _guard,
    "wait_grace": _seconds,
    "concurrency": _count,
    "task_threads": _count,
}
"""Every key, and what reads its value."""

_OF_OTHERS: Final = frozenset(("bundle", "check"))
"""Tables below ours that a tool of the house reads and checks itself: `trigger check`, and `trigger build`."""


def read_settings(table: object, *, file: Path, prefix: str) -> Settings:
    """Check a table of the configuration.

    Args:
        table: the TOML table as parsed.
        file: where it stands, for the messages.
        prefix: dotted path of the table in the file, ``tool.trigger``; empty at the top level.

    Raises:
        ProjectInvalid: with one problem for each key that is unknown or does not fit.
    """
    if not isinstance(table, dict):
        raise ProjectInvalid(
            f"{prefix} in {file.name} is {_kind(table)}, and must be a table",
            hint=f"Write [{prefix}] on a line of its own, and the keys below it.",
            where=file.name,
        )
    values: dict[str, Any] = {}
    problems: list[Problem] = []
    for key, value in table.items():
        where = f"{file.name}: {f'{prefix}.{key}' if prefix else key}"
        if key in _OF_OTHERS:
            continue
        read = _KEYS.get(key)
        if read is None:
            problems.append(_unknown(key, value, file, prefix, where))
            continue
        try:
            values[key] = read(value)
        except _Wrong as wrong:
            message = f"{key} in {file.name} must be {wrong.expected}, and is {_kind(value)}"
            problems.append(Problem(code=ProjectInvalid.code, message=message, hint=wrong.hint, where=where))
    if problems:
        raise ProjectInvalid.of(problems)
    return Settings(**values)


def _unknown(key: str, value: object, file: Path, prefix: str, where: str) -> Problem:
    hint = f"The keys are {', '.join(_KEYS)}."
    close = difflib.get_close_matches(key.replace("-", "_").lower(), [*_KEYS, *sorted(_OF_OTHERS)], n=1, cutoff=0.6)
    if close:
        hint = f"Did you mean {close[0]}?"
    elif not prefix and isinstance(value, dict) and key in {"tool", "trigger"}:
        hint = f"In {file.name} the keys stand at the top, without a table around them."
    return Problem(code=ProjectInvalid.code, message=f"{file.name} has no key {key!r}", hint=hint, where=where)


def _kind(value: object) -> str:
    """Return the value as the user wrote it, or what it is."""
    if isinstance(value, bool):
        return str(value).lower()
    if isinstance(value, str | int | float):
        return repr(value)
    if isinstance(value, list):
        return "a list" if value else "an empty list"
    return "a table" if isinstance(value, dict) else type(value).__name__
