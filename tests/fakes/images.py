"""Makes images to build upon, as registries, folders and archives have them."""

from __future__ import annotations

import gzip
import hashlib
import io
import json
import struct
import tarfile
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from tests.fakes.registry import FakeRegistry

OCI_MANIFEST = "application/vnd.oci.image.manifest.v1+json"
OCI_INDEX = "application/vnd.oci.image.index.v1+json"
OCI_CONFIG = "application/vnd.oci.image.config.v1+json"
OCI_LAYER = "application/vnd.oci.image.layer.v1.tar+gzip"
DOCKER_MANIFEST = "application/vnd.docker.distribution.manifest.v2+json"
DOCKER_LIST = "application/vnd.docker.distribution.manifest.list.v2+json"
DOCKER_CONFIG = "application/vnd.docker.container.image.v1+json"
DOCKER_LAYER = "application/vnd.docker.image.rootfs.diff.tar.gzip"

PATH = "PATH=/usr/local/bin:/usr/bin:/bin"
OFFICIAL = (PATH, "PYTHON_VERSION=3.11.9", "PYTHON_SHA256=abc")
"""What the official images say of themselves."""

_MACHINES = {"amd64": 62, "arm64": 183}


def sha256(content: bytes) -> str:
    """Return the digest of bytes."""
    return f"sha256:{hashlib.sha256(content).hexdigest()}"


def to_json(value: object) -> bytes:
    """Return JSON as bytes."""
    return json.dumps(value, separators=(",", ":")).encode()


def program(architecture: str = "amd64") -> bytes:
    """Return the beginning of a program for a machine."""
    return struct.pack("<4sBBB9xHH", b"\x7fELF", 2, 1, 1, 2, _MACHINES.get(architecture, 8)).ljust(3000, b"\7")


def libc(version: str = "2.36") -> bytes:
    """Return a C library, as far as it says which it is."""
    return b"\0" * 5000 + b"GNU C Library (Debian GLIBC 2.36-9) stable release version %b.\n" % version.encode()


def tar_of(files: Mapping[str, bytes | str]) -> bytes:
    """Return a tar: contents by name, or the target of a link as text; a name that ends with a slash is a folder."""
    out = io.BytesIO()
    with tarfile.open(fileobj=out, mode="w", format=tarfile.PAX_FORMAT) as archive:
        for name, content in files.items():
            entry = tarfile.TarInfo(name.rstrip("/"))
            entry.mode = 0o755
            if isinstance(content, str):
                entry.type, entry.linkname = tarfile.SYMTYPE, content
            elif name.endswith("/"):
                entry.type = tarfile.DIRTYPE
            else:
                entry.size = len(content)
            archive.addfile(entry, io.BytesIO(content) if isinstance(content, bytes) and entry.size else None)
    return out.getvalue()


def root_files(architecture: str = "amd64", python: str = "usr/bin/python3.11") -> dict[str, bytes | str]:
    """Return the files of a small root file system with a Python."""
    return {
        "etc/": b"", "etc/os-release": b"ID=small\n", "bin": "usr/bin", python: program(architecture),
        "lib/x86_64-linux-gnu/libc.so.6": libc(), "usr/lib/python3.11/os.py": b"# os\n" * 3000,
    }  # fmt: skip


@dataclass(kw_only=True)
class MadeImage:
    """An image.

    Attributes:
        tars: of its layers, from the bottom up.
        architecture: what its config says.
        env: environment variables in its config.
        more: other fields of its config.
        is_docker: whether it is described in Docker's words.
        urls: addresses of its first layer, which may not be distributed then.
        diff_ids: what the config says of the layers; the truth when it is empty.
    """

    tars: Sequence[bytes] = field(default_factory=lambda: [tar_of(root_files())])
    architecture: str = "amd64"
    env: Sequence[str] = (PATH,)
    more: Mapping[str, Any] = field(default_factory=dict)
    is_docker: bool = False
    urls: Sequence[str] = ()
    diff_ids: Sequence[str] = ()

    @property
    def layers(self) -> list[bytes]:
        """The layers as they are stored."""
        return [gzip.compress(tar, 6, mtime=0) for tar in self.tars]

    @property
    def config(self) -> bytes:
        """Its config."""
        diff_ids = list(self.diff_ids) or [sha256(tar) for tar in self.tars]
        return to_json(
            {
                "architecture": self.architecture, "os": "linux",
                "config": {"Env": list(self.env), "Cmd": ["python3"]},
                "rootfs": {"type": "layers", "diff_ids": diff_ids}, **self.more,
            }
        )  # fmt: skip

    @property
    def media_type(self) -> str:
        """Of its manifest."""
        return DOCKER_MANIFEST if self.is_docker else OCI_MANIFEST

    @property
    def manifest(self) -> bytes:
        """Its manifest."""
        kind = DOCKER_LAYER if self.is_docker else OCI_LAYER
        layers = [{"mediaType": kind, "digest": sha256(layer), "size": len(layer)} for layer in self.layers]
        if self.urls:
            foreign = "application/vnd.docker.image.rootfs.foreign.diff.tar.gzip"
            layers[0] |= {"mediaType": foreign, "urls": list(self.urls)}
        config = {"digest": sha256(self.config), "size": len(self.config)}
        config["mediaType"] = DOCKER_CONFIG if self.is_docker else OCI_CONFIG
        return to_json({"schemaVersion": 2, "mediaType": self.media_type, "config": config, "layers": layers})

    @property
    def digest(self) -> str:
        """Of its manifest."""
        return sha256(self.manifest)

    @property
    def entry(self) -> dict[str, Any]:
        """What an index lists of it."""
        platform = {"os": "linux", "architecture": self.architecture}
        return {
            "mediaType": self.media_type, "digest": self.digest, "size": len(self.manifest), "platform": platform,
        }  # fmt: skip

    def put_into(self, registry: FakeRegistry, name: str, tag: str = "") -> str:
        """Store it in a registry and return the digest."""
        for blob in (self.config, *self.layers):
            registry.put_blob(name, blob)
        return registry.put_manifest(name, tag or self.digest, self.manifest, self.media_type)

    def blobs(self) -> list[bytes]:
        """Return all that a layout has of it."""
        return [self.config, self.manifest, *self.layers]


def index_of(entries: Sequence[Mapping[str, Any]], media_type: str = OCI_INDEX) -> bytes:
    """Return the bytes of an index."""
    return to_json({"schemaVersion": 2, "mediaType": media_type, "manifests": list(entries)})


def write_layout(folder: Path, blobs: Sequence[bytes], entries: Sequence[Mapping[str, Any]]) -> Path:
    """Write a folder as OCI lays it out."""
    for name, content in layout_files(blobs, entries).items():
        (folder / name).parent.mkdir(parents=True, exist_ok=True)
        (folder / name).write_bytes(content)
    return folder


def layout_files(blobs: Sequence[bytes], entries: Sequence[Mapping[str, Any]]) -> dict[str, bytes]:
    """Return the files of a layout by name."""
    files = {"oci-layout": b'{"imageLayoutVersion":"1.0.0"}', "index.json": index_of(entries)}
    return {**files, **{f"blobs/sha256/{sha256(blob)[7:]}": blob for blob in blobs}}


def saved(image: MadeImage, tags: Sequence[str] = ("base:1",)) -> dict[str, bytes | str]:
    """Return the files of the archive that ``docker save`` writes, by name."""
    listed = [{"Config": "abc.json", "RepoTags": list(tags), "Layers": []}]
    files: dict[str, bytes | str] = {"abc.json": image.config}
    for number, tar in enumerate(image.tars):
        files[f"{number}/"] = b""
        files[f"{number}/layer.tar"] = tar
        listed[0]["Layers"] += [f"{number}/layer.tar"]  # type: ignore[operator]  # a list, as it stands above
    return {**files, "manifest.json": to_json(listed)}
