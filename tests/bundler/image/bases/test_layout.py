"""Bases in folders as OCI lays them out."""

import io
import json
import os
from collections.abc import Awaitable, Callable
from pathlib import Path
from typing import BinaryIO

import pytest

from bundler.cache import Cache
from bundler.image.bases.layer_contents import layer_contents
from bundler.image.errors import BaseInvalid, BaseUnreadable, BaseUnsuitable
from bundler.image.model import BaseImage
from tests.fakes.images import (
    OCI_INDEX,
    OFFICIAL,
    MadeImage,
    index_of,
    program,
    root_files,
    saved,
    sha256,
    tar_of,
    to_json,
    write_layout,
)

BaseOf = Callable[..., Awaitable[BaseImage]]


def tagged(image: MadeImage, tag: str) -> dict[str, object]:
    """Return what an index lists of an image with a tag."""
    return {**image.entry, "annotations": {"org.opencontainers.image.ref.name": tag}}


@pytest.mark.parametrize("is_docker", [False, True])
async def test_image_in_a_folder(base_of: BaseOf, tmp_path: Path, is_docker: bool) -> None:
    """Its layers are read from where they are, and the interpreter is looked for in them."""
    made = MadeImage(is_docker=is_docker)
    write_layout(tmp_path / "base", made.blobs(), [made.entry])
    found = await base_of("oci:base")
    assert (found.name, found.reference, found.digest) == ("oci:base", "", made.digest)
    assert (found.python, found.glibc) == ("/usr/bin/python3.11", (2, 36))
    (layer,) = found.layers
    assert (layer.media_type, layer.source) == ("application/vnd.oci.image.layer.v1.tar+gzip", None)
    assert layer.open is not None
    with layer.open() as stream:
        assert stream.read() == made.layers[0]


async def test_image_in_a_nested_index_of_which_only_one_is_there(base_of: BaseOf, tmp_path: Path) -> None:
    """Engines write the index of all platforms, and the blobs of one."""
    amd, arm = MadeImage(), MadeImage(architecture="arm64")
    inner = index_of([arm.entry, amd.entry])
    entry = {"mediaType": OCI_INDEX, "digest": sha256(inner), "size": len(inner)}
    write_layout(tmp_path / "base", [inner, *amd.blobs()], [entry])
    assert (await base_of("oci:base")).digest == amd.digest
    with pytest.raises(BaseUnsuitable, match="not for linux/arm64"):
        await base_of("oci:base", architecture="arm64")


async def test_tag_says_which_of_several(base_of: BaseOf, tmp_path: Path) -> None:
    """Without a tag it must be clear which one is meant."""
    one, other = MadeImage(), MadeImage(env=OFFICIAL)
    write_layout(tmp_path / "base", [*one.blobs(), *other.blobs()], [tagged(one, "a"), tagged(other, "b")])
    assert (await base_of("oci:base:b")).digest == other.digest
    with pytest.raises(BaseInvalid, match="2 images for linux/amd64") as caught:
        await base_of("oci:base")
    assert caught.value.problem.detail == "a, b"
    with pytest.raises(BaseInvalid, match="no image called 'c'"):
        await base_of("oci:base:c")


async def test_sbom_beside_an_image_is_passed_over(base_of: BaseOf, tmp_path: Path) -> None:
    """What has an artifact type is no image."""
    made = MadeImage()
    artifact = {**made.entry, "digest": sha256(b"x"), "artifactType": "application/vnd.cyclonedx+json"}
    write_layout(tmp_path / "base", made.blobs(), [artifact, made.entry])
    assert (await base_of("oci:base")).digest == made.digest


async def test_layer_that_was_written_to_is_refused(base_of: BaseOf, tmp_path: Path) -> None:
    """What is known of a file holds as long as it stays as it is, whatever its size and time say."""
    made = MadeImage()
    folder = write_layout(tmp_path / "base", made.blobs(), [made.entry])
    await base_of("oci:base")
    path = folder / "blobs" / "sha256" / sha256(made.layers[0])[7:]
    before = path.stat()
    with path.open("r+b") as stream:
        stream.seek(-1, os.SEEK_END)
        stream.write(bytes([made.layers[0][-1] ^ 1]))
    os.utime(path, ns=(before.st_atime_ns, before.st_mtime_ns))
    with pytest.raises(BaseInvalid, match="something else"):
        await base_of("oci:base")


def test_layer_is_looked_into_once(cache: Cache) -> None:
    """What was found is kept by the layer's digest."""
    made = MadeImage()
    opened = []

    def open_layer() -> BinaryIO:
        opened.append(1)
        return io.BytesIO(made.layers[0])

    digest = sha256(made.layers[0])
    found = [layer_contents(digest, open_layer, cache, "layer") for _ in range(2)]
    assert found[0] == found[1]
    assert (found[0].diff_id, found[0].interpreters) == (sha256(made.tars[0]), ("usr/bin/python3.11",))
    assert opened == [1]


@pytest.mark.parametrize("part", ["layer", "config", "manifest"])
@pytest.mark.parametrize("damage", ["changed", "cut", "missing", "pipe", "folder"])
async def test_damaged_layout_is_refused(base_of: BaseOf, tmp_path: Path, part: str, damage: str) -> None:
    """Whatever is wrong with whichever blob; a pipe is not waited for."""
    made = MadeImage()
    content = {"layer": made.layers[0], "config": made.config, "manifest": made.manifest}[part]
    folder = write_layout(tmp_path / "base", made.blobs(), [made.entry])
    path = folder / "blobs" / "sha256" / sha256(content)[7:]
    if damage == "changed":
        path.write_bytes(content[:-1] + b"?")
    elif damage == "cut":
        path.write_bytes(content[:-1])
    else:
        path.unlink()
        if damage == "pipe":
            os.mkfifo(path)
        elif damage == "folder":
            path.mkdir()
    faults = {"changed": "something else", "cut": "something else", "missing": "lacks"}
    with pytest.raises(BaseInvalid, match=faults.get(damage, "no plain file")):
        await base_of("oci:base")


@pytest.mark.parametrize(
    ("name", "content", "fault"),
    [
        ("oci-layout", b'{"imageLayoutVersion":"2.0.0"}', "version that is not known"),
        ("oci-layout", b"{}", "version that is not known"),
        ("oci-layout", None, "it has no oci-layout"),
        ("index.json", b"[]", "no JSON object"),
        ("index.json", b"[" * 100_000, "no JSON object"),
        ("index.json", b'{"manifests":3}', "no index"),
        ("index.json", b'{"manifests":[3]}', "not described"),
        ("index.json", None, "it has no index.json"),
    ],
)
async def test_folder_that_is_no_layout_is_refused(
    base_of: BaseOf, tmp_path: Path, name: str, content: bytes | None, fault: str
) -> None:
    """Of another version, or with files that are something else."""
    made = MadeImage()
    folder = write_layout(tmp_path / "base", made.blobs(), [made.entry])
    (folder / name).unlink()
    if content is not None:
        (folder / name).write_bytes(content)
    with pytest.raises(BaseInvalid, match=fault):
        await base_of("oci:base")


async def test_digests_do_not_lead_elsewhere(base_of: BaseOf, tmp_path: Path) -> None:
    """A digest is no path."""
    made = MadeImage()
    entry = {**made.entry, "digest": "sha256:../../index.json"}
    write_layout(tmp_path / "base", made.blobs(), [entry])
    with pytest.raises(BaseInvalid, match="not described"):
        await base_of("oci:base")


async def test_program_for_another_machine_is_refused(base_of: BaseOf, tmp_path: Path) -> None:
    """A config that lies about its platform is found out by the interpreter."""
    made = MadeImage(tars=[tar_of(root_files("arm64"))])
    write_layout(tmp_path / "base", made.blobs(), [made.entry])
    with pytest.raises(BaseUnsuitable, match="not for linux/amd64, but for linux/arm64"):
        await base_of("oci:base")


async def test_layers_packed_with_zstd(base_of: BaseOf, tmp_path: Path) -> None:
    """They cannot be looked into: somebody must say where the interpreter is."""
    made = MadeImage()
    layer = b"\x28\xb5\x2f\xfd" + b"z" * 100
    fields = json.loads(made.manifest)
    media_type = "application/vnd.oci.image.layer.v1.tar+zstd"
    fields["layers"] = [{"mediaType": media_type, "digest": sha256(layer), "size": len(layer)}]
    manifest = to_json(fields)
    entry = {**made.entry, "digest": sha256(manifest), "size": len(manifest)}
    write_layout(tmp_path / "base", [made.config, manifest, layer], [entry])
    with pytest.raises(BaseUnsuitable, match="cannot be looked into") as caught:
        await base_of("oci:base")
    assert "python = " in caught.value.problem.hint
    found = await base_of("oci:base", interpreter="/usr/bin/python3.11")
    assert (found.python, found.layers[0].media_type) == ("/usr/bin/python3.11", media_type)


async def test_missing_folder_is_told(base_of: BaseOf, tmp_path: Path) -> None:
    """And a file in its place."""
    with pytest.raises(BaseUnreadable, match="no file or folder 'nothing'"):
        await base_of("oci:nothing")
    (tmp_path / "file").write_bytes(program())
    with pytest.raises(BaseUnreadable, match="no folder"):
        await base_of("oci:file")


async def test_layout_by_skopeo(base_of: BaseOf, tmp_path: Path, skopeo: Callable[..., bytes]) -> None:
    """A real one, with a tag."""
    (tmp_path / "base.tar").write_bytes(tar_of(saved(MadeImage())))
    skopeo("copy", f"docker-archive:{tmp_path / 'base.tar'}", f"oci:{tmp_path / 'layout'}:3.11")
    found = await base_of("oci:layout:3.11")
    assert (found.name, found.python) == ("oci:layout:3.11", "/usr/bin/python3.11")
