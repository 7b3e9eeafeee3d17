"""One of several engines on a database, with a listener that remembers, and waiting for what comes from the others."""

from __future__ import annotations

import asyncio
import time
from collections.abc import Callable
from dataclasses import dataclass, field

from engine.engine import Engine
from engine.model import Assignment, Settings
from engine.store.postgres import PostgresStore
from engine.store.postgres.clock import DatabaseClock
from tests.fakes.engine_world import PAYLOAD, RecordingListener
from trigger_sdk.protocol.entries import RunOptions


async def until(condition: Callable[[], bool], seconds: float = 20.0) -> None:
    """Return when the condition holds."""
    deadline = time.monotonic() + seconds
    while not condition():
        assert time.monotonic() < deadline
        await asyncio.sleep(0.005)


@dataclass
class Side:
    """An engine under its name."""

    url: str
    name: str
    lease_s: float = 2.0
    clock: DatabaseClock = field(default_factory=DatabaseClock)
    settings: Settings = field(default_factory=lambda: Settings(lease_ttl_s=30.0))
    listener: RecordingListener = field(default_factory=RecordingListener)
    _engine: Engine | None = None

    @property
    def engine(self) -> Engine:
        """The engine, which is open."""
        assert self._engine is not None
        return self._engine

    async def open(self) -> Side:
        """Open the engine."""
        store = PostgresStore(self.url, executor=self.name, lease_s=self.lease_s, clock=self.clock)
        self._engine = await Engine.open(store, listener=self.listener, settings=self.settings)
        return self

    async def close(self) -> None:
        """Close the engine, if it is open."""
        if self._engine is not None:
            await self._engine.close()
            self._engine = None

    async def create(self, **options: object) -> str:
        """Create a run of the job ``a``."""
        return (await self.engine.create_run("a", PAYLOAD, RunOptions(**options))).run_id  # type: ignore[arg-type]

    async def assigned(self, run_id: str) -> Assignment:
        """Return a run's assignment to a session of this engine, when it comes."""
        await until(lambda: any(run.run == run_id for _, run in self.listener.assignments))
        return [run for _, run in self.listener.assignments if run.run == run_id][-1]

    async def state(self, run_id: str) -> str:
        """Return a run's state."""
        run = await self.engine.run(run_id)
        assert run is not None
        return run.state
