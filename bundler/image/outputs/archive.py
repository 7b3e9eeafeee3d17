"""Images as one tar that everybody reads: OCI's layout, and beside it the list that ``docker load`` wants."""

from __future__ import annotations

import json
from collections.abc import Collection, Iterator, Mapping, Sequence
from typing import Any, Final

from bundler.image.manifest import descriptor
from bundler.image.model import Image
from bundler.image.outputs.reading import pieces_of
from bundler.layers import tar
from bundler.model import Blob, Digest
from bundler.registry.manifests import OCI_INDEX

REF_NAME: Final = "org.opencontainers.image.ref.name"
LAYOUT: Final = b'{"imageLayoutVersion":"1.0.0"}'

_FULL_NAME: Final = "io.containerd.image.name"


def entries_of(top: Blob, tags: Collection[str], *, repository: str = "") -> list[dict[str, Any]]:
    """Return what ``index.json`` lists: a bundle once for each of its tags.

    Args:
        top: the index or the only manifest.
        tags: names without a repository.
        repository: ``host/name``; empty for none.
    """
    names = [{REF_NAME: tag, **({_FULL_NAME: f"{repository}:{tag}"} if repository else {})} for tag in tags]
    return [{**descriptor(top), "annotations": dict(sorted(name.items()))} for name in names]


def index_json(entries: Sequence[Mapping[str, Any]]) -> bytes:
    """Return the bytes of ``index.json``."""
    fields = {"schemaVersion": 2, "mediaType": OCI_INDEX, "manifests": list(entries)}
    return json.dumps(fields, separators=(",", ":")).encode()


def place_of(digest: Digest) -> str:
    """Return where a blob lies in a layout."""
    algorithm, _, encoded = digest.partition(":")
    return f"blobs/{algorithm}/{encoded}"


def archive_pieces(
    images: Sequence[Image], blobs: Mapping[Digest, Blob], entries: Sequence[Mapping[str, Any]], names: Sequence[str]
) -> Iterator[bytes]:
    """Yield the bytes of an archive; the same for the same arguments.

    Args:
        images: what is in it. Only the first is named for ``docker load``, since a name means one image there.
        blobs: everything that it holds; what is missing the reader must have.
        entries: what ``index.json`` lists.
        names: ``host/name:tag`` each.

    Raises:
        DigestMismatch: a blob has changed meanwhile.
    """
    listed = [
        {
            "Config": place_of(image.config.digest),
            "RepoTags": list(names) if number == 0 and names else None,
            "Layers": [
                *(place_of(layer.digest) for layer in image.base.layers),
                *(place_of(layer.blob.digest) for layer in image.layers),
            ],
        }
        for number, image in enumerate(images)
    ]
    yield from _file("oci-layout", LAYOUT)
    yield from _file("index.json", index_json(entries))
    yield from _file("manifest.json", json.dumps(listed, separators=(",", ":")).encode())
    yield tar.header("blobs", mode=tar.EXECUTABLE_MODE, is_directory=True)
    yield tar.header("blobs/sha256", mode=tar.EXECUTABLE_MODE, is_directory=True)
    for digest in sorted(blobs):
        yield tar.header(place_of(digest), size=blobs[digest].size)
        yield from pieces_of(blobs[digest])
        yield tar.padding(blobs[digest].size)
    yield tar.END


def _file(name: str, content: bytes) -> Iterator[bytes]:
    yield tar.header(name, size=len(content))
    yield content + tar.padding(len(content))
