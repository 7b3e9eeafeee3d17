"""Reads a folder as OCI lays images out, with nothing of ours but the eyes of a test."""

from __future__ import annotations

import gzip
import hashlib
import io
import json
import tarfile
from dataclasses import dataclass
from pathlib import Path
from typing import Any


@dataclass(frozen=True, slots=True)
class Layout:
    """An image, or an index of some, in a folder.

    Attributes:
        folder: the folder.
        digest: of the manifest or the index.
    """

    folder: Path
    digest: str

    @property
    def top(self) -> dict[str, Any]:
        """The manifest or the index."""
        return self.read_json(self.digest)

    def image(self, architecture: str = "") -> LayoutImage:
        """Return the image, of an index that for an architecture."""
        if not architecture:
            return LayoutImage(self, self.top)
        (entry,) = (each for each in self.top["manifests"] if each["platform"]["architecture"] == architecture)
        return LayoutImage(self, self.read_json(entry["digest"]))

    def read(self, digest: str) -> bytes:
        """Return a blob, after checking that it is what its name says."""
        content = (self.folder / "blobs/sha256" / digest.removeprefix("sha256:")).read_bytes()
        assert f"sha256:{hashlib.sha256(content).hexdigest()}" == digest
        return content

    def read_json(self, digest: str) -> dict[str, Any]:
        """Return a blob as JSON."""
        found: dict[str, Any] = json.loads(self.read(digest))
        return found


@dataclass(frozen=True, slots=True)
class LayoutImage:
    """One image of a layout."""

    layout: Layout
    manifest: dict[str, Any]

    @property
    def config(self) -> dict[str, Any]:
        """Its config."""
        return self.layout.read_json(self.manifest["config"]["digest"])

    @property
    def labels(self) -> dict[str, str]:
        """Its labels."""
        found: dict[str, str] = self.config["config"]["Labels"]
        return found

    @property
    def files(self) -> dict[str, bytes]:
        """The files of all its layers by path, after checking each layer's digests."""
        found: dict[str, bytes] = {}
        diff_ids = self.config["rootfs"]["diff_ids"]
        for layer, diff_id in zip(self.manifest["layers"], diff_ids, strict=True):
            content = gzip.decompress(self.layout.read(layer["digest"]))
            assert f"sha256:{hashlib.sha256(content).hexdigest()}" == diff_id
            with tarfile.open(fileobj=io.BytesIO(content)) as archive:
                regular = [(entry.name, archive.extractfile(entry)) for entry in archive if entry.isfile()]
            found |= {name: file.read() for name, file in regular if file is not None}
        return found
