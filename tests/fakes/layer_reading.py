"""Reads layers with the standard library's gzip and tarfile."""

import gzip
import hashlib
import io
import tarfile

from bundler.model import Layer


def tar_of(layer: Layer) -> bytes:
    """Return the tar of a layer, after checking its digests."""
    with layer.blob.open() as stream:
        packed = stream.read()
    assert f"sha256:{hashlib.sha256(packed).hexdigest()}" == layer.blob.digest
    assert len(packed) == layer.blob.size
    content = gzip.decompress(packed)
    assert f"sha256:{hashlib.sha256(content).hexdigest()}" == layer.diff_id
    return content


def members_of(layer: Layer) -> dict[str, tarfile.TarInfo]:
    """Return the entries of a layer by name; no name is there twice."""
    with tarfile.open(fileobj=io.BytesIO(tar_of(layer))) as archive:
        members = archive.getmembers()
    assert len({member.name for member in members}) == len(members)
    return {member.name: member for member in members}


def files_of(layer: Layer) -> dict[str, tuple[bytes, bool]]:
    """Return content and permission to execute of each file of a layer, by its path in the image."""
    found = {}
    with tarfile.open(fileobj=io.BytesIO(tar_of(layer))) as archive:
        for member in archive.getmembers():
            content = archive.extractfile(member) if member.isfile() else None
            if content is not None:
                found[member.name] = (content.read(), bool(member.mode & 0o111))
    return found
