"""Trying again: what may be tried again, how often, and after how long."""

from __future__ import annotations

import asyncio
import random
import time
from collections.abc import Awaitable, Callable
from dataclasses import dataclass, field
from typing import TypeVar

from bundler.errors import BundlerError

T = TypeVar("T")


class Transient(Exception):
    """Something failed that may work the next time. It becomes an error when it does not.

    Attributes:
        error: what is raised when it does not.
        after: seconds that the other side asks to wait; None when it says nothing.
        attempts: how often it is tried at most, when this is less than the policy's number.
    """

    def __init__(self, error: BundlerError, *, after: float | None = None, attempts: int | None = None) -> None:
        super().__init__(error.message)
        self.error = error
        self.after = after
        self.attempts = attempts


@dataclass(frozen=True, slots=True, kw_only=True)
class RetryPolicy:
    """How patient we are.

    Attributes:
        attempts: tries in a row without any progress.
        first: upper bound of the first wait, in seconds; it doubles with each.
        longest: upper bound of any wait that we choose ourselves, in seconds.
        patience: seconds that one operation waits in all; who asks for more is given up at once.
        reserve: retries that all operations together may make before each must be earned by a success.
    """

    attempts: int = 6
    first: float = 0.25
    longest: float = 15.0
    patience: float = 120.0
    reserve: float = 40.0


@dataclass(slots=True, kw_only=True)
class Retrying:
    """Runs operations again when they fail for a while. One for a client: its operations share a reserve.

    Attributes:
        clock: monotonic seconds.
        sleep: waits so many seconds.
        jitter: a number from 0 to 1, by chance.
    """

    policy: RetryPolicy = field(default_factory=RetryPolicy)
    clock: Callable[[], float] = time.monotonic
    sleep: Callable[[float], Awaitable[None]] = asyncio.sleep
    jitter: Callable[[], float] = random.random
    _spent: float = field(default=0.0, init=False)

    def begin(self) -> Attempts:
        """Return the attempts of one operation."""
        return Attempts(self)

    async def run(self, operation: Callable[[], Awaitable[T]]) -> T:
        """Return what an operation returns, running it again after each :class:`Transient`."""
        attempts = self.begin()
        while True:
            try:
                result = await operation()
            except Transient as failure:
                await attempts.wait(failure)
            else:
                attempts.succeeded()
                return result

    def _take(self) -> bool:
        if self._spent >= self.policy.reserve:
            return False
        self._spent += 1
        return True

    def _give_back(self) -> None:
        self._spent = max(0.0, self._spent - 1)


class Attempts:
    """The attempts of one operation."""

    def __init__(self, retrying: Retrying) -> None:
        self._retrying = retrying
        self._failures = 0
        self._waited = 0.0

    def progressed(self) -> None:
        """The operation came further than before: the failures so far were not in a row."""
        self._failures = 0

    def succeeded(self) -> None:
        """The operation is done."""
        self._retrying._give_back()  # noqa: SLF001  # two halves of one thing, in one file

    async def wait(self, failure: Transient) -> None:
        """Wait for the next attempt; raises the failure's error when there is none."""
        policy = self._retrying.policy
        self._failures += 1
        if self._failures >= min(policy.attempts, failure.attempts or policy.attempts):
            raise failure.error from None
        bound = min(policy.longest, policy.first * 2 ** (self._failures - 1))
        # Full jitter; never before the time that the other side named, and not all at that time.
        pause = self._retrying.jitter() * bound + (failure.after or 0.0)
        if self._waited + pause > policy.patience or not self._retrying._take():  # noqa: SLF001  # as above
            raise failure.error from None
        self._waited += pause
        await self._retrying.sleep(pause)
