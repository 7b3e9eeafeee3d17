"""Widths, cuts and safety of text that comes from elsewhere."""

from __future__ import annotations

import re
import unicodedata

_CONTROL = re.compile(r"[\x00-\x1f\x7f-\x9f\u200b-\u200f\u202a-\u202e\u2066-\u2069\ud800-\udfff]")
_ANSI = re.compile(r"\x1b\[[0-9;]*m")
_TAB_WIDTH = 4
_SHORT_ESCAPES = {"\n": "\\n", "\r": "\\r", "\t": "\\t", "\x1b": "\\x1b"}


def one_line(text: str) -> str:
    """Make text from elsewhere safe to print on one line.

    Control characters, escape sequences and those that reorder text become visible escapes: a job's name or a log line
    cannot move the cursor or recolour the terminal.
    """
    return _CONTROL.sub(lambda found: _SHORT_ESCAPES.get(found[0], f"\\u{ord(found[0]):04x}"), text)


def many_lines(text: str) -> list[str]:
    """Split text from elsewhere into lines that are safe to print; tabs become spaces."""
    return [one_line(line.expandtabs(_TAB_WIDTH)) for line in text.splitlines()]


def columns(text: str) -> int:
    """Return how many columns a terminal takes for the text, not counting colours."""
    text = _ANSI.sub("", text)
    if text.isascii():
        return len(text)
    return sum(_columns_of(char) for char in text)


def _columns_of(char: str) -> int:
    if unicodedata.combining(char):
        return 0
    return 2 if unicodedata.east_asian_width(char) in "WF" else 1


def cut(text: str, width: int, ellipsis: str = "…") -> str:
    """Cut uncoloured text to at most ``width`` columns, ending in an ellipsis when something is lost."""
    if columns(text) <= width:
        return text
    room = max(0, width - columns(ellipsis))
    kept, used = [], 0
    for char in text:
        used += _columns_of(char)
        if used > room:
            break
        kept.append(char)
    return ("".join(kept) + ellipsis)[: max(width, 0)]


def pad(text: str, width: int, *, right: bool = False) -> str:
    """Fill text with spaces up to ``width`` columns, on the left when it is to stand ``right``."""
    fill = " " * max(0, width - columns(text))
    return fill + text if right else text + fill
