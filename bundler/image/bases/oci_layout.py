"""An image in OCI's layout, in a folder or an archive."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any, Final

from bundler.cache import Cache
from bundler.image.bases.contents import Contents, Stored
from bundler.image.bases.description import MOST_CONFIG, descriptor_fields, json_object, layers_of
from bundler.image.bases.local_image import Parts, Wanted, local_image
from bundler.image.bases.selection import (
    INDEXES,
    MOST_NESTED,
    Descriptor,
    candidates,
    entries_of,
    fits,
    unsuitable,
)
from bundler.image.errors import BaseInvalid, BaseUnsuitable
from bundler.image.model import BaseImage
from bundler.registry.manifests import MAX_MANIFEST

REF_NAME: Final = "org.opencontainers.image.ref.name"
"""Annotation in ``index.json`` that names a tag."""

_FULL_NAME: Final = "io.containerd.image.name"
_VERSION: Final = "1."

_Found = tuple[Descriptor, Mapping[str, Any], Mapping[str, Any]]


def layout_image(contents: Contents, tag: str, wanted: Wanted, cache: Cache, name: str) -> BaseImage:
    """Return the image for a platform in a layout.

    Args:
        contents: the files of the layout.
        tag: which of several images; empty for the only one.
        wanted: what is wanted of it.
        cache: keeps what is found in layers.
        name: of the image, for people.

    Raises:
        BaseInvalid: it is no layout, contradicts itself, or has several images and no tag says which.
        BaseUnsuitable: it has none for that platform.
    """
    return local_image(_Layout(contents, name).parts(tag, wanted), wanted, cache)


class _Layout:
    """Finds an image in a layout."""

    def __init__(self, contents: Contents, name: str) -> None:
        self._contents = contents
        self._name = name

    def parts(self, tag: str, wanted: Wanted) -> Parts:
        """Return the parts of the image for a platform."""
        entries = entries_of(self._index(), f"the index of {self._name}")
        if tag:
            entries = [entry for entry in entries if _is_called(entry, tag)]
            if not entries:
                raise BaseInvalid(f"{self._name} has no image called {tag!r}")
        found = {}
        for entry in candidates(entries, wanted.platform):
            match = self._match(entry, wanted, 0)
            if match is not None:
                found[match[0]["digest"]] = match
        if not found:
            raise self._unsuitable(entries, wanted)
        if len(found) > 1:
            names = ", ".join(sorted({_name_of(entry) for entry in entries} - {""})) or "none of them has a tag"
            raise BaseInvalid(
                f"{self._name} has {len(found)} images for {wanted.platform}", detail=names,
                hint="Say which: oci:DIR:TAG.",
            )  # fmt: skip
        ((descriptor, manifest, config),) = found.values()
        layers = layers_of(manifest, config, self._name)
        stored = [
            (layer, self._blob(layer.digest, layer.size, required="nondistributable" not in layer.media_type))
            for layer in layers
        ]
        return Parts(name=self._name, digest=descriptor["digest"], config=config, layers=stored)

    def _index(self) -> Mapping[str, Any]:
        version = self._json("oci-layout").get("imageLayoutVersion")
        if not isinstance(version, str) or not version.startswith(_VERSION):
            raise BaseInvalid(f"{self._name} is an OCI layout of a version that is not known here: {version!r}")
        return self._json("index.json")

    def _json(self, name: str) -> Mapping[str, Any]:
        stored = self._contents.find(name)
        if stored is None:
            raise BaseInvalid(f"{self._name} is no OCI layout: it has no {name}")
        return json_object(stored.read(MAX_MANIFEST, name), f"{name} of {self._name}")

    def _match(self, entry: Descriptor, wanted: Wanted, depth: int) -> _Found | None:
        """Return descriptor, manifest and config of the image for a platform that an entry is or holds."""
        media_type, digest, size = descriptor_fields(entry, f"an entry of {self._name}")
        stored = self._blob(digest, size, required=False)
        if stored is None:
            return None  # engines write indexes of all platforms, and the blobs of one
        fields = json_object(stored.read(MAX_MANIFEST, digest), f"{digest[:19]}… of {self._name}")
        if fields.get("mediaType", media_type) != media_type:
            raise BaseInvalid(f"{digest} of {self._name} is called {media_type}, and says {fields['mediaType']!r}")
        if media_type in INDEXES:
            if depth >= MOST_NESTED:
                raise BaseInvalid(f"{self._name} has indexes in indexes in indexes")
            nested = candidates(entries_of(fields, f"an index of {self._name}"), wanted.platform)
            matches = (self._match(one, wanted, depth + 1) for one in nested)
            return next((match for match in matches if match is not None), None)
        _, config_digest, config_size = descriptor_fields(fields.get("config"), f"the config of {self._name}")
        config_blob = self._blob(config_digest, config_size, required=True)
        assert config_blob is not None  # noqa: S101 - it is required
        config = json_object(config_blob.read(MOST_CONFIG, config_digest), f"the config of {self._name}")
        return (entry, fields, config) if fits(config, wanted.platform) else None

    def _blob(self, digest: str, size: int, *, required: bool) -> Stored | None:
        algorithm, _, encoded = digest.partition(":")
        stored = self._contents.find(f"blobs/{algorithm}/{encoded}")
        if stored is None:
            if required:
                raise BaseInvalid(f"{self._name} is not complete: it lacks {digest}")
            return None
        if algorithm != "sha256":
            raise BaseInvalid(f"{self._name} has digests that are not checked here: {algorithm}")
        if (stored.digest, stored.size) != (digest, size):
            raise BaseInvalid(f"{digest} in {self._name} is something else: it is damaged, or somebody changed it")
        return stored

    def _unsuitable(self, entries: list[Descriptor], wanted: Wanted) -> BaseUnsuitable | BaseInvalid:
        """Return why nothing fits: what is listed is for others, or what fits is not there."""
        if entries and not any(self._contents.find(_place(entry)) for entry in entries):
            return BaseInvalid(f"{self._name} is not complete: it lacks {entries[0]['digest']}")
        seen: list[Descriptor] = []
        for entry in entries:
            stored = self._contents.find(_place(entry))
            if stored is None:
                continue
            fields = json_object(stored.read(MAX_MANIFEST, self._name), self._name)
            if entry["mediaType"] in INDEXES:
                seen += entries_of(fields, self._name)
                continue
            descriptor = fields.get("config")
            config = self._contents.find(_place(descriptor)) if isinstance(descriptor, dict) else None
            if config is not None:
                seen.append({"platform": json_object(config.read(MOST_CONFIG, self._name), self._name)})
        return unsuitable(seen, wanted.platform, self._name)


def _place(descriptor: Descriptor) -> str:
    algorithm, _, encoded = str(descriptor.get("digest", "")).partition(":")
    return f"blobs/{algorithm}/{encoded}"


def _name_of(entry: Descriptor) -> str:
    annotations = entry.get("annotations")
    return str(annotations.get(REF_NAME, "")) if isinstance(annotations, Mapping) else ""


def _is_called(entry: Descriptor, tag: str) -> bool:
    annotations = entry.get("annotations")
    full = str(annotations.get(_FULL_NAME, "")) if isinstance(annotations, Mapping) else ""
    return tag in {_name_of(entry), full}
