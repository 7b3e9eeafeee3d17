"""Trying again."""

import pytest

from bundler.registry.errors import RegistryUnreachable
from bundler.registry.retrying import Retrying, RetryPolicy, Transient


class Clock:
    """Sleeping moves it."""

    def __init__(self) -> None:
        self.slept: list[float] = []

    async def sleep(self, seconds: float) -> None:
        """Note it."""
        self.slept.append(seconds)


class Flaky:
    """Fails so many times, then works."""

    def __init__(self, failures: int, after: float | None = None) -> None:
        self.failures = failures
        self.after = after
        self.calls = 0

    async def __call__(self) -> str:
        """Fail or work."""
        self.calls += 1
        if self.calls <= self.failures:
            raise Transient(RegistryUnreachable(f"failure {self.calls}"), after=self.after)
        return "done"


def retrying(clock: Clock, jitter: float = 1.0, **policy: float) -> Retrying:
    """Return one with a clock."""
    return Retrying(policy=RetryPolicy(**policy), sleep=clock.sleep, jitter=lambda: jitter)  # type: ignore[arg-type]


async def test_waits_grow_up_to_a_bound() -> None:
    """Twice as long each time, by chance somewhere below."""
    clock = Clock()
    assert await retrying(clock, attempts=7, first=1, longest=10).run(Flaky(6)) == "done"
    assert clock.slept == [1, 2, 4, 8, 10, 10]
    clock = Clock()
    await retrying(clock, jitter=0.1, attempts=7, first=1, longest=10).run(Flaky(2))
    assert clock.slept == [0.1, 0.2]


async def test_last_failure_is_the_error() -> None:
    """After the last attempt nothing is waited any more."""
    clock, flaky = Clock(), Flaky(99)
    with pytest.raises(RegistryUnreachable, match="failure 3"):
        await retrying(clock, attempts=3).run(flaky)
    assert (flaky.calls, len(clock.slept)) == (3, 2)


async def test_named_time_is_waited_at_least() -> None:
    """With some chance on top, so that not all come back at once."""
    clock = Clock()
    await retrying(clock, jitter=0.5, first=1).run(Flaky(1, after=20))
    assert clock.slept == [20.5]


async def test_patience_ends() -> None:
    """All waits of one operation together have a bound."""
    clock = Clock()
    with pytest.raises(RegistryUnreachable, match="failure 3"):
        await retrying(clock, patience=50, attempts=99).run(Flaky(99, after=20))
    assert len(clock.slept) == 2


async def test_all_operations_share_a_reserve() -> None:
    """When everything fails, it is not all tried again and again; successes fill it up."""
    clock = Clock()
    shared = retrying(clock, reserve=3, attempts=3)
    for _ in range(4):
        with pytest.raises(RegistryUnreachable):
            await shared.run(Flaky(99))
    assert len(clock.slept) == 3
    for _ in range(3):
        await shared.run(Flaky(0))
    assert await shared.run(Flaky(2)) == "done"


async def test_progress_begins_the_count_anew() -> None:
    """Failures count in a row."""
    clock = Clock()
    attempts = retrying(clock, attempts=3).begin()
    for _ in range(5):
        await attempts.wait(Transient(RegistryUnreachable("x")))
        attempts.progressed()
    assert len(clock.slept) == 5


async def test_failure_may_allow_less() -> None:
    """Who does not listen need not be asked as often."""
    attempts = retrying(Clock(), attempts=9).begin()
    await attempts.wait(Transient(RegistryUnreachable("x"), attempts=2))
    with pytest.raises(RegistryUnreachable):
        await attempts.wait(Transient(RegistryUnreachable("x"), attempts=2))
