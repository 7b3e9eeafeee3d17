"""Ids that sort by the time they were made."""

from __future__ import annotations

import secrets
from typing import Protocol

_ALPHABET = "0123456789abcdefghjkmnpqrstvwxyz"
"""Crockford's base 32: no letters that are mistaken for others."""

_RANDOM_BITS = 80


class Ids(Protocol):
    """Makes ids."""

    def run(self, at: float) -> str:
        """Return a new run id for a run created ``at`` (seconds since the epoch)."""

    def event(self, at: float) -> str:
        """Return a new event id."""


class SortableIds:
    """26 characters: 48 bits of milliseconds, 80 random bits that count up within a millisecond.

    Of one instance, ids sort in the order in which they were made, also when the clock steps back.
    """

    def __init__(self) -> None:
        self._last = 0

    def run(self, at: float) -> str:
        """Return ``run_`` and 26 characters."""
        return f"run_{self._next(at)}"

    def event(self, at: float) -> str:
        """Return ``evt_`` and 26 characters."""
        return f"evt_{self._next(at)}"

    def _next(self, at: float) -> str:
        number = (int(at * 1000) << _RANDOM_BITS) | secrets.randbits(_RANDOM_BITS - 1)
        if number >> _RANDOM_BITS <= self._last >> _RANDOM_BITS:
            number = self._last + 1 + secrets.randbits(32)
        self._last = number
        return "".join([_ALPHABET[(number >> shift) & 31] for shift in range(125, -1, -5)])
