"""A registry that is killed in the middle of pushes, or whose disk is full: nothing half ever counts."""

from __future__ import annotations

import asyncio
import contextlib
import os
import random
import subprocess
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import NoReturn

import httpx
import pytest

from bundler.model import Blob
from bundler.registry.client import RegistryClient
from bundler.registry.reference import Reference
from executor.registry.names import digest_of as computed
from tests.executor.registry.conftest import MakeRegistry
from tests.fakes.image_registry import LAYER, OCI_MANIFEST, digest_of, image, refused
from tests.fakes.image_registry_process import ImageRegistryProcess
from tests.fakes.registry_side import ClientSide

MIB = 1024 * 1024


@pytest.fixture
def start_process(tmp_path: Path) -> Iterator[Callable[..., ImageRegistryProcess]]:
    """Return what starts a registry in a process of its own; killed with the test."""
    started: list[ImageRegistryProcess] = []

    def start(*, disk_bytes: int = 0) -> ImageRegistryProcess:
        started.append(ImageRegistryProcess(tmp_path / "images", disk_bytes=disk_bytes))
        return started[-1].start()

    yield start
    for process in started:
        process.kill()


def layers(round_number: int) -> list[Blob]:
    """Return the layers of an image."""
    noise = random.Random(round_number)
    return [Blob.of(noise.randbytes(size), LAYER) for size in (100, 200_000, 6 * MIB, 3 * MIB)]


async def push(client: RegistryClient, host: str, round_number: int) -> bytes:
    """Push an image with the tag of its round; return its manifest."""
    target = Reference.parse(f"{host}/prod/app:round{round_number}")
    blobs = [Blob.of(b"{}", LAYER), *layers(round_number)]
    await asyncio.gather(*(client.push_blob(target, blob) for blob in blobs))
    manifest = image(*(blob.open().read() for blob in blobs))
    await client.push_manifest(target, manifest, OCI_MANIFEST)
    return manifest


def check_contents(folder: Path) -> None:
    """See that every content is that of its name."""
    for path in folder.rglob("content/sha256/*/*"):
        assert computed(path.read_bytes()) == f"sha256:{path.name}"


async def check_whole(host: str, folder: Path) -> list[str]:
    """See that every tag is pulled whole, and every content is right; return the tags."""
    await asyncio.to_thread(check_contents, folder)
    async with httpx.AsyncClient(base_url=f"http://{host}/v2/prod/app", timeout=30) as client:
        listed = await client.get("/tags/list")
        tags = [] if listed.status_code == 404 else listed.json()["tags"]
        for tag in tags:
            manifest = (await client.get(f"/manifests/{tag}")).json()
            for part in (manifest["config"], *manifest["layers"]):
                blob = await client.get(f"/blobs/{part['digest']}")
                assert blob.status_code == 200
                assert digest_of(blob.content) == part["digest"]
        return list(tags)


async def test_killed_in_the_middle_of_pushes(
    start_process: Callable[..., ImageRegistryProcess], tmp_path: Path
) -> None:
    """Ten times, each a little later in a push; what was acknowledged is there, and the push repeated is right."""
    acknowledged: list[str] = []
    # So early that nothing is there, later in steps, and so late that all is.
    for round_number, delay in enumerate([0.0, 0.01, 0.02, 0.03, 0.05, 0.08, 0.12, 0.18, 0.3, 0.6]):
        process = start_process()
        async with ClientSide(tmp_path / "home").client() as client:
            pushing = asyncio.create_task(push(client, process.host, round_number))
            await asyncio.wait({pushing}, timeout=delay)
            process.kill()
            with contextlib.suppress(Exception):
                await pushing
                acknowledged.append(f"round{round_number}")
        process = start_process()
        tags = await check_whole(process.host, tmp_path)
        assert set(acknowledged) <= set(tags)
        async with ClientSide(tmp_path / "home").client() as client:
            manifest = await push(client, process.host, round_number)
            target = Reference.parse(f"{process.host}/prod/app:round{round_number}")
            assert (await client.manifest(target)).content == manifest
        acknowledged.append(f"round{round_number}")
        process.kill()
    process = start_process()
    assert set(await check_whole(process.host, tmp_path)) == {f"round{number}" for number in range(10)}


async def test_upload_goes_on_after_a_kill(start_process: Callable[..., ImageRegistryProcess], tmp_path: Path) -> None:
    """Its bytes are there, and hashed anew; it counts for nothing until it ends."""
    content = random.Random(5).randbytes(4 * MIB)
    process = start_process()
    async with httpx.AsyncClient(timeout=30) as client:
        begun = await client.post(f"http://{process.host}/v2/prod/app/blobs/uploads/")
        location = begun.headers["location"]
        await client.patch(f"http://{process.host}{location}", content=content[: 3 * MIB])
        process.kill()
        process = start_process()
        at = f"http://{process.host}"
        asked = await client.get(f"{at}{location}")
        assert asked.headers["range"] == f"0-{3 * MIB - 1}"
        refused(await client.get(f"{at}/v2/prod/app/tags/list"), 404, "NAME_UNKNOWN")
        ended = await client.put(f"{at}{location}", params={"digest": digest_of(content)}, content=content[3 * MIB :])
        assert ended.status_code == 201, ended.text
        assert (await client.get(f"{at}/v2/prod/app/blobs/{digest_of(content)}")).content == content


async def test_damaged_folder_heals_with_the_next_push(make_registry: MakeRegistry, tmp_path: Path) -> None:
    """A layer, a manifest and a tag lost or damaged, as by a bad disk: the image is gone until it is pushed again."""
    content = tmp_path / "images" / "content" / "sha256"
    for damage in ("layer lost", "layer cut", "manifest lost", "manifest damaged", "tag damaged"):
        layer = damage.encode()
        async with make_registry() as registry:
            digest = await registry.push_image(layer, tag="v1")
        hurt = digest_of(layer) if "layer" in damage else digest
        path = content / hurt[7:9] / hurt[7:]
        if "lost" in damage:
            path.unlink()
        elif damage == "layer cut":
            os.truncate(path, 3)
        elif damage == "manifest damaged":
            path.write_bytes(b"{" + path.read_bytes()[1:][::-1])
        else:
            (tmp_path / "images" / "repositories" / "prod+app" / "tags" / "v1").write_text("nonsense")
        async with make_registry() as registry:
            assert not await registry.has("v1", kind="manifests"), damage
            assert await registry.push_image(layer, tag="v1") == digest
            assert (await registry.client.get(f"/v2/prod/app/blobs/{digest_of(layer)}")).content == layer
            assert (await registry.client.get("/v2/prod/app/manifests/v1")).content == image(b"{}", layer)


async def test_little_space_is_left_to_others(make_registry: MakeRegistry, tmp_path: Path) -> None:
    """Below the spare bytes nothing is taken, and reading and deleting go on."""
    async with make_registry() as registry:
        digest = await registry.push_image(b"layer", tag="v1")
    async with make_registry(spare_bytes=1 << 60) as registry:
        refused(await registry.client.post("/v2/prod/app/blobs/uploads/"), 507, "UNAVAILABLE")
        again = image(b"{}", b"layer", annotations={"a": "b"})
        refused(await registry.put(again, "v2"), 507, "UNAVAILABLE")
        assert (await registry.client.get("/v2/prod/app/manifests/v1")).status_code == 200
        assert (await registry.client.delete(f"/v2/prod/app/manifests/{digest}")).status_code == 202


async def test_disk_is_full(
    start_process: Callable[..., ImageRegistryProcess], missing_service: Callable[[str], NoReturn]
) -> None:
    """507, in each way of pushing; the room is given back at once, and what was there is whole."""
    probe = await asyncio.to_thread(
        subprocess.run,
        ["unshare", "--mount", "mount", "-t", "tmpfs", "tmpfs", "/mnt"],
        check=False,
        capture_output=True,
    )
    if probe.returncode:
        missing_service("the right to mount")
    process = start_process(disk_bytes=8 * MIB)
    kept, large = random.Random(6).randbytes(5 * MIB), random.Random(7).randbytes(4 * MIB)
    at = f"http://{process.host}/v2/prod/app"
    async with httpx.AsyncClient(timeout=30) as client:
        uploads = f"{at}/blobs/uploads/"
        for _ in range(3):
            single = await client.post(uploads, params={"digest": digest_of(large)}, content=large)
            if single.status_code == 201:
                assert (await client.delete(f"{at}/blobs/{digest_of(large)}")).status_code == 202
            assert single.status_code == 201
        assert (await client.post(uploads, params={"digest": digest_of(kept)}, content=kept)).status_code == 201
        for way in ("single", "put", "patch", "single"):
            if way == "single":
                answer = await client.post(uploads, params={"digest": digest_of(large)}, content=large)
            else:
                begun = await client.post(uploads)
                address = f"http://{process.host}{begun.headers['location']}"
                if way == "put":
                    answer = await client.put(address, params={"digest": digest_of(large)}, content=large)
                else:
                    answer = await client.patch(address, content=large)
                assert (await client.get(address)).status_code == 404
            refused(answer, 507, "UNAVAILABLE")
            assert (await client.head(f"{at}/blobs/{digest_of(large)}")).status_code == 404
        small = b"x" * MIB
        assert (await client.post(uploads, params={"digest": digest_of(small)}, content=small)).status_code == 201
        assert (await client.get(f"{at}/blobs/{digest_of(kept)}")).content == kept
        assert (await client.delete(f"{at}/blobs/{digest_of(kept)}")).status_code == 202
        assert (await client.post(uploads, params={"digest": digest_of(large)}, content=large)).status_code == 201
