"""A base in a file: ``tar:FILE``, an archive of OCI's layout or of ``docker save``, or a plain root file system."""

from __future__ import annotations

import asyncio
import json
from pathlib import Path
from typing import Any, Final

from bundler.cache import Cache
from bundler.image.bases.archive_table import archive_contents, archive_table
from bundler.image.bases.contents import Stored, stored_file
from bundler.image.bases.layer_contents import layer_contents
from bundler.image.bases.local_image import Parts, Wanted, described, local_image
from bundler.image.bases.oci_layout import layout_image
from bundler.image.bases.saved_images import saved_image
from bundler.image.errors import BaseInvalid, BaseUnreadable
from bundler.image.model import BaseImage
from bundler.model import Platform, digest_of

_PATH: Final = "/usr/local/sbin:/usr/local/bin:/usr/sbin:/usr/bin:/sbin:/bin"


class TarballBase:
    """A tar, packed with gzip or not.

    Args:
        file: the tar.
        tag: which of several images; empty for the only one.
        cache: keeps what is found in it.
        interpreter: where Python is by the word of the user; empty to look for it.
    """

    def __init__(self, file: Path, tag: str, *, cache: Cache, interpreter: str = "") -> None:
        self._file = file
        self._tag = tag
        self._cache = cache
        self._interpreter = interpreter

    async def image(self, platform: Platform, python: tuple[int, int]) -> BaseImage:
        """Return the image for a platform; see :class:`bundler.image.bases.source.BaseSource`."""
        wanted = Wanted(platform=platform, python=python, interpreter=self._interpreter)
        name = f"tar:{self._file.name}{':' if self._tag else ''}{self._tag}"
        return await asyncio.to_thread(tarball_image, self._file, self._tag, wanted, self._cache, name)


def tarball_image(file: Path, tag: str, wanted: Wanted, cache: Cache, name: str) -> BaseImage:
    """Return the image for a platform in a tar.

    Args:
        file: the tar.
        tag: which of several images; empty for the only one.
        wanted: what is wanted of it.
        cache: keeps what is found in it.
        name: of the image, for people.

    Raises:
        BaseUnreadable: it cannot be read.
        BaseInvalid: it is no such tar, or not safe to use.
        BaseUnsuitable: jobs of this project cannot run on it.
    """
    try:
        table = archive_table(file, cache, name)
    except OSError as error:
        raise BaseUnreadable(f"{name} cannot be read: {error.strerror or error}", where=str(file)) from error
    stored = stored_file(file, cache, name)
    if stored is None:
        raise BaseUnreadable(f"{name} is not there any more", where=str(file))
    if table.kind == "root":
        if tag:
            raise BaseInvalid(f"{name} is a root file system, and has no tags")
        return _root_image(stored, wanted, cache, name)
    contents = archive_contents(table, file, stored, cache, name)
    image = layout_image if table.kind == "oci" else saved_image
    return image(contents, tag, wanted, cache, name)


def _root_image(stored: Stored, wanted: Wanted, cache: Cache, name: str) -> BaseImage:
    """Return an image of one layer, for whatever platform its interpreter is for."""
    diff_id = layer_contents(stored.digest, stored.open, cache, name).diff_id
    config: dict[str, Any] = {
        "architecture": wanted.platform.architecture,
        "os": wanted.platform.os,
        "config": {"Env": [f"PATH={_PATH}"]},
        "rootfs": {"type": "layers", "diff_ids": [diff_id]},
    }
    digest = digest_of(json.dumps(config, separators=(",", ":")).encode())
    layers = [(described(stored, diff_id), stored)]
    return local_image(Parts(name=name, digest=digest, config=config, layers=layers), wanted, cache)
