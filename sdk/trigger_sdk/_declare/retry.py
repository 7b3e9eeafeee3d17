"""When and how often a task is tried again."""

from __future__ import annotations

import random
from dataclasses import dataclass

from trigger_sdk._declare.durations import Duration, seconds


@dataclass(frozen=True, slots=True, kw_only=True)
class Retry:
    """A retry policy: exponential backoff with full range jitter.

    The delay before attempt ``n + 1`` is ``min_delay * factor ** (n - 1)``, at most ``max_delay``; with ``jitter`` it
    is drawn between half of that and all of it. A delay survives crashes; a long one holds no memory.

    Attributes:
        max_attempts: executions in all, the first included.
        min_delay: seconds or timedelta before the second attempt.
        max_delay: the longest delay, seconds or timedelta.
        factor: growth of the delay from one attempt to the next.
        jitter: spread the delays, so that many runs do not come back at once.
        on: only these exceptions are tried again; others fail the task at once.
    """

    max_attempts: int = 3
    min_delay: Duration = 1.0
    max_delay: Duration = 60.0
    factor: float = 2.0
    jitter: bool = True
    on: tuple[type[Exception], ...] | type[Exception] = Exception

    def __post_init__(self) -> None:
        if self.max_attempts < 1:
            message = f"Retry(max_attempts={self.max_attempts}): a task is executed at least once"
            raise ValueError(message)
        if seconds(self.min_delay) < 0 or seconds(self.max_delay) < 0 or self.factor < 1:
            message = "Retry: delays cannot be negative, and factor is at least 1"
            raise ValueError(message)

    def delay_after(self, attempt: int) -> float:
        """Return the seconds between the end of ``attempt`` (from 1) and the next one."""
        base = min(seconds(self.max_delay), seconds(self.min_delay) * self.factor ** min(attempt - 1, 1000))
        return base * random.uniform(0.5, 1.0) if self.jitter else base  # noqa: S311 - spreading load, not a secret
