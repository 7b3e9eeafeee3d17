"""Effort: how much work an evaluation has been, in units that are the same on every machine.

A unit is an expression that is evaluated, or what takes as long: some microseconds. An evaluation that takes too much
in all detail is made coarsely instead, and one that takes too much even so calls nothing more: it ends soon, whatever
it is given, and tells that it is not complete.
"""

from __future__ import annotations

from contextlib import contextmanager
from typing import TYPE_CHECKING, Final, Literal

if TYPE_CHECKING:
    from collections.abc import Iterator

Pressure = Literal[0, 1, 2]
"""How an evaluation goes on: 0 in all detail; 1 coarsely, with all calls of a function taken together but for a few of
small ones; 2 without calls."""

OF_CALL: Final = 8
"""Units of a call."""

VARIABLES: Final = 32
"""Variables that make a unit when they are kept for a branch."""

ITEMS: Final = 8
"""Items of a collection, or fields of an object, that make a unit when all of them are looked at."""

OF_CHANGE: Final = 3
"""Units of a change that a function made to what it was given, and that is made again for who called it."""

ON_IMPORT: Final = (100_000, 400_000)
"""Units for all imports, in detail and in all, beside the statements of the modules themselves."""

OF_JOB: Final = (150_000, 450_000)
"""Units for one job and for the tasks of a module: in detail, and when they are evaluated again, coarsely."""


class Effort:
    """Counts units.

    Args:
        detailed: units that are spent in all detail.
        most: units after which nothing more is called.

    Attributes:
        spent: units so far.
    """

    __slots__ = ("_detailed", "_most", "spent")

    def __init__(self, detailed: int, most: int) -> None:
        self.spent = 0
        self._most = most
        self._detailed = detailed

    @contextmanager
    def other(self, detailed: int, most: int) -> Iterator[None]:
        """Count for another evaluation meanwhile."""
        before = (self.spent, self._detailed, self._most)
        self.spent, self._detailed, self._most = 0, detailed, most
        try:
            yield
        finally:
            self.spent, self._detailed, self._most = before

    @property
    def pressure(self) -> Pressure:
        """How the evaluation goes on."""
        if self.spent < self._detailed:
            return 0
        return 1 if self.spent < self._most else 2
