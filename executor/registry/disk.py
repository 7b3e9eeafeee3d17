"""Threads of the registry's own for what blocks on its disk, so that nothing else waits when that is slow."""

from __future__ import annotations

import asyncio
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from typing import ParamSpec, TypeVar

P = ParamSpec("P")
T = TypeVar("T")


class Disk:
    """Runs functions in threads; ``threads`` is how many at once."""

    def __init__(self, threads: int = 6) -> None:
        self._pool = ThreadPoolExecutor(threads, thread_name_prefix="registry")

    async def run(self, function: Callable[P, T], *args: P.args, **kwargs: P.kwargs) -> T:
        """Return what a function returns. It goes on to its end when nobody waits for it any more."""
        return await self.start(function, *args, **kwargs)

    def start(self, function: Callable[P, T], *args: P.args, **kwargs: P.kwargs) -> asyncio.Future[T]:
        """Start a function."""
        return asyncio.wrap_future(self._pool.submit(function, *args, **kwargs))

    def close(self) -> None:
        """Wait for what runs; blocks."""
        self._pool.shutdown()
