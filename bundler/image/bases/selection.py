"""The image for a platform among those that an index lists."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any, Final

from bundler.image.bases.description import descriptor_fields, platform_of
from bundler.image.errors import BaseInvalid, BaseUnsuitable
from bundler.model import Platform
from bundler.registry.manifests import DOCKER_LIST, DOCKER_MANIFEST, OCI_INDEX, OCI_MANIFEST

INDEXES: Final = frozenset({OCI_INDEX, DOCKER_LIST})
MANIFESTS: Final = frozenset({OCI_MANIFEST, DOCKER_MANIFEST})
MOST_NESTED: Final = 4
"""Indexes in indexes."""

_MOST_ENTRIES: Final = 1000
_SAME_AS_NONE: Final = {"arm64": "v8", "amd64": "v1"}

Descriptor = Mapping[str, Any]


def entries_of(index: Mapping[str, Any], where: str) -> list[Descriptor]:
    """Return what an index lists of images and indexes; attestations and other things are left out.

    Raises:
        BaseInvalid: it is no index.
    """
    manifests = index.get("manifests")
    if not isinstance(manifests, list) or len(manifests) > _MOST_ENTRIES:
        raise BaseInvalid(f"{where} is no index of images")
    found = []
    for number, entry in enumerate(manifests, 1):
        media_type, _, _ = descriptor_fields(entry, f"entry {number} of {where}")
        if media_type in INDEXES | MANIFESTS and not entry.get("artifactType"):
            found.append(entry)
    return found


def candidates(entries: Sequence[Descriptor], platform: Platform) -> list[Descriptor]:
    """Return which entries may be, or hold, the image for a platform, the best first.

    One that does not say what it is for may be it; its config will tell.
    """
    ranked = [(rank, number) for number, entry in enumerate(entries) if (rank := _rank(entry, platform)) is not None]
    return [entries[number] for _, number in sorted(ranked)]


def unsuitable(entries: Sequence[Descriptor], platform: Platform, where: str) -> BaseUnsuitable:
    """Return the problem that no entry is for a platform."""
    names = {_platform_text(entry.get("platform")) for entry in entries} - {""}
    listed = ", ".join(sorted(names)) or "nothing that can run"
    return BaseUnsuitable(f"{where} is not for {platform}, but for {listed}")


def fits(config: Mapping[str, Any], platform: Platform) -> bool:
    """Tell whether an image with that config runs on a platform."""
    return _rank({"platform": {name: config.get(name) for name in ("os", "architecture", "variant")}}, platform) == 0


def _rank(entry: Descriptor, platform: Platform) -> int | None:
    stated = entry.get("platform")
    if not isinstance(stated, Mapping) or not any(stated.values()):
        return 1
    system, architecture, variant = platform_of(stated)
    if (system, architecture) != (platform.os, platform.architecture):
        return None
    usual = _SAME_AS_NONE.get(architecture, "")
    return 0 if (variant or usual) == (platform.variant or usual) else None


def _platform_text(stated: object) -> str:
    if not isinstance(stated, Mapping):
        return ""
    parts = [part for part in platform_of(stated) if part]
    return "" if "unknown" in parts else "/".join(parts)
