"""Text for a terminal: colours, safety, and problems as lines."""

from __future__ import annotations

import re
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Final, TextIO

from trigger_sdk.protocol.problem import Problem

_CONTROL: Final = re.compile(r"[\x00-\x1f\x7f-\x9f\u200b-\u200f\u2028-\u202e\u2066-\u2069]")
_ANY_COLOUR: Final = re.compile(r"\x1b\[[0-9;]*m")
_SHORT: Final = {"\r": "\\r", "\n": "\\n", "\x1b": "\\x1b"}
_TAB: Final = 4


@dataclass(frozen=True, slots=True, kw_only=True)
class Ink:
    """Colours text, or leaves it as it is when not ``enabled``. No meaning is carried by colour alone."""

    enabled: bool

    def paint(self, code: str, text: str) -> str:
        """Return the text in the colour of an SGR code (``31``, ``1;31``)."""
        return f"\x1b[{code}m{text}\x1b[0m" if self.enabled and text.strip() else text

    def bold(self, text: str) -> str:
        """Return the text in bold."""
        return self.paint("1", text)

    def dim(self, text: str) -> str:
        """Return the text faint."""
        return self.paint("2", text)

    def red(self, text: str) -> str:
        """Return the text in red: failures."""
        return self.paint("31", text)

    def green(self, text: str) -> str:
        """Return the text in green: success."""
        return self.paint("32", text)

    def yellow(self, text: str) -> str:
        """Return the text in yellow: what needs attention."""
        return self.paint("33", text)

    def cyan(self, text: str) -> str:
        """Return the text in cyan: hints."""
        return self.paint("36", text)


def wants_colour(stream: TextIO | None, environ: Mapping[str, str]) -> bool:
    """Decide: NO_COLOR beats FORCE_COLOR beats whether the stream is a terminal (TERM=dumb is none)."""
    if environ.get("NO_COLOR"):
        return False
    forced = environ.get("FORCE_COLOR", "")
    if forced:
        return forced != "0"
    try:
        return stream is not None and stream.isatty() and environ.get("TERM") != "dumb"
    except ValueError:
        return False


def safe_lines(text: str, *, colours: bool = False) -> list[str]:
    """Split text from elsewhere into lines that cannot move the cursor; at least one.

    Args:
        text: anything.
        colours: keep the text's own colours, and end them with the line; otherwise they are taken out.
    """
    if text.isascii() and text.isprintable():
        return [text]
    lines = []
    for line in text.removesuffix("\n").split("\n"):
        # A progress bar overwrites its line: what it left is what counts.
        last = line.rstrip("\r").rpartition("\r")[2]
        parts = _ANY_COLOUR.split(last.expandtabs(_TAB))
        if colours and len(parts) > 1:
            marks = _ANY_COLOUR.findall(last)
            lines.append("".join(_escaped(part) + mark for part, mark in zip(parts, [*marks, "\x1b[0m"], strict=True)))
        else:
            lines.append("".join(map(_escaped, parts)))
    return lines


def _escaped(text: str) -> str:
    return _CONTROL.sub(lambda found: _SHORT.get(found[0], f"\\u{ord(found[0]):04x}"), text)


def problem_lines(problem: Problem, ink: Ink, *, label: str = "error") -> list[str]:
    """Return a problem as lines: what is wrong, where, details, and what to do."""
    first, *more = safe_lines(problem.message)
    paint = ink.red if label == "error" else ink.yellow
    lines = [f"{paint(ink.bold(f'{label}:'))} {ink.bold(_escaped(problem.code))}: {first}", *(f"  {m}" for m in more)]
    if problem.where:
        lines.append(f"  {ink.dim('where:')} {_escaped(problem.where)}")
    if problem.detail:
        lines += [f"  {line}" for line in safe_lines(problem.detail)]
    if problem.hint:
        first, *more = safe_lines(problem.hint)
        lines.append(f"  {ink.cyan('hint:')} {first}")
        lines += [f"        {line}" for line in more]
    return lines
