"""The bytes of a bundle on this machine; those of a base in a registry are fetched once, and kept."""

from __future__ import annotations

import asyncio
import hashlib
from collections.abc import Callable, Collection, Iterable, Iterator
from contextlib import aclosing, contextmanager
from functools import partial
from typing import Final

from bundler.cache import Cache
from bundler.errors import DigestMismatch
from bundler.image.concurrent import all_of
from bundler.image.errors import BaseInvalid
from bundler.image.model import BaseLayer, Bundle, Image
from bundler.model import Blob, Digest, Progress
from bundler.registry.client import RegistryClient
from bundler.registry.content import Meter

_KIND: Final = "base-layer-1"
_CHUNK: Final = 1 << 20
_AT_ONCE: Final = 4


class LayerReader:
    """Gives the layers of bases as blobs on this machine.

    Args:
        client: asks registries.
        cache: keeps what they gave.
    """

    def __init__(self, client: RegistryClient, cache: Cache) -> None:
        self._client = client
        self._cache = cache

    async def blob(self, layer: BaseLayer, progress: Progress) -> Blob:
        """Return the bytes of a layer, which are fetched when they are in a registry and not kept yet.

        Raises:
            BaseInvalid: they are nowhere.
        """
        if layer.open is not None:
            return Blob(digest=layer.digest, size=layer.size, media_type=layer.media_type, open=layer.open)
        if layer.source is None:
            raise BaseInvalid(f"the layer {layer.digest} of the base is nowhere to be had")
        entry = await asyncio.to_thread(self._cache.find, _KIND, layer.digest)
        if entry is None or entry.digest != layer.digest:
            meter = Meter(progress, base_name(layer), layer.size)
            try:
                with self._cache.writer() as writer:
                    async with aclosing(self._client.blob(layer.source, layer.digest, layer.size)) as chunks:
                        async for chunk in chunks:
                            await asyncio.to_thread(writer.write, chunk)
                            meter.at(writer.size)
                    entry = await asyncio.to_thread(writer.commit, _KIND, layer.digest, {})
            finally:
                meter.finish()
        return entry.blob(layer.media_type)

    async def blobs(
        self, images: Collection[Image], progress: Progress, *, without: Collection[Digest] = ()
    ) -> dict[Digest, Blob]:
        """Return all blobs of images by digest: layers, configs, manifests.

        Args:
            images: of which.
            progress: hears of what is fetched.
            without: layers that are not needed.
        """
        theirs = {
            layer.digest: layer
            for image in images
            for layer in image.base.layers
            if layer.is_distributable and layer.digest not in without
        }
        fetched = await all_of([partial(self.blob, layer, progress) for layer in theirs.values()], at_once=_AT_ONCE)
        own = [layer.blob for image in images for layer in image.layers if layer.blob.digest not in without]
        rest = [blob for image in images for blob in (image.config, image.manifest)]
        return {blob.digest: blob for blob in (*fetched, *own, *rest)}


def base_name(layer: BaseLayer) -> str:
    """Return what a layer of a base is called in progress."""
    return f"base {layer.digest.partition(':')[2][:12]}"


@contextmanager
def told(progress: Progress, name: str, total: int) -> Iterator[Callable[[int], None]]:
    """Give what tells, from any thread, how many bytes more are done.

    Args:
        progress: hears it in the thread of the event loop.
        name: of what is done.
        total: in bytes.
    """
    loop = asyncio.get_running_loop()

    def advance(amount: int) -> None:
        loop.call_soon_threadsafe(progress.advance, name, amount)

    progress.start(name, total)
    try:
        yield advance
    finally:
        progress.finish(name)


def counted(pieces: Iterable[bytes], advance: Callable[[int], None]) -> Iterator[bytes]:
    """Yield pieces, and tell how many bytes they have."""
    for piece in pieces:
        advance(len(piece))
        yield piece


def pieces_of(blob: Blob) -> Iterator[bytes]:
    """Yield the bytes of a blob; what is given is exactly so many bytes as it has.

    Raises:
        DigestMismatch: they are other bytes; all but the last of them have been given then.
    """
    seen = hashlib.new(blob.digest.partition(":")[0])
    left = blob.size
    with blob.open() as stream:
        while piece := stream.read(_CHUNK):
            seen.update(piece)
            left -= len(piece)
            if left < 0 or (not left and f"{blob.digest.partition(':')[0]}:{seen.hexdigest()}" != blob.digest):
                break
            yield piece
    if left or f"{blob.digest.partition(':')[0]}:{seen.hexdigest()}" != blob.digest:
        raise DigestMismatch(f"the blob {blob.digest} has changed since its digest was taken")


def ordered(bundle: Bundle) -> tuple[Image, ...]:
    """Return the images of a bundle in the order of their platforms' names."""
    return tuple(sorted(bundle.images, key=lambda image: str(image.platform)))
