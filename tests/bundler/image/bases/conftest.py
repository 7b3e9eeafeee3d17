"""What tests of bases can ask for."""

from collections.abc import Awaitable, Callable
from pathlib import Path

import pytest

from bundler.cache import Cache
from bundler.image.bases import base_source
from bundler.image.model import BaseImage
from bundler.model import Platform
from tests.fakes.registry_side import ClientSide

BaseOf = Callable[..., Awaitable[BaseImage]]


@pytest.fixture
def base_of(side: ClientSide, cache: Cache, tmp_path: Path) -> BaseOf:
    """Return what gives the image that a text means; relative paths are relative to ``tmp_path``."""

    async def image(
        text: str, *, architecture: str = "amd64", python: tuple[int, int] = (3, 11), interpreter: str = ""
    ) -> BaseImage:
        async with side.client() as client:
            source = base_source(text, client=client, cache=cache, folder=tmp_path, interpreter=interpreter)
            return await source.image(Platform(architecture=architecture), python)  # type: ignore[arg-type]  # one of the two

    return image
