"""Reads the folder of a registry at its start. What a crash or a careless hand has left half is passed over.

A manifest of which a part is missing does not count: who pushes the image again then sends what is missing.
"""

from __future__ import annotations

import logging

from executor.registry.errors import ManifestInvalid
from executor.registry.names import algorithm_of, digest_of
from executor.registry.store.index import Index
from executor.registry.store.layout import Layout
from executor.registry.store.manifests import Manifest, read_manifest

logger = logging.getLogger("trigger.executor.registry")


def load(layout: Layout, index: Index) -> None:
    """Put everything that is in the folder into the index."""
    for name in layout.repositories():
        blobs = _blobs(layout, name)
        for digest, size in blobs.items():
            index.add_blob(name, digest, size)
        manifests = _manifests(layout, name, blobs)
        for manifest in manifests.values():
            index.add_manifest(name, manifest)
        for tag in layout.tags(name):
            digest = layout.tag(name, tag).read_text()
            if digest in manifests:
                index.add_tag(name, tag, digest)
            else:
                logger.warning("tag %s of %s stands for %s, which is not there", tag, name, digest)


def _blobs(layout: Layout, name: str) -> dict[str, int]:
    found = {}
    for digest in layout.blobs(name):
        try:
            size = layout.content(digest).stat().st_size
        except FileNotFoundError:
            logger.warning("the bytes of blob %s of %s are not there", digest, name)
            continue
        if layout.blob(name, digest).read_text() == str(size):
            found[digest] = size
        else:
            logger.warning("the bytes of blob %s of %s are cut: %d are there", digest, name, size)
    return found


def _manifests(layout: Layout, name: str, blobs: dict[str, int]) -> dict[str, Manifest]:
    found = {}
    for digest in layout.manifests(name):
        try:
            content = layout.content(digest).read_bytes()
            media_type = layout.manifest(name, digest).read_text()
            if digest_of(content, algorithm_of(digest)) != digest:
                logger.warning("the bytes of manifest %s of %s are damaged", digest, name)
                continue
            found[digest] = read_manifest(content, media_type, digest)
        except (FileNotFoundError, ManifestInvalid) as error:
            logger.warning("manifest %s of %s cannot be read: %s", digest, name, error)
    while incomplete := [digest for digest, each in found.items() if not _is_complete(each, blobs, found)]:
        for digest in incomplete:
            logger.warning("manifest %s of %s lacks a part", digest, name)
            del found[digest]
    return found


def _is_complete(manifest: Manifest, blobs: dict[str, int], manifests: dict[str, Manifest]) -> bool:
    return all(blobs.get(part.digest) == part.size for part in manifest.blobs) and all(
        part.digest in manifests for part in manifest.manifests
    )
