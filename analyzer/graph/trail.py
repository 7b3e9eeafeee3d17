"""The trail: what the evaluation of one job has changed of what is shared, so that it can be taken back.

Modules are imported once; each job is then evaluated as if it were the only one. So what is found in a job depends on
the modules that it uses and on nothing else, and stays right until one of them changes.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from collections.abc import Hashable

    from analyzer.graph.atoms import Collection, Value
    from analyzer.graph.frames import Frame, ModuleState
    from analyzer.graph.heap import Cell

_RETIRED = 1 << 30
"""A number of runs after which no frame is evaluated again."""


class Trail:
    """Remembers changes, and takes them back."""

    __slots__ = ("cells", "collections", "frames", "inserted", "made", "modules", "touched")

    def __init__(self) -> None:
        self.cells: list[tuple[Cell, Value]] = []
        self.collections: list[tuple[Collection, bool, bool]] = []
        self.inserted: list[tuple[dict[Any, Cell], Any]] = []
        self.made: list[Hashable] = []
        self.modules: list[ModuleState] = []
        self.frames: list[Frame] = []
        self.touched: set[ModuleState] = set()

    def undo(self, made: dict[Hashable, Any]) -> None:
        """Take everything back, the last change first.

        Args:
            made: the things that are made once, by key.
        """
        for cell, value in reversed(self.cells):
            cell.value = value
        for collection, only_numbers, is_ordered in reversed(self.collections):
            collection.only_numbers, collection.is_ordered = only_numbers, is_ordered
        for cells, key in self.inserted:
            cells.pop(key, None)
        for key in self.made:
            made.pop(key, None)
        for state in self.modules:
            state.forget()
        for frame in self.frames:
            frame.runs = _RETIRED
