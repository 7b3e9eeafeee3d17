"""Two engines on one PostgreSQL database."""

from __future__ import annotations

from collections.abc import AsyncIterator, Awaitable, Callable, Iterator

import pytest

from tests.fakes.engine_world import manifest
from tests.fakes.postgres_server import PostgresServer
from tests.fakes.side import Side


@pytest.fixture
def url(postgres_server: PostgresServer) -> Iterator[str]:
    """Return the address of a database with empty tables."""
    with postgres_server.database() as address:
        yield address


@pytest.fixture
async def open_side(url: str) -> AsyncIterator[Callable[[Side], Awaitable[Side]]]:
    """Return what opens another engine; it is closed with the test."""
    del url  # its database is cleared afterwards
    opened: list[Side] = []

    async def open_one(side: Side) -> Side:
        opened.append(side)
        return await side.open()

    yield open_one
    for side in opened:
        await side.close()


@pytest.fixture
async def two(url: str) -> AsyncIterator[tuple[Side, Side]]:
    """Return two open engines that share a database; the jobs ``a`` (two at once in a lane) and ``b`` are declared."""
    sides = (Side(url, "e1"), Side(url, "e2"))
    try:
        for side in sides:
            await side.open()
        await sides[0].engine.save_manifest("c", [manifest("a"), manifest("b", concurrency=2)])
        yield sides
    finally:
        for side in sides:
            await side.close()
