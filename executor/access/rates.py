"""A limit of requests for each key: a bucket that refills."""

from __future__ import annotations

import math
from collections.abc import Callable
from dataclasses import dataclass


@dataclass(slots=True)
class _Bucket:
    left: float
    at: float


class Rates:
    """Counts requests by key, in memory of this server.

    Args:
        per_second: how many are let through in the long run.
        burst: how many at once after a pause; at least 1.
        clock: monotonic seconds.
    """

    def __init__(self, *, per_second: float, burst: int, clock: Callable[[], float]) -> None:
        self._per_second = per_second
        self._burst = burst
        self._clock = clock
        self._buckets: dict[str, _Bucket] = {}

    def take(self, key: str) -> int:
        """Count a request of a key; returns 0, or the whole seconds after which another will be let through."""
        now = self._clock()
        bucket = self._buckets.get(key)
        if bucket is None:
            bucket = self._buckets[key] = _Bucket(float(self._burst), now)
        bucket.left = min(self._burst, bucket.left + (now - bucket.at) * self._per_second)
        bucket.at = now
        if bucket.left >= 1.0:
            bucket.left -= 1.0
            return 0
        return max(1, math.ceil((1.0 - bucket.left) / self._per_second))

    def forget(self, key: str) -> None:
        """Drop what is known of a key that is gone."""
        self._buckets.pop(key, None)
