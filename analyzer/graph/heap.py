"""Cells: places that are written from anywhere and remember who read them."""

from __future__ import annotations

from typing import TYPE_CHECKING, Final

from analyzer.graph.values import NOTHING, Value

if TYPE_CHECKING:
    from analyzer.graph.frames import Frame


GLANCE: Final = 1 << 24
"""Added to the number of a run in which a frame only looked whether a cell holds plain data."""


class Cell:
    """A variable, attribute or element that several functions may write: it holds all that was ever written.

    Attributes:
        value: what it may hold.
        readers: frames to be evaluated again when it grows, with the number of the run in which each last read it.
    """

    __slots__ = ("readers", "value")

    def __init__(self) -> None:
        self.value: Value = NOTHING
        self.readers: dict[Frame, int] = {}
