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

    from bundler.interpreter import Interpreter
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

    async def wheels(
        self, distributions: Iterable[Distribution], target: Target, interpreter: Interpreter
    ) -> tuple[Wheel, ...]:
        """Return a wheel for each distribution, by name.

        Args:
            distributions: what is wanted.
            target: what it must run on.
            interpreter: builds what must be built: the project's, which need not be the one that runs this.

        Raises:
            WheelMissing, WheelUnavailable, WheelBuildFailed, WheelTooLarge, DigestMismatch: one cannot be had.
            LockInvalid, LockUntrusted, LockToolMissing: the lock cannot be used.
        """
        is_cpython = interpreter.implementation == "cpython"
        plan = plan_wheels(distributions, target, own_target(interpreter.version) if is_cpython else None)
        fetched = await self.fetcher.fetch(plan.wheels)
        built = [await self._built(entry, target, interpreter) for entry in plan.builds]
        return tuple(sorted([*fetched, *built], key=lambda wheel: wheel.name))

    async def _built(self, entry: Distribution, target: Target, interpreter: Interpreter) -> Wheel:
        name = f"build {entry}"
        self.progress.start(name)
        try:
            with tempfile.TemporaryDirectory(prefix="trigger-sources-") as folder:
                sources = await fetch_sources(self.fetcher, entry, Path(folder))
                return await asyncio.to_thread(self.builder.build, entry, sources, target, interpreter.path)
        finally:
            self.progress.finish(name)
