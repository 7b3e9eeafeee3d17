"""A base in a registry: its manifest and config are kept by digest, and its layers are left where they are."""

from __future__ import annotations

import asyncio
from collections.abc import Mapping, Sequence
from contextlib import aclosing
from functools import partial
from typing import Any, Final

from bundler.cache import Cache
from bundler.image.bases.description import (
    MOST_CONFIG,
    LayerDescription,
    descriptor_fields,
    json_object,
    layers_of,
    platform_of,
)
from bundler.image.bases.interpreter import Interpreter, found_interpreter, stated_interpreter
from bundler.image.bases.layer_contents import LayerContents, LayerScan, recalled, remember
from bundler.image.bases.local_image import Wanted, cannot_be_seen
from bundler.image.bases.selection import (
    INDEXES,
    MANIFESTS,
    MOST_NESTED,
    candidates,
    entries_of,
    fits,
    unsuitable,
)
from bundler.image.concurrent import all_of
from bundler.image.errors import BaseInvalid
from bundler.image.model import BaseImage, BaseLayer
from bundler.model import Digest, Platform
from bundler.registry.client import RegistryClient
from bundler.registry.errors import RegistryUnreachable
from bundler.registry.reference import Reference

_MANIFEST: Final = "base-manifest-1"
_CONFIG: Final = "base-config-1"
_TAG: Final = "base-tag-1"
_AT_ONCE: Final = 3

_Found = tuple[Digest, Mapping[str, Any], Mapping[str, Any]]


class RegistryBase:
    """An image in a registry. A tag is asked for with each build, and what it means is read only when it is new.

    Args:
        reference: the image; None for the slim image of the Python that is wanted.
        client: asks the registry.
        cache: keeps manifests, configs and what was found in layers.
        interpreter: where Python is by the word of the user; empty to look for it.
    """

    def __init__(
        self, reference: Reference | None, *, client: RegistryClient, cache: Cache, interpreter: str = ""
    ) -> None:
        self._reference = reference
        self._client = client
        self._cache = cache
        self._interpreter = interpreter
        self._asked = asyncio.Lock()
        self._answers: dict[str, tuple[Digest, tuple[str, ...]]] = {}

    async def image(self, platform: Platform, python: tuple[int, int]) -> BaseImage:
        """Return the image for a platform; see :class:`bundler.image.bases.source.BaseSource`."""
        wanted = Wanted(platform=platform, python=python, interpreter=self._interpreter)
        reference = self._reference or Reference.parse(f"python:{python[0]}.{python[1]}-slim")
        top, notes = await self._top(reference)
        name = str(reference)
        digest, manifest, config = await self._for_platform(reference.with_digest(top), wanted, name)
        pinned = reference.with_digest(digest)
        layers = layers_of(manifest, config, name)
        interpreter = await self._find_interpreter(pinned, config, layers, wanted, name)
        return BaseImage(
            name=name, reference=str(pinned), digest=digest, config=config, platform=platform,
            layers=tuple(_layer(description, pinned) for description in layers),
            python=interpreter.path, glibc=interpreter.glibc, notes=notes,
        )  # fmt: skip

    async def _top(self, reference: Reference) -> tuple[Digest, tuple[str, ...]]:
        """Return the digest that a reference means now, or the last that was seen when the registry is out of reach."""
        if reference.digest:
            return reference.digest, ()
        async with self._asked:  # once for all platforms: a tag may move meanwhile
            if str(reference) not in self._answers:
                self._answers[str(reference)] = await self._meant(reference)
        return self._answers[str(reference)]

    async def _meant(self, reference: Reference) -> tuple[Digest, tuple[str, ...]]:
        try:
            found = await self._client.resolve(reference)
        except RegistryUnreachable as error:
            known = self._cache.recall(_TAG, str(reference))
            if known is None:
                raise
            digest = str(known["digest"])
            note = f"{error.message}; {reference} is taken to be {digest} still, as in an earlier build"
            return digest, (note,)
        self._cache.remember(_TAG, str(reference), {"digest": found.digest})
        return found.digest, ()

    async def _for_platform(self, reference: Reference, wanted: Wanted, name: str) -> _Found:
        """Return digest, manifest and config of the image for a platform."""
        seen: list[Mapping[str, Any]] = []
        found = await self._match(reference, wanted, name, seen, 0)
        if found is None:
            raise unsuitable(seen, wanted.platform, name)
        return found

    async def _match(
        self, reference: Reference, wanted: Wanted, name: str, seen: list[Mapping[str, Any]], depth: int
    ) -> _Found | None:
        media_type, fields = await self._manifest(reference)
        if media_type in INDEXES:
            if depth >= MOST_NESTED:
                raise BaseInvalid(f"{name} has indexes in indexes in indexes")
            entries = entries_of(fields, name)
            seen += entries
            for entry in candidates(entries, wanted.platform):
                found = await self._match(reference.with_digest(entry["digest"]), wanted, name, seen, depth + 1)
                if found is not None:
                    return found
            return None
        config = await self._config(reference, fields, name)
        if fits(config, wanted.platform):
            return reference.digest, fields, config
        seen.append({"platform": dict(zip(("os", "architecture", "variant"), platform_of(config), strict=True))})
        return None

    async def _manifest(self, reference: Reference) -> tuple[str, Mapping[str, Any]]:
        """Return media type and fields of a manifest, which is asked for once."""
        entry = await asyncio.to_thread(self._cache.find, _MANIFEST, reference.digest)
        if entry is not None and entry.digest == reference.digest:
            content, media_type = entry.path.read_bytes(), str(entry.facts["media_type"])
        else:
            found = await self._client.manifest(reference)
            content, media_type = found.content, found.media_type
            self._cache.put(_MANIFEST, reference.digest, content, {"media_type": media_type})
        if media_type not in INDEXES | MANIFESTS:
            raise BaseInvalid(f"{reference} is no image, but {media_type[:200]!r}")
        return media_type, json_object(content, str(reference))

    async def _config(self, reference: Reference, manifest: Mapping[str, Any], name: str) -> Mapping[str, Any]:
        _, digest, size = descriptor_fields(manifest.get("config"), f"the config of {name}")
        if size > MOST_CONFIG:
            raise BaseInvalid(f"the config of {name} has {size} bytes, where at most {MOST_CONFIG} are expected")
        entry = await asyncio.to_thread(self._cache.find, _CONFIG, digest)
        if entry is not None and entry.digest == digest:
            return json_object(entry.path.read_bytes(), f"the config of {name}")
        content = b"".join([chunk async for chunk in self._client.blob(reference, digest, size)])
        fields = json_object(content, f"the config of {name}")
        self._cache.put(_CONFIG, digest, content)
        return fields

    async def _find_interpreter(
        self,
        reference: Reference,
        config: Mapping[str, Any],
        layers: Sequence[LayerDescription],
        wanted: Wanted,
        name: str,
    ) -> Interpreter:
        """Return the interpreter: by the word of the user, by the image's own, else by what is in its layers."""
        if wanted.interpreter:
            return Interpreter(path=wanted.interpreter)
        stated = stated_interpreter(config, wanted.python, name)
        if stated is not None:
            return stated
        if any(layer.media_type.endswith("+zstd") or "nondistributable" in layer.media_type for layer in layers):
            return cannot_be_seen(name, wanted.python)
        contents = await all_of(
            [
                partial(self._contents, reference, layer, f"layer {number} of {name}")
                for number, layer in enumerate(layers, 1)
            ],
            at_once=_AT_ONCE,
        )
        return found_interpreter(config, contents, python=wanted.python, platform=wanted.platform, where=name)

    async def _contents(self, reference: Reference, layer: LayerDescription, where: str) -> LayerContents:
        """Return what is in a layer, which is read from the registry once, and kept nowhere."""
        found = recalled(layer.digest, self._cache)
        if found is None:
            scan = LayerScan(where)
            async with aclosing(self._client.blob(reference, layer.digest, layer.size)) as chunks:
                async for chunk in chunks:
                    await asyncio.to_thread(scan.feed, chunk)
            found = scan.finish()
            remember(layer.digest, found, self._cache)
        if found.diff_id != layer.diff_id:
            raise BaseInvalid(f"{where} unpacks to {found.diff_id}, where the config says {layer.diff_id}")
        return found


def _layer(description: LayerDescription, reference: Reference) -> BaseLayer:
    return BaseLayer(
        digest=description.digest, size=description.size, media_type=description.media_type,
        diff_id=description.diff_id, urls=description.urls, source=reference,
    )  # fmt: skip
