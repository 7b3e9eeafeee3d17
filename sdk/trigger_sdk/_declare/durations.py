"""Durations as users write them: seconds, or timedelta."""

from __future__ import annotations

from datetime import timedelta

Duration = float | int | timedelta
"""Seconds, or a timedelta."""


def seconds(duration: Duration) -> float:
    """Return a duration in seconds; raises TypeError for anything else than a number or a timedelta."""
    if isinstance(duration, timedelta):
        return duration.total_seconds()
    if isinstance(duration, bool) or not isinstance(duration, (int, float)):
        message = f"a duration is a number of seconds or a timedelta, not {duration!r}"
        raise TypeError(message)
    return float(duration)
