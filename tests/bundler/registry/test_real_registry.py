"""The client against a real registry: open, with names and passwords, with tokens."""

import asyncio
import json
import random
from collections.abc import Callable

import pytest

from bundler.model import Blob, digest_of
from bundler.registry.client import RegistryClient
from bundler.registry.errors import RegistryNotFound, RegistryUnauthorized
from bundler.registry.manifests import DOCKER_MANIFEST, OCI_INDEX, OCI_MANIFEST
from bundler.registry.reference import Reference
from bundler.registry.uploads import Habits
from tests.fakes.registry_process import PASSWORD, USERNAME, RegistryProcess
from tests.fakes.registry_side import ClientSide

Start = Callable[..., RegistryProcess]

LAYER = "application/vnd.oci.image.layer.v1.tar+gzip"
CONFIG = "application/vnd.oci.image.config.v1+json"
AUTHS = ["none", "htpasswd", "token"]


def image(config: Blob, layers: list[Blob], **more: object) -> bytes:
    """Return the bytes of an image's manifest."""

    def descriptor(blob: Blob) -> dict[str, object]:
        return {"mediaType": blob.media_type, "digest": blob.digest, "size": blob.size}

    fields = {"schemaVersion": 2, "mediaType": OCI_MANIFEST, "config": descriptor(config)}
    return json.dumps({**fields, "layers": [descriptor(layer) for layer in layers], **more}).encode()


async def push_image(client: RegistryClient, target: Reference, size: int = 300_000) -> tuple[bytes, list[Blob]]:
    """Push an image of two layers and return its manifest and the blobs, the config first."""
    noise = random.Random(size)
    layers = [Blob.of(noise.randbytes(size), LAYER), Blob.of(noise.randbytes(100), LAYER)]
    config = Blob.of(b'{"os":"linux"}', CONFIG)
    blobs = [config, *layers]
    await asyncio.gather(*(client.push_blob(target, blob) for blob in blobs))
    manifest = image(config, layers)
    assert await client.push_manifest(target, manifest, OCI_MANIFEST) == digest_of(manifest)
    return manifest, blobs


@pytest.fixture(params=AUTHS)
def registry(request: pytest.FixtureRequest, start_registry: Start, side: ClientSide) -> RegistryProcess:
    """Return a real registry of each kind, to which the client's side is logged in."""
    process = start_registry(auth=request.param)
    if request.param != "none":
        side.log_in(process.host, USERNAME, PASSWORD)
    return process


async def test_image_is_pushed_and_pulled(registry: RegistryProcess, side: ClientSide) -> None:
    """What comes back by tag and by digest is what was pushed, byte for byte."""
    target = Reference.parse(f"{registry.host}/team/app:v1")
    async with side.client() as client:
        manifest, blobs = await push_image(client, target)
        pulled = await client.manifest(target)
        assert pulled == (manifest, OCI_MANIFEST, digest_of(manifest))
        assert await client.manifest(target.with_digest(pulled.digest)) == pulled
        assert await client.resolve(target) == (pulled.digest, OCI_MANIFEST, len(manifest))
        for blob in blobs:
            content = b"".join([chunk async for chunk in client.blob(target, blob.digest, blob.size)])
            assert content == blob.open().read()


async def test_blob_is_there_the_second_time(registry: RegistryProcess, side: ClientSide) -> None:
    """Nothing is uploaded twice."""
    target = Reference.parse(f"{registry.host}/team/app")
    blob = Blob.of(b"x" * 200_000, LAYER)
    async with side.client() as client:
        assert await client.push_blob(target, blob) == "uploaded"
        assert await client.push_blob(target, blob) == "present"
        assert await client.has_blob(target, blob.digest, blob.size)
        assert not await client.has_blob(target, digest_of(b"other"))


async def test_blob_is_mounted_from_another_repository(registry: RegistryProcess, side: ClientSide) -> None:
    """What the registry has in another repository is not uploaded again."""
    base = Reference.parse(f"{registry.host}/base/python")
    target = Reference.parse(f"{registry.host}/team/app")
    blob = Blob.of(b"base" * 50_000, LAYER)
    async with side.client() as client:
        await client.push_blob(base, blob)
    async with side.client() as client:
        assert await client.push_blob(target, blob, mount_from=[base]) == "mounted"
        assert await client.mount(Reference.parse(f"{registry.host}/team/third"), base, blob.digest)
        assert not await client.mount(target, base, digest_of(b"unknown"))


async def test_large_blob_goes_in_chunks(registry: RegistryProcess, side: ClientSide) -> None:
    """Chunks arrive in order and make the same blob."""
    target = Reference.parse(f"{registry.host}/team/app")
    content = random.Random(3).randbytes(3_000_000)
    async with side.client() as client:
        client._habits[registry.host] = Habits(chunk=700_000)
        assert await client.push_blob(target, Blob.of(content, LAYER)) == "uploaded"
        assert await client.has_blob(target, digest_of(content), len(content))


async def test_sbom_refers_to_an_image(registry: RegistryProcess, side: ClientSide) -> None:
    """A registry that keeps no lists of referrers gets an index behind a tag, which grows."""
    target = Reference.parse(f"{registry.host}/team/app:v1")
    async with side.client() as client:
        manifest, blobs = await push_image(client, target)
        subject = {"mediaType": OCI_MANIFEST, "digest": digest_of(manifest), "size": len(manifest)}
        pushed = []
        for kind in ("application/vnd.cyclonedx+json", "application/x-signature"):
            sbom = image(blobs[0], blobs[2:], subject=subject, artifactType=kind)
            pushed.append(await client.push_manifest(target.with_digest(digest_of(sbom)), sbom, OCI_MANIFEST))
        found = await client.referrers(target, digest_of(manifest))
        assert [entry["digest"] for entry in found] == pushed
        only = await client.referrers(target, digest_of(manifest), "application/x-signature")
        assert [entry["digest"] for entry in only] == pushed[1:]


async def test_index_and_large_manifest_are_stored(registry: RegistryProcess, side: ClientSide) -> None:
    """An index is kept as such, and a manifest may have some MiB."""
    target = Reference.parse(f"{registry.host}/team/app:v1")
    async with side.client() as client:
        manifest, blobs = await push_image(client, target)
        entry = {"mediaType": OCI_MANIFEST, "digest": digest_of(manifest), "size": len(manifest)}
        index = json.dumps({"schemaVersion": 2, "mediaType": OCI_INDEX, "manifests": [entry]}).encode()
        await client.push_manifest(target.with_tag("multi"), index, OCI_INDEX)
        assert (await client.manifest(target.with_tag("multi"))).media_type == OCI_INDEX
        large = image(blobs[0], blobs[1:], annotations={"filler": "x" * 3_500_000})
        await client.push_manifest(target.with_tag("large"), large, OCI_MANIFEST)
        assert (await client.manifest(target.with_tag("large"))).content == large


async def test_docker_media_type_comes_back(start_registry: Start, side: ClientSide) -> None:
    """A manifest in Docker's format is read as one."""
    target = Reference.parse(f"{start_registry().host}/library/old:1")
    async with side.client() as client:
        layer = Blob.of(b"layer", "application/vnd.docker.image.rootfs.diff.tar.gzip")
        config = Blob.of(b"{}", "application/vnd.docker.container.image.v1+json")
        await client.push_blob(target, layer)
        await client.push_blob(target, config)
        manifest = image(config, [layer], mediaType=DOCKER_MANIFEST)
        await client.push_manifest(target, manifest, DOCKER_MANIFEST)
        assert (await client.manifest(target)).media_type == DOCKER_MANIFEST


@pytest.mark.parametrize("auth", AUTHS[1:])
async def test_wrong_password_is_told_with_its_source(start_registry: Start, side: ClientSide, auth: str) -> None:
    """Who logs in wrongly hears where the credentials came from, and does not see them."""
    process = start_registry(auth=auth)
    side.log_in(process.host, USERNAME, "wr0ng-password")
    async with side.client() as client:
        with pytest.raises(RegistryUnauthorized) as caught:
            await client.push_blob(Reference.parse(f"{process.host}/team/app"), Blob.of(b"x", LAYER))
    problem = caught.value.problem
    assert "auths['127.0.0.1" in problem.detail
    assert "wr0ng-password" not in str(problem)
    assert side.slept == []


@pytest.mark.parametrize("auth", AUTHS[1:])
async def test_missing_credentials_are_told(start_registry: Start, side: ClientSide, auth: str) -> None:
    """Who is not logged in hears how to."""
    process = start_registry(auth=auth)
    async with side.client() as client:
        with pytest.raises(RegistryUnauthorized) as caught:
            await client.push_blob(Reference.parse(f"{process.host}/team/app"), Blob.of(b"x", LAYER))
    assert f"docker login {process.host}" in caught.value.problem.hint
    assert "anonymous" in caught.value.problem.detail


async def test_unknown_image_is_not_found(start_registry: Start, side: ClientSide) -> None:
    """The registry's own words are in the detail."""
    async with side.client() as client:
        with pytest.raises(RegistryNotFound) as caught:
            await client.manifest(Reference.parse(f"{start_registry().host}/team/nothing:v1"))
    assert "MANIFEST_UNKNOWN" in caught.value.problem.detail


async def test_one_token_serves_a_whole_push(start_registry: Start, side: ClientSide) -> None:
    """Scopes of target and base are asked for at once, and only once."""
    process = start_registry(auth="token")
    side.log_in(process.host, USERNAME, PASSWORD)
    base, target = (Reference.parse(f"{process.host}/{name}") for name in ("base/python", "team/app"))
    blob = Blob.of(b"base" * 1000, LAYER)
    async with side.client() as client:
        await client.push_blob(base, blob)
    assert process.tokens is not None
    process.tokens.requests.clear()
    async with side.client() as client:
        assert await client.push_blob(target, blob, mount_from=[base]) == "mounted"
        await push_image(client, target.with_tag("v1"))
    assert process.tokens.requests == [{"base/python": {"pull"}, "team/app": {"pull", "push"}}]
