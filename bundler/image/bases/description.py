"""Manifest and config of a base, which must fit each other, as one value in the words of OCI."""

from __future__ import annotations

import json
import re
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any, Final

from bundler.image.config import MOST_LAYERS
from bundler.image.errors import BaseInvalid
from bundler.model import Digest
from bundler.registry.reference import is_digest

MOST_CONFIG: Final = 1 << 23
"""Bytes of a config."""

_LAYER: Final = "application/vnd.oci.image.layer"
_DOCKER: Final = "application/vnd.docker.image.rootfs"
_MEDIA_TYPES: Final = {
    f"{_DOCKER}.diff.tar": f"{_LAYER}.v1.tar",
    f"{_DOCKER}.diff.tar.gzip": f"{_LAYER}.v1.tar+gzip",
    f"{_DOCKER}.diff.tar.zstd": f"{_LAYER}.v1.tar+zstd",
    f"{_DOCKER}.foreign.diff.tar": f"{_LAYER}.nondistributable.v1.tar",
    f"{_DOCKER}.foreign.diff.tar.gzip": f"{_LAYER}.nondistributable.v1.tar+gzip",
    "application/vnd.docker.container.image.rootfs.diff+x-gtar": f"{_LAYER}.v1.tar",
}
_OURS: Final = re.compile(re.escape(_LAYER) + r"\.(?:nondistributable\.)?v1\.tar(?:\+gzip|\+zstd)?")
_SHA256: Final = re.compile(r"sha256:[0-9a-f]{64}")
_ARCHITECTURES: Final = {"x86_64": "amd64", "x86-64": "amd64", "aarch64": "arm64"}
_ADDRESS: Final = re.compile(r"https?://[^\s]{1,2000}")


@dataclass(frozen=True, slots=True, kw_only=True)
class LayerDescription:
    """What is said of a layer.

    Attributes:
        digest: of its bytes.
        size: of them.
        media_type: in the words of OCI.
        diff_id: digest of the tar inside.
        urls: where else it is.
    """

    digest: Digest
    size: int
    media_type: str
    diff_id: Digest
    urls: tuple[str, ...]


def json_object(content: bytes, where: str) -> dict[str, Any]:
    """Return the JSON object in bytes; BaseInvalid when there is none."""
    try:
        fields = json.loads(content)
    except (ValueError, RecursionError):
        fields = None
    if not isinstance(fields, dict):
        raise BaseInvalid(f"{where} is no JSON object")
    return fields


def layers_of(manifest: Mapping[str, Any], config: Mapping[str, Any], where: str) -> tuple[LayerDescription, ...]:
    """Return what manifest and config together say of the layers, from the bottom up.

    Raises:
        BaseInvalid: they do not fit each other, or are of a kind that images cannot be built upon.
    """
    layers = manifest.get("layers")
    if not isinstance(layers, list) or not layers:
        raise BaseInvalid(f"{where} is no image: its manifest has no layers")
    return tuple(
        _layer(layer, diff_id, f"layer {number} of {where}")
        for number, (layer, diff_id) in enumerate(zip(layers, diff_ids_of(config, len(layers), where), strict=True), 1)
    )


def diff_ids_of(config: Mapping[str, Any], count: int, where: str) -> tuple[Digest, ...]:
    """Return the digests of the tars of so many layers; BaseInvalid when the config has others, or too many."""
    rootfs = config.get("rootfs")
    found = rootfs.get("diff_ids") if isinstance(rootfs, dict) else None
    if not isinstance(found, list) or not all(isinstance(entry, str) and _SHA256.fullmatch(entry) for entry in found):
        raise BaseInvalid(f"the config of {where} does not say what its layers are")
    if len(found) != count:
        raise BaseInvalid(f"{where} has {count} layers, and its config knows {len(found)}")
    if count > MOST_LAYERS:
        raise BaseInvalid(f"{where} has {count} layers, where engines stack {MOST_LAYERS}")
    _check_history(config.get("history"), count, where)
    return tuple(found)


def platform_of(fields: Mapping[str, Any]) -> tuple[str, str, str]:
    """Return system, architecture and its variant, as a config or a descriptor has them; empty for what is not said."""
    values = [fields.get(name) for name in ("os", "architecture", "variant")]
    system, architecture, variant = (value if isinstance(value, str) else "" for value in values)
    return system, _ARCHITECTURES.get(architecture, architecture), variant


def descriptor_fields(descriptor: object, where: str) -> tuple[str, Digest, int]:
    """Return media type, digest and size of a descriptor; BaseInvalid when it is none."""
    fields = descriptor if isinstance(descriptor, dict) else {}
    media_type, digest, size = fields.get("mediaType"), fields.get("digest"), fields.get("size")
    if not isinstance(digest, str) or not is_digest(digest) or not isinstance(media_type, str):
        raise BaseInvalid(f"{where} is not described as it should be")
    if not isinstance(size, int) or isinstance(size, bool) or size < 0:
        raise BaseInvalid(f"{where} is described with a size that is none")
    return media_type, digest, size


def _layer(descriptor: object, diff_id: Digest, where: str) -> LayerDescription:
    media_type, digest, size = descriptor_fields(descriptor, where)
    known = _MEDIA_TYPES.get(media_type, media_type)
    if not _OURS.fullmatch(known):
        raise BaseInvalid(f"{where} is of a kind that cannot be used: {media_type[:200]!r}")
    urls = descriptor.get("urls") or () if isinstance(descriptor, dict) else ()
    if not isinstance(urls, list | tuple) or not all(isinstance(url, str) and _ADDRESS.fullmatch(url) for url in urls):
        raise BaseInvalid(f"{where} names addresses that are none")
    return LayerDescription(digest=digest, size=size, media_type=known, diff_id=diff_id, urls=tuple(urls))


def _check_history(history: object, count: int, where: str) -> None:
    """Engines refuse an image whose history tells of more layers than it has."""
    if history is None:
        return
    if not isinstance(history, list) or not all(isinstance(entry, dict) for entry in history):
        raise BaseInvalid(f"the history of {where} is none")
    told = sum(1 for entry in history if not entry.get("empty_layer"))
    if told > count:
        raise BaseInvalid(f"the history of {where} tells of {told} layers, and it has {count}")
