"""Reads what is pushed as a manifest: what it refers to, and whether everybody would read it the same way."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass, field
from typing import Any, Final

import msgspec

from executor.registry.errors import ManifestInvalid
from executor.registry.names import is_digest

OCI_MANIFEST: Final = "application/vnd.oci.image.manifest.v1+json"
OCI_INDEX: Final = "application/vnd.oci.image.index.v1+json"
DOCKER_MANIFEST: Final = "application/vnd.docker.distribution.manifest.v2+json"
DOCKER_LIST: Final = "application/vnd.docker.distribution.manifest.list.v2+json"
_INDEXES: Final = frozenset({OCI_INDEX, DOCKER_LIST})
_KINDS: Final = frozenset({OCI_MANIFEST, DOCKER_MANIFEST}) | _INDEXES
_KNOWN: Final = frozenset({"schemaversion", "mediatype", "config", "layers", "manifests", "subject", "artifacttype"})
_MAX_PARTS: Final = 20_000
_FORMAT: Final = 2
_MAX_SIZE: Final = 2**63 - 1


class _Descriptor(msgspec.Struct, rename="camel"):
    media_type: str
    digest: str
    size: int
    urls: list[str] | None = None


class _Fields(msgspec.Struct, rename="camel"):
    schema_version: int
    media_type: str | None = None
    config: _Descriptor | None = None
    layers: list[_Descriptor] | None = None
    manifests: list[_Descriptor] | None = None
    subject: _Descriptor | None = None
    artifact_type: str | None = None
    annotations: dict[str, str] | None = None


_decode = msgspec.json.Decoder(_Fields).decode
_decode_keys = msgspec.json.Decoder(dict[str, msgspec.Raw]).decode


@dataclass(frozen=True, slots=True, kw_only=True)
class Part:
    """What a manifest refers to, and must be there: ``size`` is in bytes."""

    digest: str
    size: int


@dataclass(frozen=True, slots=True, kw_only=True)
class Manifest:
    """A manifest or an index.

    Attributes:
        digest: by which it is kept.
        size: in bytes.
        media_type: one of the four that are kept here.
        blobs: its config and layers, each once.
        manifests: the manifests of an index, each once.
        subject: the digest of what it tells about, or empty; that one need not be there.
        artifact_type: what a list of referrers says of it, or empty.
        annotations: the same.
    """

    digest: str
    size: int
    media_type: str
    blobs: tuple[Part, ...] = ()
    manifests: tuple[Part, ...] = ()
    subject: str = ""
    artifact_type: str = ""
    annotations: dict[str, str] = field(default_factory=dict)

    def descriptor(self) -> dict[str, Any]:
        """Return what a list of referrers says of it."""
        found: dict[str, Any] = {"mediaType": self.media_type, "digest": self.digest, "size": self.size}
        if self.artifact_type:
            found["artifactType"] = self.artifact_type
        if self.annotations:
            found["annotations"] = self.annotations
        return found


def read_manifest(content: bytes, media_type: str, digest: str) -> Manifest:
    """Return what a manifest refers to.

    Args:
        content: its bytes.
        media_type: as the request said it, without parameters.
        digest: of the bytes.

    Raises:
        ManifestInvalid: it is none of the kinds that are kept here, calls itself another than the request does, could
            be read as an image and as an index, or has layers that lie elsewhere.
    """
    fields = _parse(content)
    if media_type not in _KINDS:
        raise ManifestInvalid(
            f"manifests of the media type '{media_type[:100]}' are not kept here",
            hint="Push an image or an index in the format of OCI, or of Docker's second schema.",
        )
    if fields.schema_version != _FORMAT:
        raise ManifestInvalid(f"the manifest's schemaVersion is {fields.schema_version}, and {_FORMAT} is expected")
    if fields.media_type is not None and fields.media_type != media_type:
        raise ManifestInvalid(f"the manifest calls itself '{fields.media_type[:100]}', and the request '{media_type}'")
    is_index = media_type in _INDEXES
    if is_index != (fields.manifests is not None) or (is_index and (fields.layers or fields.config)):
        raise ManifestInvalid(f"the fields of the manifest are not those of '{media_type}'")
    if not is_index and fields.config is None:
        raise ManifestInvalid("the manifest has no config")
    for descriptor in _descriptors(fields):
        _check(descriptor)
    if fields.subject is not None and not is_digest(fields.subject.digest):
        raise ManifestInvalid(f"the manifest's subject '{fields.subject.digest[:100]}' is no digest")
    config = [fields.config] if fields.config is not None else []
    artifact_type = fields.artifact_type or (fields.config.media_type if fields.config is not None else "")
    return Manifest(
        digest=digest, size=len(content), media_type=media_type,
        blobs=_parts([*config, *(fields.layers or [])]), manifests=_parts(fields.manifests or []),
        subject=fields.subject.digest if fields.subject is not None else "",
        artifact_type=artifact_type, annotations=fields.annotations or {},
    )  # fmt: skip


def _parse(content: bytes) -> _Fields:
    try:
        keys = _decode_keys(content)
        fields = _decode(content)
    except (msgspec.MsgspecError, UnicodeDecodeError, RecursionError) as error:
        raise ManifestInvalid(f"what was sent is no manifest: {str(error)[:200]}") from None
    folded = [key.lower() for key in keys if key.lower() in _KNOWN]
    if len(folded) != len(set(folded)):
        # Go's decoder, which engines use, does not tell 'Layers' from 'layers'.
        raise ManifestInvalid("the manifest has two fields whose names differ in capital letters alone")
    return fields


def _descriptors(fields: _Fields) -> Iterator[_Descriptor]:
    if fields.config is not None:
        yield fields.config
    for count, descriptor in enumerate([*(fields.layers or []), *(fields.manifests or [])]):
        if count >= _MAX_PARTS:
            raise ManifestInvalid(f"the manifest refers to more than {_MAX_PARTS} things")
        yield descriptor


def _check(descriptor: _Descriptor) -> None:
    if not is_digest(descriptor.digest):
        raise ManifestInvalid(f"the manifest refers to '{descriptor.digest[:100]}', which is no digest")
    if not 0 <= descriptor.size <= _MAX_SIZE:
        raise ManifestInvalid(f"the manifest says that {descriptor.digest} has {descriptor.size} bytes")
    if descriptor.urls:
        raise ManifestInvalid(
            f"the manifest says that {descriptor.digest} lies at '{descriptor.urls[0][:100]}'",
            hint="Images here are whole: push all layers, and leave out 'urls'.",
        )


def _parts(descriptors: list[_Descriptor]) -> tuple[Part, ...]:
    sizes: dict[str, int] = {}
    for descriptor in descriptors:
        if sizes.setdefault(descriptor.digest, descriptor.size) != descriptor.size:
            raise ManifestInvalid(f"the manifest gives {descriptor.digest} two sizes")
    return tuple(Part(digest=digest, size=size) for digest, size in sizes.items())
