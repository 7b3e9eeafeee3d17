"""Texts as a Dockerfile has them, so that they mean themselves to every builder.

A Dockerfile is read line by line, and a line may have 65535 bytes at most. A backslash at its end takes the next line
in; lines that begin with ``#`` are dropped even then. In double quotes, ``$``, ``"`` and the backslash are written with
a backslash. There is no way to write the end of a line in a value: it is taken from the argument :data:`LINE_END`.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from typing import Final

LINE_END: Final = "TRIGGER_LINE_END"
"""Name of the argument of a build whose value is the end of a line."""

ARGUMENTS: Final[Mapping[str, str]] = {LINE_END: "\n"}
"""Arguments of a build that has texts of several lines."""

_LONG: Final = 8_000
"""Characters of a line after which it is broken between two letters or digits."""

_LONGEST: Final = 12_000
"""Characters after which it is broken wherever that can be: with four bytes each, less than is allowed."""

_SPECIAL: Final = {'"': '\\"', "$": "\\$", "\\": "\\\\", "\n": f"${{{LINE_END}}}"}


def quoted(text: str) -> str:
    """Return a value for ENV and LABEL, in quotes, on as many lines as it needs."""
    return '"' + "\\\n".join(_broken([_SPECIAL.get(character, character) for character in text])) + '"'


def has_lines(*values: str) -> bool:
    """Return whether a text has more than one line, so that :data:`ARGUMENTS` are needed."""
    return any("\n" in value for value in values)


def _broken(parts: list[str]) -> Iterator[str]:
    """Yield lines of parts that stay whole.

    None ends with a part that a builder could take with the backslash after it, or begins with one that would make a
    comment of the line, or be trimmed.
    """
    line: list[str] = []
    length = 0
    for part in parts:
        if length >= _LONG and _may_break(line[-1], part, is_urgent=length >= _LONGEST):
            yield "".join(line)
            line, length = [], 0
        line.append(part)
        length += len(part)
    yield "".join(line)


def _may_break(before: str, behind: str, *, is_urgent: bool) -> bool:
    if is_urgent:
        return not (before.endswith("\\") or behind.isspace() or behind == "#")
    return before.isalnum() and behind.isalnum()
