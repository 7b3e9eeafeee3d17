"""What a repository and an environment may have, and what happens at the limit."""

from __future__ import annotations

import asyncio
from pathlib import Path

import pytest

from executor.registry.errors import RegistryInUse, RegistryUnreadable
from executor.registry.store.limits import BLOCK
from tests.executor.registry.conftest import MakeRegistry
from tests.fakes.image_registry import ImageRegistry, digest_of, image, refused

UNIT = 100_000


def blob(number: int) -> bytes:
    """Return a blob of one unit."""
    return bytes([number]) * UNIT


async def push(registry: ImageRegistry, content: bytes, repository: str) -> int:
    """Try to push a blob in one request; return the status."""
    answer = await registry.client.post(
        f"/v2/{repository}/blobs/uploads/", params={"digest": digest_of(content)}, content=content
    )
    if answer.status_code != 201:
        refused(answer, 403, "DENIED")
    return answer.status_code


async def test_repository_is_full(make_registry: MakeRegistry) -> None:
    """403, and what is there stays; other repositories go on; deleting makes room."""
    async with make_registry(repository_bytes=2 * UNIT) as registry:
        assert [await push(registry, blob(number), "prod/app") for number in range(3)] == [201, 201, 403]
        assert await push(registry, blob(2), "prod/other") == 201
        assert await registry.has(digest_of(blob(0)))
        await registry.client.delete(f"/v2/prod/app/blobs/{digest_of(blob(0))}")
        assert await push(registry, blob(2), "prod/app") == 201


async def test_environment_is_full(make_registry: MakeRegistry) -> None:
    """What several of its repositories have counts once; other environments go on."""
    async with make_registry(environment_bytes=2 * UNIT, repository_bytes=2 * UNIT) as registry:
        assert await push(registry, blob(0), "prod/app") == 201
        query = {"mount": digest_of(blob(0)), "from": "prod/app"}
        mounted = await registry.client.post("/v2/prod/other/blobs/uploads/", params=query)
        assert mounted.status_code == 201
        assert await push(registry, blob(1), "prod/third") == 201
        assert await push(registry, blob(2), "prod/fourth") == 403
        assert await push(registry, blob(2), "staging/app") == 201


async def test_mount_into_a_full_repository_is_refused(make_registry: MakeRegistry) -> None:
    """It takes no byte of the disk, and yet all of it could become the repository's alone."""
    async with make_registry(repository_bytes=UNIT) as registry:
        await push(registry, blob(0), "prod/app")
        await push(registry, blob(1), "prod/other")
        query = {"mount": digest_of(blob(1)), "from": "prod/other"}
        refused(await registry.client.post("/v2/prod/app/blobs/uploads/", params=query), 403, "DENIED")


async def test_open_uploads_count(make_registry: MakeRegistry) -> None:
    """Else a disk could be filled by what is never ended; the one that goes over the limit is over."""
    async with make_registry(repository_bytes=2 * UNIT) as registry:
        first, second = [await registry.begin() for _ in range(2)]
        assert (await registry.client.patch(first, content=blob(0))).status_code == 202
        assert (await registry.client.patch(second, content=blob(1) + b"x")).status_code == 403
        refused(await registry.client.get(second), 404, "BLOB_UPLOAD_UNKNOWN")
        done = await registry.client.put(first, params={"digest": digest_of(blob(0))})
        assert done.status_code == 201
        assert await push(registry, blob(1), "prod/app") == 201


async def test_pushes_at_once_do_not_exceed_a_quota(make_registry: MakeRegistry) -> None:
    """Ten at once, for three of which there is room."""
    async with make_registry(repository_bytes=3 * UNIT) as registry:
        statuses = await asyncio.gather(*(push(registry, blob(number), "prod/app") for number in range(10)))
        assert statuses.count(201) <= 3
        kept, _ = registry.opened.store.index.usage("prod/app")
        assert kept <= 3 * UNIT


async def test_smallest_things_take_a_block(make_registry: MakeRegistry) -> None:
    """A million blobs of a byte each are no way around a quota; manifests count too."""
    async with make_registry(repository_bytes=4 * BLOCK) as registry:
        await registry.push_image(b"a", tag="v1")
        assert registry.opened.store.index.usage("prod/app") == (3 * BLOCK, 3 * BLOCK)
        await registry.push_image(b"a", tag="v2")
        await registry.push(b"b")
        refused(await registry.put(image(b"{}", b"b"), "v3"), 403, "DENIED")


async def test_quota_is_known_after_a_restart(make_registry: MakeRegistry) -> None:
    """It is made of what is there."""
    async with make_registry(repository_bytes=2 * UNIT) as registry:
        await registry.push_image(blob(0)[:90_000], tag="v1")
        usage = registry.opened.store.index.usage("prod/app")
    async with make_registry(repository_bytes=2 * UNIT) as registry:
        assert registry.opened.store.index.usage("prod/app") == usage
        assert usage == (90_000 + 2 * BLOCK, 90_000 + 2 * BLOCK)
        assert await push(registry, blob(1), "prod/app") == 201
        assert await push(registry, blob(2), "prod/app") == 403


async def test_folder_belongs_to_one_server(make_registry: MakeRegistry) -> None:
    """A second one is refused, by name of the folder."""
    async with make_registry():
        with pytest.raises(RegistryInUse, match="images"):
            async with make_registry():
                pass
    async with make_registry():
        pass


async def test_folder_of_something_else_is_refused(make_registry: MakeRegistry, tmp_path: Path) -> None:
    """Nothing is written into a folder with others' files, or of a newer release."""
    folder = tmp_path / "images"
    folder.mkdir()
    (folder / "thesis.txt").write_text("mine")
    with pytest.raises(RegistryUnreadable, match=r"thesis\.txt"):
        async with make_registry():
            pass
    (folder / "thesis.txt").unlink()
    (folder / "version").write_text("2")
    with pytest.raises(RegistryUnreadable, match="'2'"):
        async with make_registry():
            pass
