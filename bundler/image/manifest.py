"""The manifest of an image, and the index of those for several platforms."""

from __future__ import annotations

import json
from collections.abc import Mapping, Sequence
from typing import Any

from bundler.image.model import BaseImage, BaseLayer, Image
from bundler.model import Blob, Layer, Platform
from bundler.registry.manifests import OCI_INDEX, OCI_MANIFEST


def manifest_of(
    base: BaseImage, config: Blob, layers: Sequence[Layer], *, annotations: Mapping[str, str] | None = None
) -> Blob:
    """Return the manifest of an image.

    Args:
        base: what it is built upon.
        config: of the image.
        layers: ours, from the bottom up.
        annotations: such as revision and source.
    """
    fields: dict[str, Any] = {
        "schemaVersion": 2,
        "mediaType": OCI_MANIFEST,
        "config": descriptor(config),
        "layers": [*map(_base_descriptor, base.layers), *(descriptor(layer.blob) for layer in layers)],
        **_annotations(annotations),
    }
    return Blob.of(_json(fields), OCI_MANIFEST)


def index_of(images: Sequence[Image], *, annotations: Mapping[str, str] | None = None) -> Blob:
    """Return the index of images, in the order of their platforms' names."""
    manifests = [
        {**descriptor(image.manifest), "platform": _platform(image.platform)}
        for image in sorted(images, key=lambda image: str(image.platform))
    ]
    fields = {"schemaVersion": 2, "mediaType": OCI_INDEX, "manifests": manifests, **_annotations(annotations)}
    return Blob.of(_json(fields), OCI_INDEX)


def descriptor(blob: Blob) -> dict[str, Any]:
    """Return the descriptor of a blob."""
    return {"mediaType": blob.media_type, "digest": blob.digest, "size": blob.size}


def _base_descriptor(layer: BaseLayer) -> dict[str, Any]:
    urls = {"urls": list(layer.urls)} if layer.urls else {}
    return {"mediaType": layer.media_type, "digest": layer.digest, "size": layer.size, **urls}


def _platform(platform: Platform) -> dict[str, str]:
    variant = {"variant": platform.variant} if platform.variant else {}
    return {"architecture": platform.architecture, "os": platform.os, **variant}


def _annotations(annotations: Mapping[str, str] | None) -> dict[str, dict[str, str]]:
    return {"annotations": dict(sorted(annotations.items()))} if annotations else {}


def _json(fields: Mapping[str, Any]) -> bytes:
    return json.dumps(fields, separators=(",", ":")).encode()
