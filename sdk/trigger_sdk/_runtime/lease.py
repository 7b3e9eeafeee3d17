"""A worker's own knowledge of its lease: until when it may do what it holds.

The server decides: it refuses what is said with an old token. But a worker that the server has given up (it was
stopped for a while, or out of reach) must also *do* nothing more: its runs go on elsewhere. So it counts by its own
clock, from the last word of its own that the server is known to have heard, and gives up before the server does.
"""

from __future__ import annotations

import time
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Callable


class Lease:
    """See the module's docstring. Times are of ``clock``, a monotonic clock, in seconds.

    :meth:`confirm` may be called on any thread.
    """

    __slots__ = ("_clock", "_lasts", "_until")

    def __init__(self, clock: Callable[[], float] = time.monotonic) -> None:
        self._clock = clock
        self._lasts = 0.0
        self._until: float | None = None

    def grant(self, ttl: float, heartbeat: float, asked_at: float) -> None:
        """Begin: the server answered what was asked at a time.

        A sign of life may be ``heartbeat`` seconds old when the server counts it; that much earlier it is over here.
        """
        self._lasts = max(ttl - heartbeat, ttl / 2)
        self._until = asked_at + self._lasts

    def confirm(self, said_at: float) -> None:
        """Go on: the server heard what was said at a time."""
        if self._until is not None:
            self._until = max(self._until, said_at + self._lasts)

    def end(self) -> None:
        """Forget it: there is nothing that it covers."""
        self._until = None

    @property
    def over(self) -> bool:
        """True when it was granted, and has run out."""
        return self._until is not None and self._clock() >= self._until

    @property
    def left(self) -> float | None:
        """Seconds until it is over, negative when it is; None when there is none."""
        return None if self._until is None else self._until - self._clock()
