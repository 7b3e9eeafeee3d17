"""The engine's clock: passed in, so that tests move it."""

from __future__ import annotations

import asyncio
import time
from collections.abc import Callable
from typing import Protocol


class Alarm(Protocol):
    """A call set for later."""

    def cancel(self) -> None:
        """Forget the call; does nothing when it was made."""


class Clock(Protocol):
    """Tells the time and calls at a time."""

    def now(self) -> float:
        """Return seconds since the epoch."""

    def call_at(self, at: float, callback: Callable[[], None]) -> Alarm:
        """Call ``callback`` on the running loop when ``now()`` has reached ``at``, or a little early."""


class SystemClock:
    """The machine's clock."""

    longest_pause_s = 30.0
    """A machine that slept, or whose clock was set, is noticed after this many seconds at the latest."""

    def now(self) -> float:
        """Return seconds since the epoch."""
        return time.time()

    def call_at(self, at: float, callback: Callable[[], None]) -> Alarm:
        """Call early rather than late: the caller looks at the clock again."""
        delay = min(max(at - time.time(), 0.0), self.longest_pause_s)
        return asyncio.get_running_loop().call_later(delay, callback)
