"""Into a Docker engine, which is given only the layers that it does not have."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

from bundler.docker.engine import Engine
from bundler.docker.errors import EngineFailed
from bundler.image.errors import OutputFailed, OutputInvalid
from bundler.image.model import Bundle, Image
from bundler.image.outputs.archive import archive_pieces, entries_of
from bundler.image.outputs.reading import LayerReader, counted, ordered, told
from bundler.image.outputs.tarball import UNNAMED
from bundler.model import Digest, Progress


class EngineOutput:
    """A Docker engine.

    Args:
        engine: the engine.
        repository: ``host/name`` for the names of the image; empty to know it by its id alone.
        reader: gives the layers of the base.
    """

    def __init__(self, engine: Engine, *, repository: str, reader: LayerReader) -> None:
        self._engine = engine
        self._repository = repository
        self._reader = reader

    async def write(self, bundle: Bundle, *, tags: Sequence[str], progress: Progress) -> str:
        """Load the image for the engine's platform and return its id; see :class:`..output.Output`."""
        image = await self._own(bundle)
        names = [f"{self._repository}:{tag}" for tag in tags or UNNAMED] if self._repository else []
        identity = await self._known(image)
        if not identity:
            known = await self._layers_known(image, names)
            identity = await self._load_what_is_missing(image, known, tags or UNNAMED, progress)
        for name in names:
            await self._engine.tag(identity, name)
        return identity

    async def _own(self, bundle: Bundle) -> Image:
        """Return the image for the engine's own platform."""
        version = await self._engine.ping()
        images = ordered(bundle)
        for image in images:
            if (image.platform.os, image.platform.architecture) == (version.os, version.architecture):
                return image
        if len(images) == 1:
            return images[0]  # engines hold images of others too
        raise OutputInvalid(
            f"none of the images is for the engine's platform, {version.os}/{version.architecture}",
            hint="Build for that platform, or for one alone.",
        )

    async def _known(self, image: Image) -> str:
        """Return the id of an image that is there; engines know it by its config, newer ones by its manifest."""
        for digest in (image.config.digest, image.manifest.digest):
            found = await self._engine.inspect(digest)
            if found is not None and _diff_ids(found) == _own_diff_ids(image):
                return str(found["Id"])
        return ""

    async def _layers_known(self, image: Image, names: Sequence[str]) -> frozenset[Digest]:
        """Return which layers an engine needs not be given: those that images there begin with too."""
        wanted = [(layer.diff_id, layer.digest) for layer in image.base.layers]
        wanted += [(layer.diff_id, layer.blob.digest) for layer in image.layers]
        most = 0
        for name in (*names, image.base.reference, image.base.name.removeprefix("docker:")):
            found = await self._engine.inspect(name) if name and not name.startswith(("oci:", "tar:")) else None
            theirs = _diff_ids(found) if found is not None else []
            same = 0
            while same < min(len(theirs), len(wanted)) and theirs[same] == wanted[same][0]:
                same += 1
            most = max(most, same)
        return frozenset(digest for _, digest in wanted[:most]) - {digest for _, digest in wanted[most:]}

    async def _load_what_is_missing(
        self, image: Image, known: frozenset[Digest], tags: Sequence[str], progress: Progress
    ) -> str:
        if known:
            try:
                return await self._load(image, known, tags, progress)
            except EngineFailed:
                pass  # an engine that stores images as they are pushed wants all of them
        return await self._load(image, frozenset(), tags, progress)

    async def _load(self, image: Image, without: frozenset[Digest], tags: Sequence[str], progress: Progress) -> str:
        blobs = await self._reader.blobs([image], progress, without=without)
        entries = entries_of(image.manifest, tags, repository=self._repository)
        names = [f"{self._repository}:{tag}" for tag in tags] if self._repository else []
        with told(progress, "docker load", sum(blob.size for blob in blobs.values())) as advance:
            await self._engine.load(counted(archive_pieces([image], blobs, entries, names), advance))
        identity = await self._known(image)
        if not identity:
            raise OutputFailed("the engine has taken the image, and does not know it afterwards")
        return identity


def _diff_ids(found: Mapping[str, Any]) -> list[str]:
    """Return the layers of an image as an engine tells them."""
    rootfs = found.get("RootFS")
    layers = rootfs.get("Layers") if isinstance(rootfs, Mapping) else None
    return [str(layer) for layer in layers] if isinstance(layers, list) else []


def _own_diff_ids(image: Image) -> list[str]:
    return [*(layer.diff_id for layer in image.base.layers), *(layer.diff_id for layer in image.layers)]
