"""A base in a Docker engine: ``docker:NAME``, taken out by the engine's own ``save`` and kept by its id."""

from __future__ import annotations

import asyncio
from typing import Final

from bundler.cache import Cache
from bundler.docker.engine import Engine
from bundler.image.bases.description import platform_of
from bundler.image.bases.local_image import Wanted
from bundler.image.bases.tarball import tarball_image
from bundler.image.errors import BaseInvalid, BaseUnreadable, BaseUnsuitable
from bundler.image.model import BaseImage
from bundler.model import Platform

_KIND: Final = "saved-image-1"


class EngineBase:
    """An image in a Docker engine.

    Args:
        name: of the image, ``name:tag``, or its id.
        engine: the engine.
        cache: keeps what the engine gave.
        interpreter: where Python is by the word of the user; empty to look for it.
    """

    def __init__(self, name: str, *, engine: Engine, cache: Cache, interpreter: str = "") -> None:
        self._name = name
        self._engine = engine
        self._cache = cache
        self._interpreter = interpreter

    async def image(self, platform: Platform, python: tuple[int, int]) -> BaseImage:
        """Return the image for a platform; see :class:`bundler.image.bases.source.BaseSource`."""
        name = f"docker:{self._name}"
        found = await self._engine.inspect(self._name)
        if found is None:
            raise BaseUnreadable(
                f"the engine has no image {self._name!r}",
                hint="Pull or build it first, or name one in a registry: base = 'host/name:tag'.",
            )
        identity = found.get("Id")
        if not isinstance(identity, str) or not identity:
            raise BaseInvalid(f"the engine does not tell the id of {self._name!r}")
        system, architecture, _ = platform_of({"os": found.get("Os"), "architecture": found.get("Architecture")})
        if (system, architecture) != (platform.os, platform.architecture):
            raise BaseUnsuitable(f"{name} is not for {platform}, but for {system}/{architecture}")
        entry = self._cache.find(_KIND, identity)
        if entry is None:
            with self._cache.writer() as writer:
                await self._engine.save(identity, writer)  # type: ignore[arg-type]  # only `write` is needed
                entry = await asyncio.to_thread(writer.commit, _KIND, identity, {})
        wanted = Wanted(platform=platform, python=python, interpreter=self._interpreter)
        return await asyncio.to_thread(tarball_image, entry.path, "", wanted, self._cache, name)
