"""A clock that a test moves, under the engine's :class:`engine.clock.Clock`."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass, field


@dataclass
class FakeAlarm:
    """A call set for later."""

    at: float
    callback: Callable[[], None]
    canceled: bool = False

    def cancel(self) -> None:
        self.canceled = True


@dataclass
class FakeClock:
    """Stands still until it is moved; what became due is called then, the earliest first."""

    time: float = 1_000_000.0
    alarms: list[FakeAlarm] = field(default_factory=list)

    def now(self) -> float:
        return self.time

    def call_at(self, at: float, callback: Callable[[], None]) -> FakeAlarm:
        alarm = FakeAlarm(at, callback)
        self.alarms.append(alarm)
        return alarm

    def advance(self, seconds: float) -> None:
        """Move, and call what is due."""
        self.time += seconds
        due = sorted((a for a in self.alarms if a.at <= self.time), key=lambda a: a.at)
        self.alarms = [a for a in self.alarms if a.at > self.time and not a.canceled]
        for alarm in due:
            if not alarm.canceled:
                alarm.callback()

    @property
    def pending(self) -> list[float]:
        """When calls are set for."""
        return sorted(alarm.at for alarm in self.alarms if not alarm.canceled)
