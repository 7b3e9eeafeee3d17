"""Stretches of source text as single integers, and their conversion from the byte columns of ``ast``."""

from __future__ import annotations

from typing import TYPE_CHECKING, Final

from analyzer.model import Location

if TYPE_CHECKING:
    import ast
    from pathlib import Path

Span = int
"""A packed stretch: row (from 1), column (from 0), further rows, end column. 0 is no place."""

_COLUMN_BITS: Final = 14
_ROWS_BITS: Final = 12
_COLUMN_MAX: Final = (1 << _COLUMN_BITS) - 1
_ROWS_MAX: Final = (1 << _ROWS_BITS) - 1
_ROW_SHIFT: Final = 2 * _COLUMN_BITS + _ROWS_BITS


def pack(row: int, column: int, end_row: int, end_column: int) -> Span:
    """Return the integer for a stretch; columns over 16383 and heights over 4095 lines are cut there."""
    rows = end_row - row
    if column <= _COLUMN_MAX and end_column <= _COLUMN_MAX and rows <= _ROWS_MAX:  # nearly always: half a million calls
        return row << _ROW_SHIFT | column << (_COLUMN_BITS + _ROWS_BITS) | rows << _COLUMN_BITS | end_column
    return (
        row << _ROW_SHIFT
        | (min(_COLUMN_MAX, column)) << (_COLUMN_BITS + _ROWS_BITS)
        | (min(_ROWS_MAX, rows)) << _COLUMN_BITS
        | (min(_COLUMN_MAX, end_column))
    )


def row_of(span: Span) -> int:
    """Return the line on which a stretch begins, from 1."""
    return span >> _ROW_SHIFT


def end_row_of(span: Span) -> int:
    """Return the line on which a stretch ends, from 1."""
    return (span >> _ROW_SHIFT) + (span >> _COLUMN_BITS & _ROWS_MAX)


def location_of(span: Span, file: Path) -> Location:
    """Return the place for people: rows and columns from 1."""
    return Location(
        file=file,
        row=row_of(span),
        column=(span >> (_COLUMN_BITS + _ROWS_BITS) & _COLUMN_MAX) + 1,
        end_row=end_row_of(span),
        end_column=(span & _COLUMN_MAX) + 1,
    )


class Columns:
    """Converts the columns of ``ast``, which count bytes of UTF-8, to characters."""

    def __init__(self, text: str) -> None:
        self._lines: list[str] | None = None if text.isascii() else text.split("\n")
        self._wide: dict[int, bytes | None] = {}

    def span(self, node: ast.expr | ast.stmt | ast.excepthandler | ast.alias | ast.keyword | ast.arg) -> Span:
        """Return a node's stretch."""
        row, end_row = node.lineno, node.end_lineno or node.lineno
        column, end_column = node.col_offset, node.end_col_offset or node.col_offset
        if self._lines is not None:
            column = self._characters(row, column)
            end_column = self._characters(end_row, end_column)
        return pack(row, column, end_row, end_column)

    def _characters(self, row: int, offset: int) -> int:
        lines = self._lines
        if lines is None or row > len(lines):
            return offset
        if row not in self._wide:
            line = lines[row - 1]
            self._wide[row] = None if line.isascii() else line.encode("utf-8", "replace")
        wide = self._wide[row]
        return offset if wide is None else len(wide[:offset].decode("utf-8", "replace"))
