"""Reading manifests and blobs, from registries that lie and connections that break."""

import json
import random
from collections.abc import AsyncIterator
from io import BytesIO

import pytest

from bundler.errors import DigestMismatch
from bundler.model import digest_of
from bundler.registry.errors import (
    RegistryInsecure,
    RegistryNotFound,
    RegistryUnauthorized,
    RegistryUnreachable,
    RegistryUnusable,
)
from bundler.registry.manifests import DOCKER_LIST, DOCKER_MANIFEST, OCI_INDEX, OCI_MANIFEST
from bundler.registry.reference import Reference
from bundler.registry.retrying import RetryPolicy
from tests.fakes.registry import FakeRegistry, Fault, ranged
from tests.fakes.registry_side import ClientSide
from tests.fakes.registry_wire import Received, Reply, WireServer

CONTENT = random.Random(5).randbytes(400_000)
DIGEST = digest_of(CONTENT)
MANIFEST = b'{"schemaVersion":2,"layers":[]}'
INDEX = b'{"schemaVersion":2,"manifests":[]}'


def name(registry: FakeRegistry, tag: str = "v1") -> Reference:
    """Return the reference of the repository that the tests use."""
    return Reference.parse(f"{registry.host}/team/app:{tag}")


async def read(registry: FakeRegistry, side: ClientSide, *, size: int | None = len(CONTENT)) -> bytes:
    """Read the blob."""
    content = bytearray()
    async with side.client() as client:
        async for chunk in client.blob(name(registry), DIGEST, size):
            content += chunk
    return bytes(content)


@pytest.mark.parametrize("ranges", [True, False])
@pytest.mark.parametrize("size", [len(CONTENT), None])
async def test_broken_download_goes_on(
    fake_registry: FakeRegistry, side: ClientSide, ranges: bool, size: int | None
) -> None:
    """Where it broke off, also from servers that only know the beginning; nothing comes twice."""
    fake_registry.put_blob("team/app", CONTENT)
    fake_registry.behaviour.ranges = ranges
    fake_registry.behaviour.faults = [Fault("blobs", cut_at=250_000), Fault("blobs"), Fault("blobs", cut_at=1)]
    assert await read(fake_registry, side, size=size) == CONTENT


async def test_short_answer_is_a_broken_one(fake_registry: FakeRegistry, side: ClientSide) -> None:
    """An answer that is complete by its own length, and too short by ours, is continued."""
    fake_registry.put_blob("team/app", CONTENT)
    fake_registry.behaviour.faults = [Fault("blobs", status=200, body=CONTENT[:1000])]
    assert await read(fake_registry, side) == CONTENT


async def test_download_that_never_goes_on_ends(fake_registry: FakeRegistry, side: ClientSide) -> None:
    """Failures count only in a row, and there is an end."""
    fake_registry.put_blob("team/app", CONTENT)
    side.policy = RetryPolicy(attempts=3)
    fake_registry.behaviour.faults = [Fault("blobs", cut_at=10_000), Fault("blobs", times=99, status=500)]
    with pytest.raises(RegistryUnreachable):
        await read(fake_registry, side)


@pytest.mark.parametrize("size", [len(CONTENT), None])
async def test_wrong_bytes_are_refused_before_the_last(
    fake_registry: FakeRegistry, side: ClientSide, size: int | None
) -> None:
    """Who reads a wrong blob never has all of it."""
    fake_registry.blobs["team/app"] = {DIGEST: CONTENT[:-1] + b"!"}
    received = BytesIO()

    async def collect(chunks: AsyncIterator[bytes]) -> None:
        async for chunk in chunks:
            received.write(chunk)

    async with side.client() as client:
        with pytest.raises(DigestMismatch):
            await collect(client.blob(name(fake_registry), DIGEST, size))
    assert received.tell() < len(CONTENT)
    assert side.slept == []


async def test_too_many_bytes_are_refused(fake_registry: FakeRegistry, side: ClientSide) -> None:
    """A blob that is larger than the manifest says is not read."""
    fake_registry.blobs["team/app"] = {DIGEST: CONTENT * 2}
    with pytest.raises(DigestMismatch, match="800000"):
        await read(fake_registry, side)


async def test_digest_that_nobody_can_check_is_refused(fake_registry: FakeRegistry, side: ClientSide) -> None:
    """md5 is none, nor is a path."""
    async with side.client() as client:
        for digest in ("md5:" + "a" * 32, "sha256:../../x"):
            with pytest.raises(DigestMismatch, match="no digest"):
                await anext(client.blob(name(fake_registry), digest))


async def test_redirect_does_not_take_the_authorization_along(fake_registry: FakeRegistry, side: ClientSide) -> None:
    """The store on another host gets the request, its signature, and no token; the registry's answers get it again."""

    async def store(request: Received) -> Reply:
        return ranged(request, CONTENT) if "X-Signature=s1gnature" in request.target else Reply(status=403)

    wire = await WireServer(store).start()
    fake_registry.put_blob("team/app", CONTENT)
    fake_registry.behaviour.auth = "bearer"
    fake_registry.behaviour.redirects_blobs_to = f"http://127.0.0.1:{wire.port}/bucket"
    side.log_in(fake_registry.host, "lab", "pa55-wörd")
    try:
        assert await read(fake_registry, side) == CONTENT
        async with side.client() as client:
            assert await client.has_blob(name(fake_registry), DIGEST, len(CONTENT))
    finally:
        await wire.close()
    assert len(wire.received) == 2
    assert not any("authorization" in one.headers for one in wire.received)
    assert fake_registry.asked("blobs")[-1].headers["authorization"].startswith("Bearer ")


async def test_store_for_reading_only_says_nothing_of_absence(fake_registry: FakeRegistry, side: ClientSide) -> None:
    """A signed address that is good for GET alone answers HEAD with 403: that is no refusal by the registry."""

    async def store(request: Received) -> Reply:
        return Reply(status=403)

    wire = await WireServer(store).start()
    fake_registry.put_blob("team/app", CONTENT)
    fake_registry.behaviour.redirects_blobs_to = f"http://localhost:{wire.port}/bucket"
    try:
        async with side.client() as client:
            assert not await client.has_blob(name(fake_registry), DIGEST)
    finally:
        await wire.close()


async def test_redirect_to_plain_http_elsewhere_is_not_followed(fake_registry: FakeRegistry, side: ClientSide) -> None:
    """Nor does the address with its signature stand in the error."""
    fake_registry.put_blob("team/app", CONTENT)
    fake_registry.behaviour.redirects_blobs_to = "http://store.example/bucket"
    with pytest.raises(RegistryInsecure) as caught:
        await read(fake_registry, side)
    assert "s1gnature" not in str(caught.value.problem)


async def test_redirects_without_end_are_told(fake_registry: FakeRegistry, side: ClientSide) -> None:
    """After some, nobody follows."""
    fake_registry.behaviour.faults = [Fault("manifests", times=99, status=302, headers={"Location": "manifests"})]
    async with side.client() as client:
        with pytest.raises(RegistryUnusable, match="again and again"):
            await client.manifest(name(fake_registry))


async def test_blob_of_another_size_is_not_it(fake_registry: FakeRegistry, side: ClientSide) -> None:
    """A registry whose copy is damaged gets the blob anew."""
    fake_registry.blobs["team/app"] = {DIGEST: b"short"}
    async with side.client() as client:
        assert not await client.has_blob(name(fake_registry), DIGEST, len(CONTENT))


@pytest.mark.parametrize(
    ("content", "media_type"),
    [(MANIFEST, OCI_MANIFEST), (INDEX, OCI_INDEX), (MANIFEST, DOCKER_MANIFEST), (INDEX, DOCKER_LIST)],
)
@pytest.mark.parametrize("says_digest", [True, False])
@pytest.mark.parametrize("head", [True, False])
async def test_manifest_is_read(
    fake_registry: FakeRegistry, side: ClientSide, content: bytes, media_type: str, says_digest: bool, head: bool
) -> None:
    """In each format, with and without the header of its digest, with and without HEAD."""
    fake_registry.put_manifest("team/app", "v1", content, media_type)
    fake_registry.behaviour.says_digest = says_digest
    fake_registry.behaviour.head = head
    async with side.client() as client:
        assert await client.manifest(name(fake_registry)) == (content, media_type, digest_of(content))
        assert await client.resolve(name(fake_registry)) == (digest_of(content), media_type, len(content))


async def test_large_manifest_is_read_and_pushed(fake_registry: FakeRegistry, side: ClientSide) -> None:
    """More than the 4 MiB that every registry takes."""
    large = json.dumps({"schemaVersion": 2, "layers": [], "annotations": {"x": "y" * 9_000_000}}).encode()
    async with side.client() as client:
        assert await client.push_manifest(name(fake_registry), large, OCI_MANIFEST) == digest_of(large)
        assert (await client.manifest(name(fake_registry))).content == large


@pytest.mark.parametrize(
    ("header", "content", "found"),
    [
        (f"{OCI_MANIFEST}; charset=utf-8", MANIFEST, OCI_MANIFEST),
        ("application/json", MANIFEST, OCI_MANIFEST),
        ("text/plain", INDEX, OCI_INDEX),
        ("application/octet-stream", b'{"mediaType":"%s","layers":[]}' % DOCKER_MANIFEST.encode(), DOCKER_MANIFEST),
        (OCI_MANIFEST, b'{"mediaType":"%s","layers":[]}' % DOCKER_MANIFEST.encode(), ""),
        (OCI_MANIFEST, INDEX, ""),
        (OCI_INDEX, MANIFEST, ""),
        (OCI_INDEX, b'{"manifests":[],"layers":[]}', ""),
        (OCI_MANIFEST, b"<html>", ""),
        (OCI_MANIFEST, b"[" * 100_000, ""),
        (OCI_MANIFEST, b'{"schemaVersion":1,"fsLayers":[]}', ""),
        ("application/vnd.docker.distribution.manifest.v1+prettyjws", b"{}", ""),
        ("application/json", b"{}", ""),
        (OCI_MANIFEST, b'{"mediaType":1,"layers":[]}', ""),
    ],
)
async def test_manifest_is_what_it_says(
    fake_registry: FakeRegistry, side: ClientSide, header: str, content: bytes, found: str
) -> None:
    """Header and contents agree, or it is not read; a header that says nothing does not matter."""
    fake_registry.put_manifest("team/app", "v1", content, header)
    async with side.client() as client:
        if found:
            assert (await client.manifest(name(fake_registry))).media_type == found
        else:
            with pytest.raises(RegistryUnusable):
                await client.manifest(name(fake_registry))


async def test_lying_digest_of_a_manifest_is_refused(fake_registry: FakeRegistry, side: ClientSide) -> None:
    """By its header, and by the digest that it was asked for with."""
    digest = fake_registry.put_manifest("team/app", "v1", MANIFEST, OCI_MANIFEST)
    fake_registry.manifests["team/app", digest] = (INDEX, OCI_INDEX)
    headers = {"Docker-Content-Digest": digest_of(b"other"), "Content-Type": OCI_MANIFEST}
    fake_registry.behaviour.faults = [Fault("GET .*/v1$", status=200, headers=headers, body=MANIFEST)]
    async with side.client() as client:
        with pytest.raises(DigestMismatch):
            await client.manifest(name(fake_registry))
        with pytest.raises(DigestMismatch):
            await client.manifest(name(fake_registry).with_digest(digest))
        with pytest.raises(DigestMismatch):
            await client.resolve(name(fake_registry).with_digest(digest))


async def test_lying_digest_of_a_pushed_manifest_is_refused(fake_registry: FakeRegistry, side: ClientSide) -> None:
    """A registry that stored something else has not stored it; nor is something else pushed by digest."""
    headers = {"Docker-Content-Digest": digest_of(b"other")}
    fake_registry.behaviour.faults = [Fault("^PUT ", status=201, headers=headers)]
    async with side.client() as client:
        with pytest.raises(DigestMismatch):
            await client.push_manifest(name(fake_registry), MANIFEST, OCI_MANIFEST)
        with pytest.raises(DigestMismatch):
            await client.push_manifest(name(fake_registry).with_digest(DIGEST), MANIFEST, OCI_MANIFEST)


async def test_forbidden_blob_is_told(fake_registry: FakeRegistry, side: ClientSide) -> None:
    """A registry's own 403 is a refusal, not an absence."""
    fake_registry.behaviour.faults = [Fault("^HEAD ", status=403)]
    async with side.client() as client:
        with pytest.raises(RegistryUnauthorized, match="403"):
            await client.has_blob(name(fake_registry), DIGEST)


async def test_cut_manifest_is_read_again(fake_registry: FakeRegistry, side: ClientSide) -> None:
    """Half a manifest is none."""
    fake_registry.put_manifest("team/app", "v1", MANIFEST, OCI_MANIFEST)
    fake_registry.behaviour.faults = [Fault("manifests", cut_at=5)]
    async with side.client() as client:
        assert (await client.manifest(name(fake_registry))).content == MANIFEST


async def test_page_for_browsers_is_not_shown(fake_registry: FakeRegistry, side: ClientSide) -> None:
    """A proxy's page says nothing in a terminal."""
    headers = {"Content-Type": "text/html"}
    fake_registry.behaviour.faults = [Fault("manifests", status=404, headers=headers, body=b"<html>nginx</html>")]
    async with side.client() as client:
        with pytest.raises(RegistryNotFound) as caught:
            await client.manifest(name(fake_registry))
    assert caught.value.problem.detail == ""


@pytest.mark.parametrize("lists", [True, False])
async def test_referrers_are_listed(fake_registry: FakeRegistry, side: ClientSide, lists: bool) -> None:
    """From the registry's own list, page by page, or from the index behind a tag."""
    fake_registry.behaviour.lists_referrers = lists
    fake_registry.behaviour.referrers_a_page = 2
    subject = {"mediaType": OCI_MANIFEST, "digest": digest_of(MANIFEST), "size": len(MANIFEST)}
    async with side.client() as client:
        await client.push_manifest(name(fake_registry), MANIFEST, OCI_MANIFEST)
        assert await client.referrers(name(fake_registry), digest_of(MANIFEST)) == []
        pushed = []
        for kind in "abcde":
            fields = {"schemaVersion": 2, "layers": [], "artifactType": f"x/{kind}", "subject": subject}
            content = json.dumps(fields).encode()
            pushed.append(digest_of(content))
            for _ in range(2):
                await client.push_manifest(name(fake_registry).with_digest(pushed[-1]), content, OCI_MANIFEST)
        found = await client.referrers(name(fake_registry), digest_of(MANIFEST))
        assert [entry["digest"] for entry in found] == pushed
        only = await client.referrers(name(fake_registry), digest_of(MANIFEST), "x/c")
        assert [entry["digest"] for entry in only] == pushed[2:3]
    tag = f"sha256-{digest_of(MANIFEST)[7:]}"
    assert (("team/app", tag) in fake_registry.manifests) == (not lists)
