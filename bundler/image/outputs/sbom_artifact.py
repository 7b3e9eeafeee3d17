"""An SBOM as an artifact of OCI, which refers to the image that it describes."""

from __future__ import annotations

import json
from dataclasses import dataclass
from typing import Any, Final

from bundler.image.manifest import descriptor
from bundler.image.model import Image
from bundler.image.sbom import MEDIA_TYPE
from bundler.model import Blob
from bundler.registry.manifests import OCI_MANIFEST

EMPTY: Final = Blob.of(b"{}", "application/vnd.oci.empty.v1+json")
"""What stands for a config where there is none."""


@dataclass(frozen=True, slots=True, kw_only=True)
class SbomArtifact:
    """An SBOM and the manifest that ties it to an image.

    Attributes:
        content: the SBOM.
        manifest: refers to the image by its field ``subject``.
    """

    content: Blob
    manifest: Blob

    def entry(self) -> dict[str, Any]:
        """Return the descriptor of the manifest, as indexes list it."""
        return {**descriptor(self.manifest), "artifactType": MEDIA_TYPE}


def sbom_artifact(image: Image) -> SbomArtifact | None:
    """Return the SBOM of an image as an artifact, None when it has none."""
    if image.sbom is None:
        return None
    content = Blob.of(image.sbom, MEDIA_TYPE)
    fields = {
        "schemaVersion": 2,
        "mediaType": OCI_MANIFEST,
        "artifactType": MEDIA_TYPE,
        "config": descriptor(EMPTY),
        "layers": [descriptor(content)],
        "subject": descriptor(image.manifest),
    }
    return SbomArtifact(
        content=content, manifest=Blob.of(json.dumps(fields, separators=(",", ":")).encode(), OCI_MANIFEST)
    )
