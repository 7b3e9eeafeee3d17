"""A real server for the client to talk to."""

from __future__ import annotations

from collections.abc import AsyncIterator
from pathlib import Path

import pytest

from engine.model import Settings as EngineSettings
from executor.settings import Settings
from tests.fakes.house import TOKEN, House, keep_house


@pytest.fixture
async def house(tmp_path: Path) -> AsyncIterator[House]:
    """Return a running executor."""
    async with keep_house(tmp_path, Settings(token=TOKEN), EngineSettings()) as house:
        yield house
