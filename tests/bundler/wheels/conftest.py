"""What tests of wheels can ask for."""

from collections.abc import AsyncIterator, Iterator
from pathlib import Path

import pytest

from tests.fakes.fetching import FetchSide
from tests.fakes.index import FakeIndex


@pytest.fixture
def index() -> Iterator[FakeIndex]:
    """Return an index that listens."""
    with FakeIndex() as running:
        yield running


@pytest.fixture
def elsewhere() -> Iterator[FakeIndex]:
    """Return a server on another port: for a client, another host."""
    with FakeIndex() as running:
        yield running


@pytest.fixture
async def fetching(tmp_path: Path) -> AsyncIterator[FetchSide]:
    """Return the side of the fetcher: a store in a folder of its own, a clock, what it told."""
    side = FetchSide(tmp_path / "cache")
    yield side
    await side.connections.aclose()
