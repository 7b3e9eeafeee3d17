"""Requests that no honest client sends: refused in the protocol's form, with nothing kept of them."""

from __future__ import annotations

import asyncio
import json
from collections.abc import AsyncIterator
from pathlib import Path

import pytest

from tests.executor.registry.conftest import MakeRegistry
from tests.fakes.image_registry import (
    DOCKER_MANIFEST,
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
CONFIG = descriptor(b"{}", "application/vnd.oci.image.config.v1+json")


async def raw(registry: ImageRegistry, request: bytes, *, close: bool = False) -> bytes:
    """Send bytes as they are; return the answer, or nothing where the connection is then closed from here."""
    reader, writer = await asyncio.open_connection("127.0.0.1", int(registry.url.rpartition(":")[2]))
    writer.write(request)
    await writer.drain()
    if close:
        writer.close()
        await writer.wait_closed()
        return b""
    try:
        return await asyncio.wait_for(reader.read(), 20)
    finally:
        writer.close()


def files(registry_folder: Path) -> set[str]:
    """Return everything under a folder."""
    return {str(path.relative_to(registry_folder)) for path in registry_folder.rglob("*") if path.is_file()}


@pytest.mark.parametrize(
    "name",
    [
        "..", "../..", "prod/../../etc", "_blobs", "prod/-app", "prod/..", "prod//app", "/prod", "Prod/app",
        "prod/app.", "prod/.app", "prod/a+b", "prod/%2e%2e", "prod%2f..%2f..", "prod/app%00", "a" * 201, "prod/\u00e9",
    ],
)  # fmt: skip
async def test_names_that_are_none_are_refused(registry: ImageRegistry, name: str, tmp_path: Path) -> None:
    """Nothing is made of them anywhere."""
    before = files(tmp_path)
    path = f"/v2/{name}/blobs/uploads/".encode().replace(b"\xc3\xa9", b"%C3%A9")
    answer = await raw(registry, b"POST " + path + b" HTTP/1.1\r\nhost: x\r\nconnection: close\r\n\r\n")
    assert answer.startswith((b"HTTP/1.1 400", b"HTTP/1.1 404")), answer
    assert b'"errors"' in answer
    assert files(tmp_path) == before


@pytest.mark.parametrize("reference", ["..%2f..%2fversion", ".hidden", "a" * 129, "sha256:abc", "a%00b", "a b"])
async def test_references_that_are_none_are_refused(registry: ImageRegistry, reference: str, tmp_path: Path) -> None:
    """Tags with paths in them, digests cut short."""
    await registry.push_image(BLOB)
    before = files(tmp_path)
    answer = await registry.client.put(
        f"/v2/prod/app/manifests/{reference}", content=image(b"{}", BLOB), headers={"content-type": OCI_MANIFEST}
    )
    assert answer.status_code in {400, 404}, answer.text
    assert files(tmp_path) == before


@pytest.mark.parametrize(
    "digest", ["sha256:..", "md5:" + "0" * 32, "sha256:" + "A" * 64, "sha1:x", "", "../../version"]
)
async def test_digests_that_are_none_are_refused(registry: ImageRegistry, digest: str) -> None:
    """For all that takes one."""
    location = await registry.begin()
    refused(await registry.client.put(location, params={"digest": digest}, content=b"x"), 400, "DIGEST_INVALID")
    refused(
        await registry.client.post("/v2/prod/app/blobs/uploads/", params={"digest": digest}, content=b"x"),
        400, "DIGEST_INVALID",
    )  # fmt: skip
    if digest and "/" not in digest:
        refused(await registry.client.get(f"/v2/prod/app/blobs/{digest}"), 400, "DIGEST_INVALID")


@pytest.mark.parametrize("way", ["single", "put", "chunks"])
async def test_bytes_that_are_not_those_of_the_digest_are_not_kept(
    registry: ImageRegistry, way: str, tmp_path: Path
) -> None:
    """400, the upload is over, and the disk is as before."""
    before = files(tmp_path)
    params = {"digest": digest_of(b"something else")}
    if way == "single":
        answer = await registry.client.post("/v2/prod/app/blobs/uploads/", params=params, content=BLOB)
    else:
        location = await registry.begin()
        if way == "chunks":
            await registry.client.patch(location, content=BLOB)
        answer = await registry.client.put(location, params=params, content=BLOB if way == "put" else b"")
        refused(await registry.client.get(location), 404, "BLOB_UPLOAD_UNKNOWN")
    refused(answer, 400, "DIGEST_INVALID")
    assert not await registry.has(digest_of(BLOB))
    assert files(tmp_path) == before


async def test_digest_is_asked_for(registry: ImageRegistry) -> None:
    """An end without one is refused, and the upload goes on."""
    location = await registry.begin()
    refused(await registry.client.put(location, content=BLOB), 400, "DIGEST_INVALID")
    assert (await registry.client.put(location, params={"digest": digest_of(BLOB)}, content=BLOB)).status_code == 201


@pytest.mark.parametrize(
    ("header", "body", "status"),
    [
        ("0-9", b"x" * 11, 400), ("0-9", b"x" * 9, 400), ("9-0", b"x" * 9, 400), ("a-b", b"x", 400),
        ("0-", b"x", 400), ("-5", b"x", 400), ("5-9", b"x" * 5, 416), ("0-99999999999999999999", b"x", 400),
        ("bytes 0-4/5", b"x" * 5, 202),
    ],
)  # fmt: skip
async def test_ranges_that_do_not_fit_are_refused(
    registry: ImageRegistry, header: str, body: bytes, status: int
) -> None:
    """With more or fewer bytes than they say, out of order, or malformed: nothing of them is kept."""
    location = await registry.begin()
    answer = await registry.client.patch(location, content=body, headers={"content-range": header})
    assert answer.status_code == status, answer.text
    if status != 202:
        assert (await registry.client.get(location)).headers["range"] == "0-0"
        done = await registry.client.put(location, params={"digest": digest_of(BLOB)}, content=BLOB)
        assert done.status_code == 201


@pytest.mark.parametrize("count", [9, 11])
async def test_streamed_chunk_of_another_size_than_its_range_is_not_kept(registry: ImageRegistry, count: int) -> None:
    """The length comes with no header, so that it shows only in the end."""

    async def pieces() -> AsyncIterator[bytes]:
        for _ in range(count):
            yield b"x"

    location = await registry.begin()
    await registry.client.patch(location, content=BLOB[:7])
    answer = await registry.client.patch(location, content=pieces(), headers={"content-range": "7-16"})
    refused(answer, 400, "SIZE_INVALID")
    assert (await registry.client.get(location)).headers["range"] == "0-6"
    done = await registry.client.put(location, params={"digest": digest_of(BLOB)}, content=BLOB[7:])
    assert done.status_code == 201


async def test_overlapping_chunks_are_refused(registry: ImageRegistry) -> None:
    """A chunk that would write over what is there."""
    location = await registry.begin()
    await registry.client.patch(location, content=BLOB[:100], headers={"content-range": "0-99"})
    for span in ("50-149", "0-99", "99-198", "101-200"):
        start, end = map(int, span.split("-"))
        answer = await registry.client.patch(
            location, content=b"x" * (end - start + 1), headers={"content-range": span}
        )
        refused(answer, 416, "BLOB_UPLOAD_INVALID")
    done = await registry.client.put(location, params={"digest": digest_of(BLOB)}, content=BLOB[100:])
    assert done.status_code == 201


async def test_body_that_breaks_off_is_gone_on_with(registry: ImageRegistry) -> None:
    """Of a PUT of 5 MB about 3 come; the upload has them, and the rest follows."""
    content = BLOB * 1000
    location = await registry.begin()
    head = f"PUT {location}?digest={digest_of(content)} HTTP/1.1\r\nhost: x\r\ncontent-length: {len(content)}\r\n\r\n"
    _, writer = await asyncio.open_connection("127.0.0.1", int(registry.url.rpartition(":")[2]))
    writer.write(head.encode() + content[:3_000_000])
    upload = registry.opened.store.upload("prod/app", location.rpartition("/")[2])
    async with asyncio.timeout(20):
        while upload.offset < 2 << 20:
            await asyncio.sleep(0.01)
        writer.close()
        while upload.is_written:
            await asyncio.sleep(0.01)
    asked = await registry.client.get(location)
    come = int(asked.headers["range"].removeprefix("0-")) + 1
    assert (asked.status_code, come) == (204, upload.offset)
    assert not await registry.has(digest_of(content))
    done = await registry.client.put(
        location, params={"digest": digest_of(content)}, content=content[come:],
        headers={"content-range": f"{come}-{len(content) - 1}"},
    )  # fmt: skip
    assert done.status_code == 201
    assert (await registry.client.get(f"/v2/prod/app/blobs/{digest_of(content)}")).content == content


async def test_single_request_that_breaks_off_leaves_nothing(registry: ImageRegistry, tmp_path: Path) -> None:
    """Nobody knows the address of that upload."""
    before = files(tmp_path)
    head = (
        f"POST /v2/prod/app/blobs/uploads/?digest={digest_of(BLOB)} HTTP/1.1\r\nhost: x\r\ncontent-length: 5000\r\n\r\n"
    )
    await raw(registry, head.encode() + BLOB[:1000], close=True)
    async with asyncio.timeout(20):
        while files(tmp_path) != before:
            await asyncio.sleep(0.01)


async def test_later_request_goes_on_where_an_earlier_one_hangs(registry: ImageRegistry) -> None:
    """The server may hear of a broken connection much later; what the hanging one still sends is not kept."""
    location = await registry.begin()
    reader, writer = await asyncio.open_connection("127.0.0.1", int(registry.url.rpartition(":")[2]))
    head = f"PATCH {location} HTTP/1.1\r\nhost: x\r\nconnection: close\r\ncontent-length: {len(BLOB)}\r\n\r\n"
    writer.write(head.encode() + BLOB[:10])
    await writer.drain()
    upload = registry.opened.store.upload("prod/app", location.rpartition("/")[2])
    async with asyncio.timeout(20):
        while not upload.is_written:
            await asyncio.sleep(0.01)
    done = await registry.client.patch(location, content=BLOB, headers={"content-range": f"0-{len(BLOB) - 1}"})
    assert done.status_code == 202
    writer.write(BLOB[10:])
    answer = await asyncio.wait_for(reader.read(), 20)
    assert answer.startswith(b"HTTP/1.1 409"), answer
    writer.close()
    assert (await registry.client.put(location, params={"digest": digest_of(BLOB)})).status_code == 201


async def test_upload_that_sends_nothing_is_refused(make_registry: MakeRegistry) -> None:
    """408 after a while; what came is kept, and gone on with."""
    async with make_registry(stall_s=0.2) as registry:
        location = await registry.begin()
        head = f"PATCH {location} HTTP/1.1\r\nhost: x\r\nconnection: close\r\ncontent-length: 5000\r\n\r\n"
        answer = await raw(registry, head.encode() + BLOB[:10])
        assert answer.startswith(b"HTTP/1.1 408"), answer
        assert (await registry.client.get(location)).headers["range"] == "0-9"
        slow = await raw(
            registry,
            b"PUT /v2/prod/app/manifests/v1 HTTP/1.1\r\nhost: x\r\nconnection: close\r\ncontent-length: 50\r\n\r\n{",
        )
        assert slow.startswith(b"HTTP/1.1 408"), slow


async def test_blob_over_the_limit_is_refused(make_registry: MakeRegistry, tmp_path: Path) -> None:
    """Announced or not, at once or in chunks."""
    async with make_registry(blob_bytes=1000) as registry:
        before = files(tmp_path)

        async def pieces() -> AsyncIterator[bytes]:
            yield b"x" * 999
            yield b"yz"

        for content in (b"x" * 1001, pieces()):
            answer = await registry.client.post(
                "/v2/prod/app/blobs/uploads/", params={"digest": digest_of(BLOB)}, content=content
            )
            refused(answer, 413, "SIZE_INVALID")
        location = await registry.begin()
        assert (await registry.client.patch(location, content=b"x" * 1000)).status_code == 202
        refused(await registry.client.patch(location, content=b"x"), 413, "SIZE_INVALID")
        assert (await registry.client.delete(location)).status_code == 204
        assert files(tmp_path) == before


URLS = [{**descriptor(BLOB), "urls": ["https://elsewhere.example/layer"]}]


@pytest.mark.parametrize(
    ("content", "media_type"),
    [
        (b"", OCI_MANIFEST),
        (b"[]", OCI_MANIFEST),
        (b"{}", OCI_MANIFEST),
        (b'{"schemaVersion":2', OCI_MANIFEST),
        (b"\xff\xfe", OCI_MANIFEST),
        (b"[" * 100_000, OCI_MANIFEST),
        (b'{"a":' * 100_000, OCI_MANIFEST),
        (image(b"{}", schemaVersion=1), OCI_MANIFEST),
        (image(b"{}", schemaVersion="2"), OCI_MANIFEST),
        (image(b"{}", config=None), OCI_MANIFEST),
        (image(b"{}", config=[]), OCI_MANIFEST),
        (image(b"{}", layers=[{"mediaType": "x", "digest": "sha256:../..", "size": 1}]), OCI_MANIFEST),
        (image(b"{}", layers=[{**descriptor(BLOB), "size": -1}]), OCI_MANIFEST),
        (image(b"{}", layers=[{**descriptor(BLOB), "size": 1 << 70}]), OCI_MANIFEST),
        (image(b"{}", layers=URLS), OCI_MANIFEST),
        (image(b"{}", layers=[descriptor(BLOB), {**descriptor(BLOB), "size": 1}]), OCI_MANIFEST),
        (image(b"{}", layers=[descriptor(b"")] * 20_001), OCI_MANIFEST),
        (image(b"{}", subject={"mediaType": "x", "digest": "../..", "size": 1}), OCI_MANIFEST),
        (image(b"{}"), OCI_INDEX),
        (image(b"{}"), DOCKER_MANIFEST),
        (image(b"{}"), "application/json"),
        (image(b"{}"), ""),
        (image(b"{}"), "application/vnd.docker.distribution.manifest.v1+prettyjws"),
        (image(b"{}", manifests=[]), OCI_MANIFEST),
        (index(layers=[descriptor(BLOB)]), OCI_INDEX),
        (index(config=CONFIG), OCI_INDEX),
        (json.dumps({"schemaVersion": 2, "config": CONFIG, "layers": [], "Layers": URLS}).encode(), OCI_MANIFEST),
    ],
    ids=range(27),
)
async def test_what_is_no_manifest_is_refused(registry: ImageRegistry, content: bytes, media_type: str) -> None:
    """Malformed, of another kind than it says, readable in two ways, referring to other hosts or to paths."""
    await registry.push_image(BLOB)
    answer = await registry.put(content, "v1", media_type=media_type)
    refused(answer, 400, "MANIFEST_INVALID")
    assert not await registry.has("v1", kind="manifests")


async def test_manifest_of_another_digest_is_refused(registry: ImageRegistry) -> None:
    """It would be found under a name that is not its own."""
    await registry.push_image(BLOB)
    answer = await registry.put(image(b"{}", BLOB), digest_of(b"another"))
    refused(answer, 400, "DIGEST_INVALID")


async def test_upload_belongs_to_its_repository(registry: ImageRegistry) -> None:
    """Its address below another name is none."""
    location = await registry.begin("prod/app")
    other = location.replace("prod/app", "staging/app")
    for method in ("GET", "PATCH", "DELETE"):
        refused(await registry.client.request(method, other), 404, "BLOB_UPLOAD_UNKNOWN")
    refused(await registry.client.put(other, params={"digest": digest_of(b"")}), 404, "BLOB_UPLOAD_UNKNOWN")


async def test_uploads_are_limited(make_registry: MakeRegistry) -> None:
    """In each environment; those that are given up make room."""
    async with make_registry(uploads=2) as registry:
        first, _ = [await registry.begin() for _ in range(2)]
        refused(await registry.client.post("/v2/prod/other/blobs/uploads/"), 429, "TOOMANYREQUESTS")
        await registry.begin("staging/app")
        await registry.client.delete(first)
        await registry.begin()


@pytest.mark.parametrize(
    ("method", "path", "status"),
    [
        ("GET", "/v2/nothing", 404), ("GET", "/v2/_catalog", 404), ("GET", "/v2/a/b/c", 404), ("POST", "/v2/", 405),
        ("PUT", "/v2/prod/app/tags/list", 405), ("PATCH", "/v2/prod/app/manifests/v1", 405),
        ("GET", "/v2/prod/app/blobs/uploads/", 405), ("POST", "/v2/prod/app/blobs/sha256:0", 405),
    ],
)  # fmt: skip
async def test_what_the_protocol_has_not_is_refused(
    registry: ImageRegistry, method: str, path: str, status: int
) -> None:
    """Paths and methods; a list of all repositories is nobody's business."""
    answer = await registry.client.request(method, path)
    refused(answer, status, "UNSUPPORTED")
    assert ("allow" in answer.headers) == (status == 405)


async def test_many_parameters_are_refused(registry: ImageRegistry) -> None:
    """A query of a thousand parameters, or of a hundred tags."""
    query = "&".join(f"a{number}=1" for number in range(1000))
    refused(await registry.client.post(f"/v2/prod/app/blobs/uploads/?{query}"), 400, "UNSUPPORTED")
    await registry.push_image(BLOB)
    manifest = image(b"{}", BLOB)
    tags = "&".join(f"tag=t{number}" for number in range(21))
    refused(await registry.put(manifest, f"{digest_of(manifest)}?{tags}"), 400, "UNSUPPORTED")
    refused(await registry.put(manifest, f"{digest_of(manifest)}?tag=../x"), 400, "MANIFEST_INVALID")
