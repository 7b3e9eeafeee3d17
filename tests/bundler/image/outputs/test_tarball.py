"""Images into one file."""

import io
import json
import tarfile
from collections.abc import Awaitable, Callable
from pathlib import Path

import pytest

from bundler.errors import DigestMismatch
from bundler.image.errors import OutputFailed, OutputInvalid
from bundler.image.model import Bundle, Image
from bundler.model import Blob, Layer

BundleOf = Callable[..., Awaitable[Bundle]]
Write = Callable[..., Awaitable[str]]


def names_in(folder: Path) -> set[str]:
    """Return what is in a folder."""
    return {path.name for path in folder.iterdir()}


async def test_file_holds_both_formats(local_bundle: BundleOf, write: Write, tmp_path: Path) -> None:
    """OCI's layout, and the list that ``docker load`` wants; nothing of the machine is in it."""
    bundle = await local_bundle("amd64", "arm64")
    file = tmp_path / "made" / "out.tar"
    assert (
        await write("tar:made/out.tar", bundle, "v1", repository="host.example/team/app") == f"{file}@{bundle.digest}"
    )
    with tarfile.open(file) as archive:
        members = archive.getmembers()
        index = json.load(archive.extractfile("index.json") or io.BytesIO())
        listed = json.load(archive.extractfile("manifest.json") or io.BytesIO())
    assert len({member.name for member in members}) == len(members)
    assert {(member.uid, member.gid, member.mtime, member.uname) for member in members} == {(0, 0, 0, "")}
    (entry,) = index["manifests"]
    assert entry["digest"] == bundle.digest
    assert entry["annotations"] == {
        "io.containerd.image.name": "host.example/team/app:v1", "org.opencontainers.image.ref.name": "v1",
    }  # fmt: skip
    assert [one["RepoTags"] for one in listed] == [["host.example/team/app:v1"], None]
    assert [one["Config"] for one in listed] == [f"blobs/sha256/{one.config.digest[7:]}" for one in bundle.images]
    assert names_in(file.parent) == {"out.tar"}


async def test_bytes_are_the_same_again(local_bundle: BundleOf, write: Write, tmp_path: Path) -> None:
    """And one that is there is replaced."""
    (tmp_path / "two.tar").write_bytes(b"old")
    for name in ("one", "two"):
        await write(f"tar:{name}.tar", await local_bundle(), "v1", repository="host.example/app")
    assert (tmp_path / "one.tar").read_bytes() == (tmp_path / "two.tar").read_bytes()


async def test_interrupted_writing_leaves_the_old_file(local_bundle: BundleOf, write: Write, tmp_path: Path) -> None:
    """A layer changes while it is read."""
    bundle = await local_bundle()
    image = bundle.images[0]
    layer = image.layers[0]
    blob = Blob(
        digest=layer.blob.digest, size=layer.blob.size, media_type="x", open=lambda: io.BytesIO(bytes(layer.blob.size))
    )
    broken = Image(
        platform=image.platform, config=image.config, manifest=image.manifest, base=image.base,
        layers=(Layer(blob=blob, diff_id=layer.diff_id, name="broken"),),
    )  # fmt: skip
    (tmp_path / "out.tar").write_bytes(b"old")
    before = names_in(tmp_path)
    with pytest.raises(DigestMismatch):
        await write("tar:out.tar", Bundle(images=(broken,)))
    assert (tmp_path / "out.tar").read_bytes() == b"old"
    assert names_in(tmp_path) == before


async def test_place_that_cannot_be_written_is_told(local_bundle: BundleOf, write: Write, tmp_path: Path) -> None:
    """A folder of that name, a file where a folder should be."""
    (tmp_path / "folder").mkdir()
    with pytest.raises(OutputInvalid, match="is a folder"):
        await write("tar:folder", await local_bundle())
    (tmp_path / "file").write_text("mine")
    with pytest.raises(OutputFailed, match="cannot be written"):
        await write("tar:file/out.tar", await local_bundle())


async def test_skopeo_reads_it(
    local_bundle: BundleOf, write: Write, skopeo: Callable[..., bytes], tmp_path: Path
) -> None:
    """As an archive of OCI and as one of Docker, with the same image in both."""
    bundle = await local_bundle()
    await write("tar:out.tar", bundle, "v1", repository="host.example/team/app")
    file = tmp_path / "out.tar"
    raw = skopeo("inspect", "--raw", f"oci-archive:{file}")
    with bundle.images[0].manifest.open() as stream:
        assert raw == stream.read()
    with bundle.images[0].config.open() as stream:
        expected = json.load(stream)["rootfs"]["diff_ids"]
    for source in (
        f"oci-archive:{file}:v1",
        f"docker-archive:{file}",
        f"docker-archive:{file}:host.example/team/app:v1",
    ):
        assert json.loads(skopeo("inspect", "--config", source))["rootfs"]["diff_ids"] == expected
    skopeo("copy", f"docker-archive:{file}", f"oci:{tmp_path / 'copied'}:v1")


async def test_skopeo_chooses_a_platform(
    local_bundle: BundleOf, write: Write, skopeo: Callable[..., bytes], tmp_path: Path
) -> None:
    """From an archive of two."""
    bundle = await local_bundle("amd64", "arm64")
    await write("tar:out.tar", bundle, "v1")
    for image in bundle.images:
        arch = image.platform.architecture
        config = skopeo(f"--override-arch={arch}", "inspect", "--config", f"oci-archive:{tmp_path / 'out.tar'}")
        assert json.loads(config)["architecture"] == arch
