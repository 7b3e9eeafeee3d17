"""The clock that all engines on a database share: the machine's own, corrected by what the database says."""

from __future__ import annotations

from collections.abc import Callable

from engine.clock import Alarm, Clock, SystemClock


class DatabaseClock:
    """Shows the database's time, as it was last heard, going on by the machine's clock."""

    def __init__(self, machine: Clock | None = None) -> None:
        self._machine = machine or SystemClock()
        self._ahead = 0.0

    def hear(self, now: float) -> None:
        """Learn what the database's clock shows."""
        self._ahead = now - self._machine.now()

    def now(self) -> float:
        """Return seconds since the epoch."""
        return self._machine.now() + self._ahead

    def call_at(self, at: float, callback: Callable[[], None]) -> Alarm:
        """Call at a time of the database's clock, or a little early."""
        return self._machine.call_at(at - self._ahead, callback)
