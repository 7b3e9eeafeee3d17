"""Notices saves: events of the file system say where to look, and the content decides whether anything changed.

Events can be missed (a full queue, a folder that appeared a moment ago), so everything is looked through again from
time to time. Where the system refuses to watch, that is all there is, every second.
"""

from __future__ import annotations

import asyncio
import logging
import time
from collections.abc import AsyncGenerator, Callable, Sequence
from contextlib import aclosing
from dataclasses import dataclass

from devserver.errors import WatchLimited
from devserver.sources import Change, Look, Sources
from trigger_sdk.protocol.problem import Problem


@dataclass(frozen=True, slots=True, kw_only=True)
class WatchTiming:
    """How the watch keeps time, in seconds.

    Attributes:
        step: an event is reported when nothing followed it for this long.
        longest: an event is reported after this long, whatever follows.
        settle: how long a file may be gone or empty before that counts: editors save by replacing.
        rescan: how often everything is looked through although no event came.
        poll: the same, where there are no events.
        busy_share: the most that looking through may take of the time.
    """

    step: float = 0.02
    longest: float = 0.1
    settle: float = 0.12
    rescan: float = 10.0
    poll: float = 1.0
    busy_share: float = 0.02


SETTLE_ROUNDS = 3


class SourceWatch:
    """Watches the project's sources until it is cancelled."""

    def __init__(
        self,
        sources: Sources,
        changed: Callable[[Sequence[Change]], None],
        limited: Callable[[Problem], None],
        *,
        timing: WatchTiming | None = None,
    ) -> None:
        """Take the sources (looked at and accepted already) and whom to tell.

        Args:
            sources: what to watch.
            changed: called with what a save changed, never with nothing.
            limited: called once when the system refuses to watch.
            timing: see :class:`WatchTiming`.
        """
        self._sources = sources
        self._changed = changed
        self._limited = limited
        self._timing = timing or WatchTiming()
        self._look_took = 0.0
        logging.getLogger("watchfiles").setLevel(logging.WARNING)

    async def run(self) -> None:
        """Watch, by events while the system gives them."""
        while await self._by_events():
            pass
        while True:
            await asyncio.sleep(self._pause(self._timing.poll))
            await self._look()

    async def _by_events(self) -> bool:
        """Watch the folders as they are now; return False when there are no events to be had."""
        folders = self._sources.folders
        try:
            async with aclosing(self._events(folders)) as batches:
                async for touched in batches:
                    await self._look(touched)
                    if self._sources.folders != folders:
                        return True
        except FileNotFoundError:
            await self._look()  # a folder is gone since we looked
        except (OSError, RuntimeError) as error:
            self._limited(_limit_problem(error))
            return False
        return True

    async def _events(self, folders: frozenset[str]) -> AsyncGenerator[list[str]]:
        """Yield the paths of events that matter; an empty list asks for a look at everything."""
        from watchfiles import awatch  # noqa: PLC0415 - 50 ms that the first worker does not wait for

        timing = self._timing
        stream = awatch(
            *sorted({*folders, str(self._sources.root)}),
            watch_filter=lambda _kind, path: self._sources.concerns(path),
            debounce=round(timing.longest * 1000),
            step=round(timing.step * 1000),
            rust_timeout=round(self._pause(timing.rescan) * 1000),
            yield_on_timeout=True,
            recursive=False,
            ignore_permission_denied=False,  # with True, watchfiles ignores every refusal, the limit's too
        )
        async with aclosing(stream):
            first = asyncio.ensure_future(anext(stream))
            try:
                await asyncio.sleep(0)  # the watch stands: what changed before it does is found by looking
                yield []
                batch = await first
            finally:
                if first.cancel():
                    await asyncio.wait([first])  # a generator that runs cannot be closed
            yield [path for _, path in batch]
            async for batch in stream:
                yield [path for _, path in batch]

    async def _look(self, touched: Sequence[str] = ()) -> None:
        """Look, wait while it looks like the middle of a save, and report."""
        look = await self._timed_look(touched)
        for _ in range(SETTLE_ROUNDS):
            if look.settled:
                break
            await asyncio.sleep(self._timing.settle)
            look = await self._timed_look(())
        self._sources.accept(look)
        if look.changes:
            self._changed(look.changes)

    async def _timed_look(self, touched: Sequence[str]) -> Look:
        if touched:
            return await asyncio.to_thread(self._sources.glance, touched)
        began = time.monotonic()
        look = await asyncio.to_thread(self._sources.look)
        self._look_took = time.monotonic() - began
        return look

    def _pause(self, shortest: float) -> float:
        """Return how long to wait before looking through everything again: longer when that takes long."""
        return max(shortest, self._look_took / self._timing.busy_share)


def _limit_problem(error: Exception) -> Problem:
    reason = str(error).partition(" about ")[0].partition(" (Error")[0]
    return WatchLimited(
        f"the system does not watch the project's folders ({reason}): saves are noticed after a second"
    ).problem
