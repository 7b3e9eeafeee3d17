"""One file's text as fixes see it: positions, line ends, the syntax tree, and the way down to a node.

Rows and columns are those of :class:`analyzer.model.Location`: a carriage return, a line feed or both end a line, and a
byte order mark does not count.
"""

from __future__ import annotations

import ast
import re
import warnings
from collections import Counter
from dataclasses import dataclass
from functools import cached_property
from itertools import pairwise
from pathlib import Path
from typing import Final

from analyzer.fixes.bindings import bound_in_module
from analyzer.model import Edit, Location

BOM: Final = "\ufeff"
_LINE_END: Final = re.compile(r"\r\n|\r|\n")
_WORD: Final = re.compile(r"\w+")
_CUT_COLUMNS: Final = 1 << 14
_CUT_ROWS: Final = (1 << 12) - 1

Node = ast.expr | ast.stmt | ast.excepthandler | ast.alias | ast.keyword | ast.arg
"""What has a place of its own."""


@dataclass(frozen=True, slots=True)
class Found:
    """A node, and what it stands in.

    Attributes:
        node: the node.
        above: its ancestors, from the module down to its parent.
    """

    node: ast.AST
    above: tuple[ast.AST, ...]

    @property
    def parent(self) -> ast.AST:
        """The innermost ancestor."""
        return self.above[-1]

    def up(self, steps: int = 1) -> Found:
        """Return the ancestor so many steps up."""
        return Found(self.above[-steps], self.above[:-steps])

    @property
    def function(self) -> ast.FunctionDef | ast.AsyncFunctionDef | ast.Lambda | None:
        """The innermost function it stands in; None at the module's and a class's level."""
        for node in reversed(self.above):
            if isinstance(node, ast.FunctionDef | ast.AsyncFunctionDef | ast.Lambda):
                return node
            if isinstance(node, ast.ClassDef):
                return None
        return None

    @property
    def statement(self) -> Found:
        """The innermost statement that it is, or stands in."""
        current = self
        while not isinstance(current.node, ast.stmt):
            current = current.up()
        return current

    @property
    def outermost(self) -> ast.AST:
        """The module's statement in which it stands."""
        return self.above[1] if len(self.above) > 1 else self.node


class Source:
    """A file's text.

    Args:
        text: the text, with the line ends and the byte order mark it has on disk.
        file: its path, for edits.

    Attributes:
        lines: its lines, without line ends and byte order mark.
        newline: the line end it uses.
    """

    def __init__(self, text: str, file: Path) -> None:
        self.text = text
        self.file = file
        plain = text.removeprefix(BOM)
        self.lines = _LINE_END.split(plain)
        ends = _LINE_END.findall(plain)
        self.newline = max(set(ends), key=ends.count) if ends else "\n"
        self._starts: list[int] | None = None
        self._new_names: dict[str, tuple[int, int]] = {}

    @cached_property
    def plain(self) -> str:
        r"""The text with ``\n`` for all line ends and without byte order mark."""
        return "\n".join(self.lines)

    @cached_property
    def tree(self) -> ast.Module:
        """The syntax tree. Raises SyntaxError, ValueError or RecursionError when there is none."""
        return parse(self.plain)

    @cached_property
    def words(self) -> frozenset[str]:
        """All that looks like a name, comments and texts included."""
        return frozenset(_WORD.findall(self.plain))

    @cached_property
    def bound(self) -> Counter[str]:
        """How often the module's level binds each name."""
        return bound_in_module(self.tree)

    # --- positions ----------------------------------------------------------------------------------------------------

    def offset(self, row: int, column: int) -> int:
        """Return the index into ``text`` of a place, from 0."""
        if self._starts is None:
            first = len(self.text) - len(self.text.removeprefix(BOM))
            self._starts = [first, *(match.end() for match in _LINE_END.finditer(self.text))]
        return self._starts[row - 1] + column - 1

    def column(self, row: int, offset: int) -> int:
        """Return the column, in characters from 1, of an offset of ``ast`` in bytes."""
        line = self.lines[row - 1] if row <= len(self.lines) else ""
        if not line.isascii():
            return len(line.encode("utf-8", "surrogatepass")[:offset].decode("utf-8", "replace")) + 1
        return offset + 1

    def place(self, node: Node) -> Location:
        """Return where a node stands."""
        end_row = node.end_lineno or node.lineno
        return Location(
            file=self.file,
            row=node.lineno,
            column=self.column(node.lineno, node.col_offset),
            end_row=end_row,
            end_column=self.column(end_row, node.end_col_offset or node.col_offset),
        )

    def between(self, start: tuple[int, int], end: tuple[int, int]) -> Location:
        """Return the stretch between two places, given as (row, column) from 1."""
        return Location(file=self.file, row=start[0], column=start[1], end_row=end[0], end_column=end[1])

    def slice(self, location: Location) -> str:
        r"""Return the text at a place, with ``\n`` for line ends."""
        lines = self.lines[location.row - 1 : location.end_row]
        if not lines:
            return ""
        lines[-1] = lines[-1][: location.end_column - 1]
        lines[0] = lines[0][location.column - 1 :]
        return "\n".join(lines)

    def code(self, node: Node) -> str:
        """Return a node's text."""
        return self.slice(self.place(node))

    # --- edits --------------------------------------------------------------------------------------------------------

    def replace(self, location: Location, content: str) -> Edit:
        r"""Return the edit that puts ``content``, with ``\n`` for line ends, in the place of something."""
        return Edit(location=location, content=content.replace("\n", self.newline))

    def insert(self, row: int, column: int, content: str) -> Edit:
        """Return the edit that inserts ``content`` before a place."""
        return self.replace(self.between((row, column), (row, column)), content)

    def new_name(self, wanted: str, place: Location) -> str:
        """Return a name that nothing in the file has, nor another fix made for it; for one place always the same."""
        key = (place.row, place.column)
        for known, owner in self._new_names.items():
            if owner == key:
                return known
        name, number = wanted, 2
        while name in self.words or name in self._new_names:
            name, number = f"{wanted}_{number}", number + 1
        self._new_names[name] = key
        return name

    # --- nodes --------------------------------------------------------------------------------------------------------

    def find(self, location: Location) -> list[Found]:
        """Return the nodes that stand exactly at a place, the outermost first. None are found where places are cut."""
        if max(location.column, location.end_column) >= _CUT_COLUMNS or location.end_row - location.row >= _CUT_ROWS:
            return []
        start, end = (location.row, location.column), (location.end_row, location.end_column)
        found: list[Found] = []
        current = Found(self.tree, ())
        while True:
            inside = self._child(current.node, start, end)
            if inside is None:
                return found
            current = Found(inside, (*current.above, current.node))
            if self._span(inside) == (start, end):
                found.append(current)

    def covering(self, location: Location) -> Found:
        """Return the innermost node that covers a place."""
        current = Found(self.tree, ())
        while True:
            start, end = (location.row, location.column), (location.end_row, location.end_column)
            inside = self._child(current.node, start, end)
            if inside is None:
                return current
            current = Found(inside, (*current.above, current.node))

    def _child(self, node: ast.AST, start: tuple[int, int], end: tuple[int, int]) -> ast.AST | None:
        """Return the child that covers a place; one without a place of its own is looked into."""
        for child in ast.iter_child_nodes(node):
            span = self._span(child)
            if span is None:
                if self._child(child, start, end) is not None:
                    return child
            elif span[0] <= start and end <= span[1]:
                return child
        return None

    def _span(self, node: ast.AST) -> tuple[tuple[int, int], tuple[int, int]] | None:
        row = getattr(node, "lineno", None)
        if row is None or not isinstance(node, Node):
            return None
        if isinstance(node, ast.FunctionDef | ast.AsyncFunctionDef | ast.ClassDef) and node.decorator_list:
            row = min(row, *(decorator.lineno for decorator in node.decorator_list))
            first = (row, 1)
        else:
            first = (row, self.column(row, node.col_offset))
        end_row = node.end_lineno or node.lineno
        return first, (end_row, self.column(end_row, node.end_col_offset or 0))


def parse(text: str) -> ast.Module:
    """Return the tree of a text; warnings about its literals are not told."""
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")
        return ast.parse(text)


def splice(source: Source, edits: tuple[Edit, ...] | list[Edit]) -> str:
    """Return the text with edits applied, which do not overlap."""
    pieces = sorted(
        (
            source.offset(edit.location.row, edit.location.column),
            source.offset(edit.location.end_row, edit.location.end_column),
            edit.content,
        )
        for edit in edits
    )
    cuts = [0, *(index for start, end, _ in pieces for index in (start, end)), len(source.text)]
    kept = [source.text[start:end] for start, end in list(pairwise(cuts))[::2]]
    return "".join(part for pair in zip(kept, [*(content for *_, content in pieces), ""], strict=True) for part in pair)
