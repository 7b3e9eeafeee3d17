"""A worker's own knowledge of its lease, by a clock that the test moves."""

from __future__ import annotations

import pytest

from trigger_sdk._runtime.lease import Lease


class Now:
    """A clock."""

    def __init__(self) -> None:
        self.time = 100.0

    def __call__(self) -> float:
        """Return the time."""
        return self.time


@pytest.fixture
def now() -> Now:
    """Return a clock that stands at 100."""
    return Now()


def test_lease_when_nothing_was_granted(now: Now) -> None:
    """There is nothing that could be over, and no sign of life makes a lease."""
    lease = Lease(now)
    lease.confirm(100.0)
    now.time = 1e9
    assert (lease.over, lease.left) == (False, None)


def test_lease_counts_from_what_was_heard(now: Now) -> None:
    """Not from when the answer came, and a heartbeat earlier than at the server."""
    lease = Lease(now)
    lease.grant(15.0, 3.0, asked_at=95.0)
    assert lease.left == 7.0
    lease.confirm(99.0)
    lease.confirm(97.0)  # answers may come late
    now.time = 110.9
    assert not lease.over
    now.time = 111.0
    assert lease.over


def test_lease_shorter_than_a_heartbeat_lasts_half(now: Now) -> None:
    """Settings that do not fit leave something."""
    lease = Lease(now)
    lease.grant(2.0, 3.0, asked_at=100.0)
    assert lease.left == 1.0


def test_lease_that_ended_is_not_over(now: Now) -> None:
    """What it covered is gone; the next grant begins anew."""
    lease = Lease(now)
    lease.grant(15.0, 3.0, asked_at=100.0)
    now.time = 200.0
    lease.end()
    assert not lease.over
    lease.grant(15.0, 3.0, asked_at=200.0)
    assert lease.left == 12.0
