"""Registries that listen, each with a folder of its own."""

from __future__ import annotations

from collections.abc import AsyncIterator, Callable
from contextlib import AbstractAsyncContextManager, AsyncExitStack
from pathlib import Path
from typing import Any

import pytest

from tests.fakes.image_registry import ImageRegistry, image_registry

MakeRegistry = Callable[..., AbstractAsyncContextManager[ImageRegistry]]


@pytest.fixture
def make_registry(tmp_path: Path) -> MakeRegistry:
    """Return what serves a registry; keywords are its limits. A second one has the first one's folder."""

    def make(**fields: Any) -> AbstractAsyncContextManager[ImageRegistry]:
        return image_registry(tmp_path / "images", **fields)

    return make


@pytest.fixture
async def registry(make_registry: MakeRegistry) -> AsyncIterator[ImageRegistry]:
    """Return a registry without quotas and without keys, which everybody may use."""
    async with AsyncExitStack() as stack:
        yield await stack.enter_async_context(make_registry())
