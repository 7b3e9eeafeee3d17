"""Several things at once, of which the first that fails is the failure of all."""

from __future__ import annotations

import asyncio
from collections.abc import Awaitable, Callable, Iterable
from typing import TypeVar

T = TypeVar("T")


async def all_of(calls: Iterable[Callable[[], Awaitable[T]]], *, at_once: int) -> list[T]:
    """Return what calls give, in their order; when one fails, the others are ended and its error is raised.

    Args:
        calls: what is done; each is begun when there is room.
        at_once: how many are under way at the same time.
    """
    room = asyncio.Semaphore(at_once)

    async def run(call: Callable[[], Awaitable[T]]) -> T:
        async with room:
            return await call()

    try:
        async with asyncio.TaskGroup() as group:
            tasks = [group.create_task(run(call)) for call in calls]
    except BaseExceptionGroup as failures:
        raise failures.exceptions[0] from None
    return [task.result() for task in tasks]
