"""What refers to a manifest (SBOMs, signatures): the registry's list, or an index behind a tag where it keeps none."""

from __future__ import annotations

import json
from collections.abc import Mapping
from typing import Any

from bundler.model import digest_of
from bundler.registry.errors import RegistryUnusable
from bundler.registry.manifests import OCI_INDEX, parsed
from bundler.registry.reference import Reference, is_digest

MAX_PAGES = 100

Referrer = dict[str, Any]
"""A descriptor of OCI: ``mediaType``, ``digest``, ``size``, ``artifactType``, ``annotations``."""


def tag_of(digest: str) -> str:
    """Return the tag behind which an index of what refers to a manifest is kept: ``sha256-<hex>``."""
    algorithm, _, encoded = digest.partition(":")
    return f"{algorithm[:32]}-{encoded[:64]}"


def subject_of(content: bytes) -> str:
    """Return the digest of what a manifest refers to; empty for nothing."""
    try:
        subject = json.loads(content).get("subject")
    except (ValueError, AttributeError):
        return ""
    digest = subject.get("digest") if isinstance(subject, dict) else None
    return digest if isinstance(digest, str) and is_digest(digest) else ""


def descriptor_of(content: bytes, media_type: str) -> Referrer:
    """Return the descriptor of a manifest, as a list of referrers has it."""
    fields: Mapping[str, Any] = json.loads(content)
    found: Referrer = {"mediaType": media_type, "digest": digest_of(content), "size": len(content)}
    config = fields.get("config")
    artifact_type = fields.get("artifactType") or (config.get("mediaType") if isinstance(config, dict) else None)
    if artifact_type:
        found["artifactType"] = artifact_type
    if fields.get("annotations"):
        found["annotations"] = fields["annotations"]
    return found


def listed(reference: Reference, content: bytes) -> list[Referrer]:
    """Read an index; entries that are none are left out."""
    manifests = parsed(reference, content).get("manifests")
    if not isinstance(manifests, list):
        raise RegistryUnusable(f"what '{reference.endpoint}' gives for referrers of {reference} is no index")
    return [entry for entry in manifests if isinstance(entry, dict) and is_digest(str(entry.get("digest", "")))]


def index_of(referrers: list[Referrer]) -> bytes:
    """Return the bytes of an index of them."""
    index = {"schemaVersion": 2, "mediaType": OCI_INDEX, "manifests": referrers}
    return json.dumps(index, separators=(",", ":")).encode()


def following(link: str) -> str:
    """Return the address of the next page in a header ``Link``; empty when this is the last."""
    for part in link.split(","):
        address, _, relation = part.partition(";")
        if 'rel="next"' in relation.replace(" ", "") or "rel=next" in relation.replace(" ", ""):
            return address.strip().strip("<>")
    return ""
