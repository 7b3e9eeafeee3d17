"""An executor on a real engine, on SQLite, behind a real socket."""

from __future__ import annotations

from collections.abc import AsyncIterator, Callable
from contextlib import AbstractAsyncContextManager, AsyncExitStack
from functools import partial
from pathlib import Path
from typing import Any

import pytest

from engine.model import Settings as EngineSettings
from executor.settings import Settings
from tests.fakes.house import TOKEN, House, keep_house

MakeHouse = Callable[..., AbstractAsyncContextManager[House]]


@pytest.fixture
def make_house(tmp_path: Path) -> MakeHouse:
    """Return what runs an executor; keywords are the executor's settings."""

    def make(folder: Path = tmp_path, lease_ttl_s: float = 15.0, **fields: Any) -> AbstractAsyncContextManager[House]:
        settings = Settings(token=TOKEN, lease_ttl_s=lease_ttl_s, **fields)
        return keep_house(folder, settings, EngineSettings(lease_ttl_s=lease_ttl_s))

    return partial(make)


@pytest.fixture
async def house(make_house: MakeHouse) -> AsyncIterator[House]:
    """Return a running executor with default settings."""
    async with AsyncExitStack() as stack:
        yield await stack.enter_async_context(make_house())
