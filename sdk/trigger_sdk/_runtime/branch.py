"""Step ids: branch and position."""

from __future__ import annotations


class Branch:
    """One line of control in a body: the main one, or one for each asyncio task.

    Attributes:
        path: the branch's own number, ``""`` for the main one, ``3`` or ``3.1`` for others.
    """

    __slots__ = ("_count", "_prefix", "path")

    def __init__(self, path: str) -> None:
        self.path = path
        self._prefix = f"{path}." if path else ""
        self._count = 0

    def next(self) -> str:
        """Return the id of what this branch asks for next."""
        self._count += 1
        return f"{self._prefix}{self._count}"
