"""The stores that the engine's tests run on, and an engine with a clock that stands still."""

from __future__ import annotations

from collections.abc import AsyncIterator, Callable, Iterator
from pathlib import Path

import pytest

from engine.store.interface import Store
from engine.store.postgres import PostgresStore
from engine.store.sqlite import SqliteStore
from tests.fakes.clock import FakeClock
from tests.fakes.engine_world import World
from tests.fakes.postgres_server import PostgresServer

STORES = ["sqlite", "postgres"]
"""The drivers."""


@pytest.fixture(params=STORES)
def make_store(request: pytest.FixtureRequest, tmp_path: Path) -> Iterator[Callable[[], Store]]:
    """Return what makes a store; each call is another process's view of the same, at first empty, database."""
    if request.param == "sqlite":
        yield lambda: SqliteStore(tmp_path / "engine.db")
        return
    server: PostgresServer = request.getfixturevalue("postgres_server")
    with server.database() as url:
        yield lambda: PostgresStore(url, executor="e1")


@pytest.fixture
def clock() -> FakeClock:
    """Return a clock that stands still."""
    return FakeClock()


@pytest.fixture
async def world(make_store: Callable[[], Store], clock: FakeClock) -> AsyncIterator[World]:
    """Return an open engine with the job ``a`` declared."""
    world = World(make_store=make_store, clock=clock)
    await world.open()
    await world.declare("a")
    yield world
    await world.close()
