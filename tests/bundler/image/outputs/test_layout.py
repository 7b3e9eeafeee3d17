"""Images into folders as OCI lays them out."""

import asyncio
import json
import os
import stat
from collections.abc import Awaitable, Callable
from pathlib import Path
from typing import Any, BinaryIO

import pytest

from bundler.cache import Cache
from bundler.errors import DigestMismatch
from bundler.image.bases import base_source
from bundler.image.errors import OutputFailed, OutputInvalid
from bundler.image.model import Bundle
from bundler.model import Blob, Layer, Platform, digest_of
from tests.fakes.images import OFFICIAL, MadeImage
from tests.fakes.registry import FakeRegistry
from tests.fakes.registry_side import ClientSide

BundleOf = Callable[..., Awaitable[Bundle]]
Write = Callable[..., Awaitable[str]]
TAG = "org.opencontainers.image.ref.name"


def contents(folder: Path) -> dict[str, bytes]:
    """Return all files of a folder; blobs are what their names say."""
    found = {str(path.relative_to(folder)): path.read_bytes() for path in folder.rglob("*") if path.is_file()}
    for name, content in found.items():
        if name.startswith("blobs/"):
            assert name == f"blobs/sha256/{digest_of(content)[7:]}"
    return found


def listed(folder: Path) -> list[tuple[str, str]]:
    """Return digests and tags in the index of a layout."""
    entries = json.loads((folder / "index.json").read_bytes())["manifests"]
    return [(entry["digest"], entry.get("annotations", {}).get(TAG, "")) for entry in entries]


def beside(folder: Path) -> list[str]:
    """Return what is in the folder above whose name is like that of the layout."""
    return sorted(path.name for path in folder.parent.iterdir() if folder.name in path.name)


async def test_new_folder(local_bundle: BundleOf, write: Write, tmp_path: Path) -> None:
    """It holds every blob, and the index names the image."""
    bundle = await local_bundle()
    assert await write("oci:made/out", bundle) == f"{tmp_path / 'made' / 'out'}@{bundle.digest}"
    folder = tmp_path / "made" / "out"
    assert listed(folder) == [(bundle.digest, "latest")]
    image = bundle.images[0]
    expected = {image.config.digest, image.manifest.digest, image.base.layers[0].digest, image.layers[0].blob.digest}
    blobs = {f"sha256:{name[13:]}" for name in contents(folder) if name.startswith("blobs/")}
    assert blobs == expected
    assert beside(folder) == ["out"]


async def test_bytes_and_modes_are_the_same_again(local_bundle: BundleOf, write: Write, tmp_path: Path) -> None:
    """Two folders, written with different masks."""
    for name, mask in (("one", 0o077), ("two", 0o022)):
        before = os.umask(mask)
        try:
            await write(f"oci:{name}", await local_bundle("amd64", "arm64"), "v1", "v2")
        finally:
            os.umask(before)
    assert contents(tmp_path / "one") == contents(tmp_path / "two")
    assert stat.S_IMODE((tmp_path / "two").stat().st_mode) == 0o755
    assert stat.S_IMODE((tmp_path / "two" / "index.json").stat().st_mode) == 0o644


async def test_tags_and_sboms_are_listed(local_bundle: BundleOf, write: Write, tmp_path: Path) -> None:
    """Each image's SBOM refers to it; the images themselves are behind the index."""
    bundle = await local_bundle("amd64", "arm64")
    await write("oci:out", bundle, "v1", "v2")
    entries: list[dict[str, Any]] = json.loads((tmp_path / "out" / "index.json").read_bytes())["manifests"]
    assert [entry["digest"] for entry in entries[:2]] == [bundle.digest] * 2
    assert [entry["annotations"][TAG] for entry in entries[:2]] == ["v1", "v2"]
    files = contents(tmp_path / "out")
    for entry, image in zip(entries[2:], bundle.images, strict=True):
        fields = json.loads(files[f"blobs/sha256/{entry['digest'][7:]}"])
        assert entry["artifactType"] == "application/vnd.cyclonedx+json"
        assert fields["subject"]["digest"] == image.manifest.digest
        assert files[f"blobs/sha256/{fields['layers'][0]['digest'][7:]}"] == image.sbom


async def test_folder_that_is_there_is_added_to(local_bundle: BundleOf, write: Write, tmp_path: Path) -> None:
    """What is there stays as it is, file by file; a tag that is given anew moves."""
    one, two = await local_bundle(), await local_bundle(source="print(2)")
    folder = tmp_path / "out"
    await write("oci:out", one, "v1", "stable")
    before = {path: path.stat().st_ino for path in folder.glob("blobs/sha256/*")}
    (folder / "notes.txt").write_text("mine")
    await write("oci:out", two, "v2", "stable")
    assert {path: path.stat().st_ino for path in before} == before
    assert [(digest, tag) for digest, tag in listed(folder) if tag] == [
        (one.digest, "v1"), (two.digest, "v2"), (two.digest, "stable"),
    ]  # fmt: skip
    assert (folder / "notes.txt").read_text() == "mine"
    again = contents(folder)
    await write("oci:out", two, "v2", "stable")
    assert contents(folder) == again


async def test_damaged_blobs_are_written_anew(local_bundle: BundleOf, write: Write, tmp_path: Path) -> None:
    """A blob that is cut, changed, or a link to something else."""
    bundle = await local_bundle()
    await write("oci:out", bundle, "v1")
    expected = contents(tmp_path / "out")
    config, manifest, layer = sorted((tmp_path / "out" / "blobs" / "sha256").iterdir())[:3]
    config.write_bytes(b"")
    manifest.write_bytes(bytes(manifest.stat().st_size))
    (tmp_path / "elsewhere").write_bytes(layer.read_bytes())
    layer.unlink()
    layer.symlink_to(tmp_path / "elsewhere")
    (layer.parent / ".abc.partial").write_bytes(b"half")
    await write("oci:out", bundle, "v1")
    assert contents(tmp_path / "out") == expected
    assert not layer.is_symlink()


async def test_empty_folder_is_used(local_bundle: BundleOf, write: Write, tmp_path: Path) -> None:
    """One that somebody has made for it."""
    (tmp_path / "out").mkdir()
    bundle = await local_bundle()
    await write("oci:out", bundle)
    assert listed(tmp_path / "out") == [(bundle.digest, "latest")]


@pytest.mark.parametrize("kind", ["files", "file", "old", "broken", "blobs", "dangling"])
async def test_what_is_no_layout_is_left_alone(local_bundle: BundleOf, write: Write, tmp_path: Path, kind: str) -> None:
    """A folder with other things, a file, a layout of another version, a half one, a link to nothing."""
    out = tmp_path / "out"
    if kind == "file":
        out.write_text("mine")
    elif kind == "dangling":
        out.symlink_to(tmp_path / "nothing")
    else:
        (out / ("blobs" if kind == "blobs" else "x")).mkdir(parents=True)
    if kind in {"old", "broken"}:
        (out / "oci-layout").write_text('{"imageLayoutVersion":"2"}' if kind == "old" else "{")
    before = sorted(str(path) for path in out.rglob("*")) if kind != "dangling" else []
    with pytest.raises(OutputInvalid):
        await write("oci:out", await local_bundle())
    assert (sorted(str(path) for path in out.rglob("*")) if kind != "dangling" else []) == before
    assert beside(out) == ["out"]


def changing(bundle: Bundle) -> Bundle:
    """Return a bundle whose project layer gives other bytes than it should."""
    image = bundle.images[0]
    layer = image.layers[0]
    blob = Blob(digest=layer.blob.digest, size=layer.blob.size, media_type=layer.blob.media_type, open=_failing)
    broken = Layer(blob=blob, diff_id=layer.diff_id, name=layer.name)
    fields = {name: getattr(image, name) for name in ("platform", "config", "manifest", "base", "sbom")}
    return Bundle(images=(type(image)(**fields, layers=(broken,)),))


def _failing() -> BinaryIO:
    return Blob.of(b"something else", "x").open()


async def test_interrupted_writing_leaves_nothing_half(local_bundle: BundleOf, write: Write, tmp_path: Path) -> None:
    """No folder appears under the name; the next build makes it whole, of what is there."""
    bundle = await local_bundle()
    with pytest.raises(DigestMismatch):
        await write("oci:out", changing(bundle), "v1")
    assert not (tmp_path / "out").exists()
    base = bundle.images[0].base.layers[0].digest
    kept = tmp_path / ".out.partial" / "blobs" / "sha256" / base[7:]
    inode = kept.stat().st_ino
    (kept.parent / ("0" * 64)).write_bytes(b"of another build")
    (kept.parent / f".{base[7:]}.partial").write_bytes(b"half")
    await write("oci:out", bundle, "v2")
    assert [tag for _, tag in listed(tmp_path / "out") if tag] == ["v2"]
    assert (tmp_path / "out" / "blobs" / "sha256" / base[7:]).stat().st_ino == inode
    contents(tmp_path / "out")
    assert beside(tmp_path / "out") == ["out"]


async def test_interrupted_addition_leaves_what_was_there(local_bundle: BundleOf, write: Write, tmp_path: Path) -> None:
    """The index is replaced last."""
    bundle = await local_bundle()
    await write("oci:out", bundle, "v1")
    before = listed(tmp_path / "out")
    with pytest.raises(DigestMismatch):
        await write("oci:out", changing(await local_bundle(source="print(2)")), "v1")
    assert listed(tmp_path / "out") == before
    contents(tmp_path / "out")


async def test_many_at_once_in_one_new_folder(local_bundle: BundleOf, write: Write, tmp_path: Path) -> None:
    """Builds wait for each other, and none loses its tag."""
    bundles = [await local_bundle(source=f"print({number})") for number in range(6)]
    await asyncio.gather(*(write("oci:out", bundle, f"v{number}") for number, bundle in enumerate(bundles)))
    found = {tag: digest for digest, tag in listed(tmp_path / "out") if tag}
    assert found == {f"v{number}": bundle.digest for number, bundle in enumerate(bundles)}
    contents(tmp_path / "out")
    assert beside(tmp_path / "out") == ["out"]


async def test_place_that_cannot_be_written_is_told(local_bundle: BundleOf, write: Write, tmp_path: Path) -> None:
    """A file stands in the way."""
    (tmp_path / "file").write_text("mine")
    with pytest.raises(OutputFailed, match="cannot be written: "):
        await write("oci:file/out", await local_bundle())
    (tmp_path / ".out.partial").write_text("mine")
    with pytest.raises(OutputFailed, match="cannot be written: "):
        await write("oci:out", await local_bundle())


async def test_base_of_a_registry_is_fetched_once(
    fake_registry: FakeRegistry, bundle_from: BundleOf, write: Write, tmp_path: Path
) -> None:
    """It is kept for other folders too; the digest is the same as in a registry."""
    MadeImage(env=OFFICIAL).put_into(fake_registry, "base/python", "3.11")
    bundle = await bundle_from(f"{fake_registry.host}/base/python:3.11")
    for name in ("one", "two"):
        await write(f"oci:{name}", bundle, "v1")
    layer = bundle.images[0].base.layers[0]
    assert len(fake_registry.asked(f"GET .*{layer.digest}")) == 1
    assert contents(tmp_path / "one") == contents(tmp_path / "two")
    assert f"blobs/sha256/{layer.digest[7:]}" in contents(tmp_path / "one")


async def test_foreign_layers_are_left_out(
    fake_registry: FakeRegistry, bundle_from: BundleOf, write: Write, tmp_path: Path
) -> None:
    """They may not be distributed, and are fetched from elsewhere by who runs the image."""
    made = MadeImage(env=OFFICIAL, is_docker=True, urls=["https://elsewhere.example/layer"])
    made.put_into(fake_registry, "base/python", "3.11")
    bundle = await bundle_from(f"{fake_registry.host}/base/python:3.11")
    await write("oci:out", bundle)
    assert f"blobs/sha256/{bundle.images[0].base.layers[0].digest[7:]}" not in contents(tmp_path / "out")


async def test_skopeo_reads_it(
    local_bundle: BundleOf, write: Write, skopeo: Callable[..., bytes], side: ClientSide, tmp_path: Path
) -> None:
    """With and without a tag, of one platform and of two; and so do we, as a base."""
    single, both = await local_bundle(), await local_bundle("amd64", "arm64")
    await write("oci:single", single)
    await write("oci:both", both, "v1")
    found = json.loads(skopeo("inspect", "--config", f"oci:{tmp_path / 'single'}"))
    with single.images[0].config.open() as stream:
        assert found["rootfs"] == json.load(stream)["rootfs"]
    for image in both.images:
        arch = f"--override-arch={image.platform.architecture}"
        skopeo(arch, "copy", f"oci:{tmp_path / 'both'}:v1", f"oci:{tmp_path / image.platform.architecture}:v1")
        assert listed(tmp_path / image.platform.architecture) == [(image.manifest.digest, "v1")]
    async with side.client() as client:
        bases = base_source("oci:both:v1", client=client, cache=Cache(tmp_path / "c"), folder=tmp_path)
        again = await bases.image(Platform(architecture="arm64"), (3, 11))
    assert again.digest == both.images[1].manifest.digest
