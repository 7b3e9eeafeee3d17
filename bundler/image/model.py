"""An image, and what it is made of."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from typing import Any, BinaryIO

from bundler.model import Blob, Digest, Layer, Platform
from bundler.registry.reference import Reference


@dataclass(frozen=True, slots=True, kw_only=True)
class BaseLayer:
    """A layer of the image that ours is built upon; its bytes stay where they are until an output wants them.

    Attributes:
        digest: of the bytes as they are stored.
        size: of them.
        media_type: in the words of OCI.
        diff_id: digest of the tar inside.
        urls: where else it is; a layer that may not be distributed has nothing else.
        source: a repository in a registry that has it; None for one on this machine.
        open: returns a new stream of the bytes; None for one that is in a registry.
    """

    digest: Digest
    size: int
    media_type: str
    diff_id: Digest
    urls: tuple[str, ...] = ()
    source: Reference | None = None
    open: Callable[[], BinaryIO] | None = field(default=None, repr=False, compare=False)

    @property
    def is_distributable(self) -> bool:
        """Whether it may be pushed; one that may not is fetched from its own addresses by whoever runs the image."""
        return "nondistributable" not in self.media_type


@dataclass(frozen=True, slots=True, kw_only=True)
class BaseImage:
    """The image that ours is built upon, for one platform.

    Attributes:
        name: for people, ``host/python:3.11-slim``, ``tar:base.tar``; no folder of this machine is in it. A label of
            our image when it is in a registry.
        reference: its name in a registry with the digest of its manifest; empty for one that is in none.
        digest: of its manifest; for one without, of its config.
        config: the JSON object that OCI calls image config.
        layers: from the bottom up.
        platform: what it runs on.
        python: absolute path of the interpreter in it.
        glibc: version of its C library; None when nothing was looked into.
        notes: what the user should be told, a sentence each.
    """

    name: str
    reference: str
    digest: Digest
    config: Mapping[str, Any] = field(repr=False)
    layers: tuple[BaseLayer, ...]
    platform: Platform
    python: str
    glibc: tuple[int, int] | None = None
    notes: tuple[str, ...] = ()


@dataclass(frozen=True, slots=True, kw_only=True)
class Image:
    """An image for one platform.

    Attributes:
        platform: what it runs on.
        config: its bytes.
        manifest: its bytes; their digest is the image's.
        base: what it is built upon.
        layers: ours, upon those of the base, from the bottom up.
        sbom: what is in it, as CycloneDX JSON; None for none.
    """

    platform: Platform
    config: Blob
    manifest: Blob
    base: BaseImage
    layers: tuple[Layer, ...]
    sbom: bytes | None = field(default=None, repr=False)


@dataclass(frozen=True, slots=True, kw_only=True)
class Bundle:
    """What a build makes: an image, or one for each platform and an index of them.

    Attributes:
        images: one for each platform.
        index: None for a single image.
    """

    images: tuple[Image, ...]
    index: Blob | None = None

    @property
    def top(self) -> Blob:
        """The bytes that stand for all of it: the index, or the only manifest."""
        return self.index if self.index is not None else self.images[0].manifest

    @property
    def digest(self) -> Digest:
        """The digest by which all of it is known."""
        return self.top.digest
