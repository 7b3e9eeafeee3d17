"""What nothing needs goes, and nothing else: also beside pushes, and after a crash."""

from __future__ import annotations

from pathlib import Path

import pytest

from executor.registry.store.store import Collected
from tests.executor.registry.conftest import MakeRegistry
from tests.fakes.image_registry import (
    OCI_INDEX,
    OCI_MANIFEST,
    ImageRegistry,
    descriptor,
    digest_of,
    image,
    index,
    refused,
)

BLOB = b"layer" * 1000


def contents(folder: Path) -> set[str]:
    """Return the digests of everything in a registry's folder, wherever it is."""
    return {f"sha256:{path.name}" for path in folder.rglob("content/sha256/*/*")}


async def test_tagged_images_stay(registry: ImageRegistry, tmp_path: Path) -> None:
    """With all their parts, also those of an index; whatever the time is."""
    await registry.push_image(BLOB)
    await registry.push_image(b"other")
    listed = index(image(b"{}", BLOB), image(b"{}", b"other"))
    await registry.put(listed, "v1", media_type=OCI_INDEX)
    registry.side.time += 1_000_000
    before = contents(tmp_path)
    assert await registry.opened.collect() == Collected()
    assert contents(tmp_path) == before


async def test_images_without_a_tag_go(registry: ImageRegistry, tmp_path: Path) -> None:
    """When the grace is over; blobs that nobody refers to as well; what others share stays."""
    kept = await registry.push_image(BLOB, b"mine", tag="v1")
    gone = await registry.push_image(BLOB, b"lone")
    await registry.push(b"never used")
    assert await registry.opened.collect() == Collected()
    registry.side.time += 3601
    collected = await registry.opened.collect()
    freed = len(b"lone") + len(b"never used") + len(image(b"{}", BLOB, b"lone"))
    assert collected == Collected(blobs=2, manifests=1, bytes=freed)
    assert contents(tmp_path) == {kept, *map(digest_of, (b"{}", BLOB, b"mine"))}
    refused(await registry.client.get(f"/v2/prod/app/manifests/{gone}"), 404, "MANIFEST_UNKNOWN")
    assert await registry.opened.collect() == Collected()


async def test_images_of_deployments_stay(registry: ImageRegistry) -> None:
    """By their digest, in whatever repository; with what tells about them, such as an SBOM."""
    digest = await registry.push_image(BLOB)
    subject = descriptor(image(b"{}", BLOB), OCI_MANIFEST)
    sbom = await registry.push_image(b"sbom", subject=subject)
    of_sbom = await registry.push_image(b"signature", subject=descriptor(image(b"{}", b"sbom", subject=subject)))
    registry.side.in_use = {digest, digest_of(b"of another server")}
    registry.side.time += 4000
    assert await registry.opened.collect() == Collected()
    for each in (digest, sbom, of_sbom):
        assert await registry.has(each, kind="manifests")
    registry.side.in_use = set()
    registry.side.time += 4000
    collected = await registry.opened.collect()
    assert (collected.manifests, collected.blobs) == (3, 4)
    answer = await registry.client.get(f"/v2/prod/app/referrers/{digest}")
    assert answer.json()["manifests"] == []


async def test_image_whose_tag_moved_is_kept_for_the_grace(registry: ImageRegistry) -> None:
    """Who has just read the tag can still pull it; then it goes."""
    first = await registry.push_image(b"one", tag="v1")
    registry.side.time += 4000
    await registry.push_image(b"two", tag="v1")
    assert (await registry.opened.collect()).manifests == 0
    registry.side.time += 4000
    assert (await registry.opened.collect()).manifests == 1
    refused(await registry.client.get(f"/v2/prod/app/manifests/{first}"), 404, "MANIFEST_UNKNOWN")


async def test_blob_that_a_push_was_told_of_stays(registry: ImageRegistry) -> None:
    """A client that heard that a layer is there does not send it; its manifest may come much later."""
    await registry.push(BLOB)
    await registry.push(b"{}")
    registry.side.time += 3500
    assert await registry.has(digest_of(BLOB))
    assert await registry.has(digest_of(b"{}"))
    registry.side.time += 3500
    assert await registry.opened.collect() == Collected()
    assert (await registry.put(image(b"{}", BLOB), "v1")).status_code == 201


async def test_mounted_blob_stays_without_its_source(registry: ImageRegistry) -> None:
    """Content goes with the last repository that has it."""
    await registry.push_image(BLOB, tag="v1", repository="prod/base")
    await registry.client.post("/v2/prod/app/blobs/uploads/", params={"mount": digest_of(BLOB), "from": "prod/base"})
    await registry.push_image(BLOB, tag="v1")
    await registry.client.delete("/v2/prod/base/manifests/v1")
    registry.side.time += 4000
    assert (await registry.opened.collect()).manifests == 1
    assert (await registry.client.get(f"/v2/prod/app/blobs/{digest_of(BLOB)}")).content == BLOB
    refused(await registry.client.get("/v2/prod/base/tags/list"), 404, "NAME_UNKNOWN")


async def test_open_upload_is_not_collected(registry: ImageRegistry) -> None:
    """It goes by its own time: after an hour without a byte."""
    location = await registry.begin()
    await registry.client.patch(location, content=BLOB[:10])
    registry.side.time += 3000
    await registry.opened.collect(grace_s=0)
    await registry.client.patch(location, content=BLOB[10:20])
    registry.side.time += 3000
    await registry.opened.collect(grace_s=0)
    assert (await registry.client.get(location)).headers["range"] == "0-19"
    registry.side.time += 4000
    await registry.opened.collect()
    refused(await registry.client.get(location), 404, "BLOB_UPLOAD_UNKNOWN")


async def test_upload_leaves_no_file(registry: ImageRegistry, tmp_path: Path) -> None:
    """Ended, cancelled or expired."""
    for end in ("done", "cancelled", "expired"):
        location = await registry.begin()
        if end == "done":
            await registry.client.put(location, params={"digest": digest_of(BLOB)}, content=BLOB)
        elif end == "cancelled":
            await registry.client.patch(location, content=BLOB)
            await registry.client.delete(location)
        registry.side.time += 4000
        await registry.opened.collect()
        assert [path for path in (tmp_path / "images" / "uploads").rglob("*") if path.is_file()] == []


async def test_nothing_goes_when_it_is_not_known_what_is_in_use(
    registry: ImageRegistry, caplog: pytest.LogCaptureFixture
) -> None:
    """A database that does not answer must not cost an image."""
    digest = await registry.push_image(BLOB)
    registry.side.time += 4000

    async def fails() -> set[str]:
        raise ConnectionError

    registry.opened._in_use = fails
    with pytest.raises(ConnectionError):
        await registry.opened.collect()
    assert await registry.has(digest, kind="manifests")


async def test_content_that_a_crash_left_goes(make_registry: MakeRegistry, tmp_path: Path) -> None:
    """Bytes that were published, and then no repository said that it has them; half-written small files."""
    async with make_registry() as registry:
        await registry.push_image(BLOB, tag="v1")
    orphan = tmp_path / "images" / "content" / "sha256" / "00" / ("0" * 64)
    orphan.parent.mkdir()
    orphan.write_bytes(b"orphan")
    (tmp_path / "images" / "passing" / "half").write_bytes(b"ha")
    async with make_registry() as registry:
        assert not (tmp_path / "images" / "passing" / "half").exists()
        assert await registry.opened.collect() == Collected(bytes=6)
        assert not orphan.exists()
        assert await registry.has("v1", kind="manifests")


async def test_download_goes_on_when_its_blob_is_collected(registry: ImageRegistry) -> None:
    """Who has begun to read reads to the end."""
    content = bytes(8 * 1024 * 1024)
    digest = await registry.push(content)
    async with registry.client.stream("GET", f"/v2/prod/app/blobs/{digest}") as answer:
        pieces = answer.aiter_bytes()
        size = len(await anext(pieces))
        registry.side.time += 4000
        assert (await registry.opened.collect()).blobs == 1
        async for piece in pieces:
            size += len(piece)
    assert size == len(content)
