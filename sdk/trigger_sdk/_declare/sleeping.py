"""Durable sleeps."""

from __future__ import annotations

import time
from datetime import UTC, datetime
from typing import Any

from trigger_sdk._declare.dispatch import Wait, body_scope, caller_line
from trigger_sdk._declare.durations import Duration, seconds
from trigger_sdk._declare.loops import in_running_loop


def sleep(duration: Duration) -> Any:
    """Sleep for a number of seconds or a timedelta, durably: ``await sleep(timedelta(days=2))``.

    In an async body it is awaited, in a sync body it returns when the time is over. A long sleep holds no memory and
    survives crashes and deploys. Outside a job's body it is ``asyncio.sleep`` or ``time.sleep``.
    """
    delay = seconds(duration)
    scope = body_scope()
    if scope is None:
        return _plain_sleep(delay)
    return scope.wait(Wait("sleep", _spell(delay), caller_line(), delay=max(0.0, delay)))


def sleep_until(when: datetime) -> Any:
    """Sleep until an aware datetime; one in the past returns at once."""
    if when.tzinfo is None:
        message = "sleep_until needs an aware datetime, for example datetime(2027, 1, 1, tzinfo=UTC)"
        raise ValueError(message)
    scope = body_scope()
    if scope is None:
        return _plain_sleep(max(0.0, when.timestamp() - datetime.now(tz=UTC).timestamp()))
    return scope.wait(Wait("sleep", f"until {when.isoformat()}", caller_line(), due_at=when.timestamp()))


def _plain_sleep(delay: float) -> Any:
    if in_running_loop():
        import asyncio

        return asyncio.sleep(delay)
    time.sleep(delay)
    return None


def _spell(delay: float) -> str:
    return f"{delay:g}s"
