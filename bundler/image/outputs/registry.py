"""Into a registry: what is there is left alone, and the tags are moved when all they stand for is there."""

from __future__ import annotations

from collections.abc import Awaitable, Callable, Sequence
from functools import partial
from typing import Final

from bundler.image.concurrent import all_of
from bundler.image.errors import OutputInvalid
from bundler.image.model import BaseLayer, Bundle, Image
from bundler.image.outputs.reading import base_name, ordered
from bundler.image.outputs.sbom_artifact import EMPTY, SbomArtifact, sbom_artifact
from bundler.model import Blob, Digest, Progress, Silent
from bundler.registry.client import RegistryClient
from bundler.registry.errors import RegistryNotFound
from bundler.registry.reference import Reference

_AT_ONCE: Final = 6


class RegistryOutput:
    """A repository in a registry.

    Layers of the base are mounted from where they are when that is the same registry, and streamed otherwise, by way of
    no disk. Readers never see half of anything: a tag names a bundle when the whole of it is there.

    Args:
        repository: where it is pushed to; a tag in it counts as one of the tags.
        client: asks registries.
    """

    def __init__(self, repository: Reference, *, client: RegistryClient) -> None:
        if repository.digest:
            raise OutputInvalid(f"'{repository}' has a digest, which is known when the image is built")
        self._repository = repository
        self._client = client

    async def write(self, bundle: Bundle, *, tags: Sequence[str], progress: Progress) -> str:
        """Push a bundle and return ``host/name@sha256:…``; see :class:`bundler.image.outputs.output.Output`."""
        own = [self._repository.tag] if self._repository.tag else []
        names = [self._repository.with_tag(tag) for tag in dict.fromkeys([*own, *tags])]
        images = ordered(bundle)
        artifacts = [artifact for image in images if (artifact := sbom_artifact(image)) is not None]
        await all_of(self._blobs(images, artifacts, progress), at_once=_AT_ONCE)
        await all_of([partial(self._manifest, image.manifest) for image in images], at_once=_AT_ONCE)
        if bundle.index is not None:
            await self._manifest(bundle.index)
        for image in images:
            await self._attach(image)
        for name in names:
            await self._tag(name, bundle.top)
        return str(self._repository.with_digest(bundle.digest))

    def _blobs(
        self, images: Sequence[Image], artifacts: Sequence[SbomArtifact], progress: Progress
    ) -> list[Callable[[], Awaitable[object]]]:
        """Return what makes sure of every blob, each once; the largest first, since they take longest."""
        theirs = {layer.digest: layer for image in images for layer in image.base.layers if layer.is_distributable}
        calls: dict[Digest, tuple[int, Callable[[], Awaitable[object]]]] = {
            digest: (layer.size, partial(self._base_layer, layer, progress)) for digest, layer in theirs.items()
        }
        named = [(layer.blob, layer.name) for image in images for layer in image.layers]
        plain = [image.config for image in images]
        plain += [blob for artifact in artifacts for blob in (EMPTY, artifact.content)]
        for blob, name in [*named, *((blob, "") for blob in plain)]:
            heard = progress if name else Silent()
            call = partial(self._client.push_blob, self._repository, blob, progress=heard, name=name)
            calls.setdefault(blob.digest, (blob.size, call))
        return [call for _, call in sorted(calls.values(), key=lambda sized: -sized[0])]

    async def _base_layer(self, layer: BaseLayer, progress: Progress) -> None:
        name = base_name(layer)
        if layer.open is not None:
            blob = Blob(digest=layer.digest, size=layer.size, media_type=layer.media_type, open=layer.open)
            await self._client.push_blob(self._repository, blob, progress=progress, name=name)
        elif layer.source is not None:
            await self._client.copy_blob(
                layer.source, self._repository, digest=layer.digest, size=layer.size, progress=progress, name=name
            )

    async def _manifest(self, manifest: Blob) -> None:
        """Store a manifest under its digest, unless it is there."""
        place = self._repository.with_digest(manifest.digest)
        if not await self._is_there(place, manifest):
            await self._put(place, manifest)

    async def _attach(self, image: Image) -> None:
        """Store the SBOM's manifest, and see that it is found by who looks for what refers to the image."""
        artifact = sbom_artifact(image)
        if artifact is None:
            return
        place = self._repository.with_digest(artifact.manifest.digest)
        if await self._is_there(place, artifact.manifest):
            listed = await self._client.referrers(self._repository, image.manifest.digest)
            if any(entry["digest"] == artifact.manifest.digest for entry in listed):
                return
        await self._put(place, artifact.manifest)

    async def _tag(self, name: Reference, manifest: Blob) -> None:
        if not await self._is_there(name, manifest):
            await self._put(name, manifest)

    async def _is_there(self, place: Reference, manifest: Blob) -> bool:
        try:
            found = await self._client.resolve(place)
        except RegistryNotFound:
            return False
        return found.digest == manifest.digest and found.media_type == manifest.media_type

    async def _put(self, place: Reference, manifest: Blob) -> None:
        with manifest.open() as stream:
            await self._client.push_manifest(place, stream.read(), manifest.media_type)
