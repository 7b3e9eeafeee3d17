"""Positions of the protocol to places in a text, and back.

The protocol counts lines and code units from 0, in an encoding that client and server agree on; the check counts rows
and characters from 1.
"""

from __future__ import annotations

import re
from bisect import bisect_right
from typing import TYPE_CHECKING, Final

from lsprotocol import types

if TYPE_CHECKING:
    from analyzer.model import Location

_LINE_END: Final = re.compile(r"\r\n|\r|\n")
"""Only these end a line: a form feed or U+2028 does not, though ``str.splitlines`` thinks so."""

_WIDE: Final = {types.PositionEncodingKind.Utf8: "utf-8", types.PositionEncodingKind.Utf16: "utf-16-le"}
_UNIT_BYTES: Final = {types.PositionEncodingKind.Utf8: 1, types.PositionEncodingKind.Utf16: 2}
_WIDEST: Final = {types.PositionEncodingKind.Utf8: 4, types.PositionEncodingKind.Utf16: 2}

Encoding = types.PositionEncodingKind


def units(text: str, encoding: Encoding) -> int:
    """Return the length of a text in code units."""
    if encoding == Encoding.Utf32 or text.isascii():
        return len(text)
    return len(text.encode(_WIDE[encoding], "surrogatepass")) // _UNIT_BYTES[encoding]


def characters(text: str, count: int, encoding: Encoding) -> int:
    """Return how many characters of a text make ``count`` code units; one that is cut belongs to them.

    A count past the end stands for the end, as the protocol has it.
    """
    if encoding == Encoding.Utf32 or text.isascii():
        return min(count, len(text))
    # No character has more units than the widest: only the rest is looked at one by one.
    sure = min(count // _WIDEST[encoding], len(text))
    used = units(text[:sure], encoding)
    while used < count and sure < len(text):
        used += units(text[sure], encoding)
        sure += 1
    return sure


class Lines:
    """The lines of one text.

    Args:
        text: the text.
        encoding: what the client counts in.
    """

    __slots__ = ("_mark", "_starts", "encoding", "text")

    def __init__(self, text: str, encoding: Encoding) -> None:
        self.text = text
        self.encoding = encoding
        self._starts = [0, *(match.end() for match in _LINE_END.finditer(text))]
        # The check does not see a byte order mark; in the editor's text it is the first character.
        self._mark = 1 if text.startswith("\ufeff") else 0

    def __len__(self) -> int:
        return len(self._starts)

    def line(self, number: int) -> str:
        """Return a line without its end; empty past the last. Lines count from 0."""
        if not 0 <= number < len(self._starts):
            return ""
        end = self._starts[number + 1] if number + 1 < len(self._starts) else len(self.text)
        return self.text[self._starts[number] : end].rstrip("\r\n")

    def offset(self, position: types.Position) -> int:
        """Return the index into the text."""
        if position.line >= len(self._starts):
            return len(self.text)
        line = self.line(position.line)
        return self._starts[position.line] + characters(line, position.character, self.encoding)

    def position_at(self, offset: int) -> types.Position:
        """Return the position of an index into the text."""
        number = bisect_right(self._starts, offset) - 1
        before = self.text[self._starts[number] : offset]
        return types.Position(line=number, character=units(before, self.encoding))

    def offset_of(self, row: int, column: int) -> int:
        """Return the index into the text of a place of the check: row and character, both from 1."""
        number = row - 1
        if number >= len(self._starts):
            return len(self.text)
        shift = self._mark if number == 0 else 0
        return self._starts[number] + min(column - 1 + shift, len(self.line(number)))

    def position(self, row: int, column: int) -> types.Position:
        """Return the position of a place of the check; what lies past an end stands for the end."""
        number = row - 1
        if number >= len(self._starts):
            return self.position_at(len(self.text))
        line = self.line(number)
        shift = self._mark if number == 0 else 0
        return types.Position(line=number, character=units(line[: column - 1 + shift], self.encoding))

    def place(self, position: types.Position) -> tuple[int, int]:
        """Return row and column of the check for a position."""
        shift = self._mark if position.line == 0 else 0
        column = characters(self.line(position.line), position.character, self.encoding) - shift
        return position.line + 1, max(column, 0) + 1

    def range(self, location: Location) -> types.Range:
        """Return the range of a location."""
        return types.Range(
            start=self.position(location.row, location.column), end=self.position(location.end_row, location.end_column)
        )

    def visible_range(self, location: Location) -> types.Range:
        """Return the range of a location; an empty one is widened by a character, so that it can be seen."""
        found = self.range(location)
        if (found.end.line, found.end.character) <= (found.start.line, found.start.character):
            found.end = self.position(location.row, location.column + 1)
        return found

    def edited(self, change: types.TextDocumentContentChangeEvent) -> str:
        """Return the text after an edit of the client."""
        if not isinstance(change, types.TextDocumentContentChangePartial):
            return change.text
        start, end = self.offset(change.range.start), self.offset(change.range.end)
        return f"{self.text[:start]}{change.text}{self.text[max(start, end) :]}"
