"""Bases in a Docker engine."""

from pathlib import Path

import pytest

from bundler.cache import Cache
from bundler.docker.engine import Engine
from bundler.image.bases import base_source
from bundler.image.errors import BaseUnreadable, BaseUnsuitable
from bundler.image.model import BaseImage
from bundler.model import Platform
from tests.fakes.registry_side import ClientSide
from tests.rig.debian_image import DebianBase


async def base_of(
    name: str, engine: Engine | None, side: ClientSide, cache: Cache, platform: Platform | None = None
) -> BaseImage:
    """Return the image of a name."""
    async with side.client() as client:
        source = base_source(f"docker:{name}", client=client, cache=cache, folder=Path(), engine=engine)
        return await source.image(platform or Platform(architecture="amd64"), (3, 11))


async def test_image_of_an_engine(engine: Engine, base_image: DebianBase, side: ClientSide, cache: Cache) -> None:
    """It is taken out once; its layers are what they were when the engine got them."""
    found = await base_of(base_image.image_id, engine, side, cache)
    assert (found.python, found.glibc) == ("/usr/bin/python3.11", (2, 36))
    (layer,) = found.layers
    assert (layer.diff_id, layer.digest) == (base_image.diff_id, base_image.diff_id)
    kept = sorted(cache.folder.glob("blobs/??/*"))
    assert await base_of(base_image.image_id, engine, side, cache) == found
    assert sorted(cache.folder.glob("blobs/??/*")) == kept


async def test_image_that_an_engine_does_not_have(engine: Engine, side: ClientSide, cache: Cache) -> None:
    """Nothing is pulled behind anybody's back."""
    with pytest.raises(BaseUnreadable, match="no image 'nobody/has:this'"):
        await base_of("nobody/has:this", engine, side, cache)


async def test_image_for_another_platform(
    engine: Engine, base_image: DebianBase, side: ClientSide, cache: Cache
) -> None:
    """It is not even taken out."""
    with pytest.raises(BaseUnsuitable, match="not for linux/arm64, but for linux/amd64"):
        await base_of(base_image.image_id, engine, side, cache, Platform(architecture="arm64"))
    assert not list(cache.folder.glob("blobs/??/*"))


async def test_no_engine_is_told(side: ClientSide, cache: Cache) -> None:
    """Before anything is done."""
    with pytest.raises(BaseUnreadable, match="needs a Docker engine"):
        await base_of("base:1", None, side, cache)
