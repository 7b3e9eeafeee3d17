"""A base in a folder as OCI lays it out: ``oci:DIR`` or ``oci:DIR:TAG``."""

from __future__ import annotations

import asyncio
from pathlib import Path

from bundler.cache import Cache
from bundler.image.bases.contents import FolderContents
from bundler.image.bases.local_image import Wanted
from bundler.image.bases.oci_layout import layout_image
from bundler.image.errors import BaseUnreadable
from bundler.image.model import BaseImage
from bundler.model import Platform


class LayoutBase:
    """A folder as OCI lays it out.

    Args:
        folder: the folder.
        tag: which of several images; empty for the only one.
        cache: keeps what is found in layers.
        interpreter: where Python is by the word of the user; empty to look for it.
    """

    def __init__(self, folder: Path, tag: str, *, cache: Cache, interpreter: str = "") -> None:
        self._folder = folder
        self._tag = tag
        self._cache = cache
        self._interpreter = interpreter

    async def image(self, platform: Platform, python: tuple[int, int]) -> BaseImage:
        """Return the image for a platform; see :class:`bundler.image.bases.source.BaseSource`."""
        wanted = Wanted(platform=platform, python=python, interpreter=self._interpreter)
        return await asyncio.to_thread(self._image, wanted)

    def _image(self, wanted: Wanted) -> BaseImage:
        name = f"oci:{self._folder.name}{':' if self._tag else ''}{self._tag}"
        if not self._folder.is_dir():
            raise BaseUnreadable(f"{name} is no folder", where=str(self._folder))
        contents = FolderContents(self._folder, self._cache, name)
        return layout_image(contents, self._tag, wanted, self._cache, name)
