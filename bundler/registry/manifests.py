"""Manifests as they are stored: their bytes, checked against digest and media type."""

from __future__ import annotations

import hashlib
import json
from typing import Any, NamedTuple

import httpx

from bundler.errors import DigestMismatch
from bundler.model import digest_of
from bundler.registry.errors import RegistryUnusable
from bundler.registry.reference import Reference, is_digest

OCI_INDEX = "application/vnd.oci.image.index.v1+json"
OCI_MANIFEST = "application/vnd.oci.image.manifest.v1+json"
DOCKER_LIST = "application/vnd.docker.distribution.manifest.list.v2+json"
DOCKER_MANIFEST = "application/vnd.docker.distribution.manifest.v2+json"
MEDIA_TYPES = (OCI_INDEX, OCI_MANIFEST, DOCKER_LIST, DOCKER_MANIFEST)
"""What can be read here, the best first."""

MAX_MANIFEST = 64 * 1024 * 1024
"""Bytes; registries must take 4 MiB."""

_OUTDATED = "application/vnd.docker.distribution.manifest.v1"
_SAYS_NOTHING = frozenset({"", "application/json", "application/octet-stream", "text/plain"})


class Manifest(NamedTuple):
    """A manifest or an index, byte for byte.

    Attributes:
        content: the bytes, of which ``digest`` is the digest.
        media_type: one of :data:`MEDIA_TYPES`.
        digest: ``sha256:...``.
    """

    content: bytes
    media_type: str
    digest: str


class Descriptor(NamedTuple):
    """What is known of a manifest without reading it.

    Attributes:
        digest: of its bytes.
        media_type: as in the answer.
        size: in bytes.
    """

    digest: str
    media_type: str
    size: int


def checked(reference: Reference, response: httpx.Response, content: bytes) -> Manifest:
    """Return the manifest in an answer; DigestMismatch or RegistryUnusable when it is not what it should be."""
    stated = response.headers.get("Docker-Content-Digest", "")
    digest = digest_of(content)
    for claim in (reference.digest, stated):
        if claim and is_digest(claim) and _hashed(content, claim) != claim:
            raise DigestMismatch(f"the manifest that '{reference.endpoint}' gives for {reference} is not {claim}")
    media_type = media_type_of(reference, response.headers.get("Content-Type", ""), content)
    return Manifest(content=content, media_type=media_type, digest=reference.digest or digest)


def media_type_of(reference: Reference, header: str, content: bytes) -> str:
    """Return the media type of a manifest: that of the answer, which must be that in the manifest.

    A manifest that is read as one thing here and as another elsewhere is how people are made to run something else.
    """
    sent = header.partition(";")[0].strip().lower()
    fields = parsed(reference, content)
    written = fields.get("mediaType", "")
    if sent.startswith(_OUTDATED) or fields.get("schemaVersion") == 1:
        raise RegistryUnusable(
            f"{reference} is an image of Docker's first format, which nobody should use any more",
            hint="Pull it with an old engine and push it again.",
        )
    if not isinstance(written, str) or (sent not in _SAYS_NOTHING and written and written != sent):
        raise RegistryUnusable(f"'{reference.endpoint}' calls {reference} '{sent}', which says '{written}' of itself")
    found = sent if sent not in _SAYS_NOTHING else written or _by_fields(fields)
    is_index = "manifests" in fields
    if found not in MEDIA_TYPES or is_index != (found in {OCI_INDEX, DOCKER_LIST}) or (is_index and "layers" in fields):
        raise RegistryUnusable(f"{reference} is no image and no index of images, but '{found or 'something else'}'")
    return found


def parsed(reference: Reference, content: bytes) -> dict[str, Any]:
    """Return a manifest's fields; RegistryUnusable when it is no JSON object."""
    try:
        fields = json.loads(content)
    except (ValueError, RecursionError):
        fields = None
    if not isinstance(fields, dict):
        raise RegistryUnusable(f"what '{reference.endpoint}' gives for {reference} is no manifest") from None
    return fields


def _by_fields(fields: dict[str, Any]) -> str:
    return OCI_INDEX if "manifests" in fields else OCI_MANIFEST if "layers" in fields else ""


def _hashed(content: bytes, digest: str) -> str:
    algorithm = digest.partition(":")[0]
    return f"{algorithm}:{hashlib.new(algorithm, content).hexdigest()}"
