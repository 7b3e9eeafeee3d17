"""From what a lock names to wheels in the store: fetched where there is one that fits, built where there is none."""

from __future__ import annotations

import asyncio
import tempfile
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING

from bundler.wheels.building import fetch_sources
from bundler.wheels.tags import own_target, plan_wheels

if TYPE_CHECKING:
    from collections.abc import Iterable

    from bundler.locks.model import Distribution
    from bundler.model import Progress, Target, Wheel
    from bundler.wheels.building import Builder
    from bundler.wheels.fetch import Fetcher


@dataclass(frozen=True, slots=True, kw_only=True)
class Acquirer:
    """Gets wheels.

    Attributes:
        fetcher: gets those that a lock names, and the sources of the others.
        builder: makes wheels of sources.
        progress: hears what is built.
    """

    fetcher: Fetcher
    builder: Builder
    progress: Progress

    async def wheels(self, distributions: Iterable[Distribution], target: Target) -> tuple[Wheel, ...]:
        """Return a wheel for each distribution, by name.

        Raises:
            WheelMissing, WheelUnavailable, WheelBuildFailed, WheelTooLarge, DigestMismatch: one cannot be had.
            LockInvalid, LockUntrusted, LockToolMissing: the lock cannot be used.
        """
        plan = plan_wheels(distributions, target, own_target())
        fetched = await self.fetcher.fetch(plan.wheels)
        built = [await self._built(entry, target) for entry in plan.builds]
        return tuple(sorted([*fetched, *built], key=lambda wheel: wheel.name))

    async def _built(self, entry: Distribution, target: Target) -> Wheel:
        name = f"build {entry}"
        self.progress.start(name)
        try:
            with tempfile.TemporaryDirectory(prefix="trigger-sources-") as folder:
                sources = await fetch_sources(self.fetcher, entry, Path(folder))
                return await asyncio.to_thread(self.builder.build, entry, sources, target)
        finally:
            self.progress.finish(name)
