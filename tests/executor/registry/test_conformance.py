"""The cases of the distribution specification: pull, push, discovery of content, management of content."""

from __future__ import annotations

import hashlib
import json
from collections.abc import AsyncIterator
from itertools import pairwise

import pytest

from tests.fakes.image_registry import (
    DOCKER_MANIFEST,
    LAYER,
    OCI_INDEX,
    OCI_MANIFEST,
    ImageRegistry,
    descriptor,
    digest_of,
    image,
    index,
    refused,
)

BLOB = bytes(range(256)) * 40


# --- support ---


async def test_root_says_that_the_protocol_is_spoken(registry: ImageRegistry) -> None:
    """end-1: 200, in the old header too, which engines look for."""
    answer = await registry.client.get("/v2/")
    assert answer.status_code == 200
    assert answer.headers["docker-distribution-api-version"] == "registry/2.0"


# --- pull ---


async def test_blob_is_read_and_looked_for(registry: ImageRegistry) -> None:
    """end-2: the bytes, their length and digest; HEAD the same without the bytes."""
    digest = await registry.push(BLOB)
    got = await registry.client.get(f"/v2/prod/app/blobs/{digest}")
    assert (got.status_code, got.content) == (200, BLOB)
    looked = await registry.client.head(f"/v2/prod/app/blobs/{digest}")
    assert looked.status_code == 200
    for answer in (got, looked):
        assert answer.headers["content-length"] == str(len(BLOB))
        assert answer.headers["docker-content-digest"] == digest


@pytest.mark.parametrize(
    ("asked", "start", "end"),
    [("0-9", 0, 10), ("100-", 100, None), ("-7", -7, None), ("10000-99999", 10_000, None), ("5-5", 5, 6)],
)
async def test_part_of_a_blob_is_read(registry: ImageRegistry, asked: str, start: int, end: int | None) -> None:
    """206 with the part and where it lies."""
    digest = await registry.push(BLOB)
    answer = await registry.client.get(f"/v2/prod/app/blobs/{digest}", headers={"range": f"bytes={asked}"})
    assert (answer.status_code, answer.content) == (206, BLOB[start:end])
    first = start % len(BLOB)
    assert answer.headers["content-range"] == f"bytes {first}-{first + len(answer.content) - 1}/{len(BLOB)}"


@pytest.mark.parametrize("asked", ["bytes=999999-", "bytes=-0"])
async def test_part_behind_the_end_is_refused(registry: ImageRegistry, asked: str) -> None:
    """416, with the size."""
    digest = await registry.push(BLOB)
    answer = await registry.client.get(f"/v2/prod/app/blobs/{digest}", headers={"range": asked})
    refused(answer, 416, "RANGE_INVALID")
    assert answer.headers["content-range"] == f"bytes */{len(BLOB)}"


@pytest.mark.parametrize("asked", ["bytes=0-1,4-5", "lines=1-2", "bytes=9-3", "bytes=-", "bytes=a-b"])
async def test_part_that_is_not_understood_is_everything(registry: ImageRegistry, asked: str) -> None:
    """As HTTP allows."""
    digest = await registry.push(BLOB)
    answer = await registry.client.get(f"/v2/prod/app/blobs/{digest}", headers={"range": asked})
    assert (answer.status_code, answer.content) == (200, BLOB)


async def test_missing_things_are_not_found(registry: ImageRegistry) -> None:
    """Blobs, manifests, tags, repositories, each with its own code; a blob of another repository is missing."""
    digest = await registry.push(BLOB, "prod/other")
    get = registry.client.get
    refused(await get(f"/v2/prod/app/blobs/{digest}"), 404, "BLOB_UNKNOWN")
    assert not await registry.has(digest)
    refused(await get(f"/v2/prod/app/manifests/{digest}"), 404, "MANIFEST_UNKNOWN")
    refused(await get("/v2/prod/app/manifests/v1"), 404, "MANIFEST_UNKNOWN")
    refused(await get("/v2/prod/app/manifests/.INVALID_MANIFEST_NAME"), 404, "MANIFEST_UNKNOWN")
    refused(await get("/v2/prod/nothing/tags/list"), 404, "NAME_UNKNOWN")
    assert (await registry.client.head("/v2/prod/app/manifests/v1")).status_code == 404


async def test_manifest_is_read_by_tag_and_by_digest(registry: ImageRegistry) -> None:
    """end-3: byte for byte, with its type, length and digest; HEAD the same."""
    manifest = image(b"{}", BLOB, annotations={"spaces": "  kept  "}) + b"\n  "
    await registry.push_image(BLOB)
    assert (await registry.put(manifest, "v1")).status_code == 201
    for reference in ("v1", digest_of(manifest)):
        got = await registry.client.get(f"/v2/prod/app/manifests/{reference}")
        looked = await registry.client.head(f"/v2/prod/app/manifests/{reference}")
        assert got.content == manifest
        for answer in (got, looked):
            assert answer.headers["content-type"] == OCI_MANIFEST
            assert answer.headers["content-length"] == str(len(manifest))
            assert answer.headers["docker-content-digest"] == digest_of(manifest)


# --- push: blobs ---


async def test_blob_is_pushed_in_one_request(registry: ImageRegistry) -> None:
    """end-4b: 201 with where it is."""
    answer = await registry.client.post("/v2/prod/app/blobs/uploads/", params={"digest": digest_of(BLOB)}, content=BLOB)
    assert answer.status_code == 201
    assert (await registry.client.get(answer.headers["location"])).content == BLOB
    assert answer.headers["docker-content-digest"] == digest_of(BLOB)


async def test_blob_is_pushed_in_two_requests(registry: ImageRegistry) -> None:
    """end-4a and end-6: POST, then PUT with all of it."""
    location = await registry.begin()
    answer = await registry.client.put(location, params={"digest": digest_of(BLOB)}, content=BLOB)
    assert answer.status_code == 201
    assert (await registry.client.get(answer.headers["location"])).content == BLOB
    refused(await registry.client.get(location), 404, "BLOB_UPLOAD_UNKNOWN")


@pytest.mark.parametrize("last_with_put", [True, False])
async def test_blob_is_pushed_in_chunks(registry: ImageRegistry, last_with_put: bool) -> None:
    """end-5: each answer says where the next goes, and how far it is."""
    location = await registry.begin()
    cuts = [0, 1000, 1001, 9000, len(BLOB)]
    spans = list(pairwise(cuts))
    for start, end in spans[:-1] if last_with_put else spans:
        headers = {"content-range": f"{start}-{end - 1}", "content-type": "application/octet-stream"}
        answer = await registry.client.patch(location, content=BLOB[start:end], headers=headers)
        assert answer.status_code == 202, answer.text
        assert answer.headers["range"] == f"0-{end - 1}"
        location = answer.headers["location"]
    start = cuts[-2] if last_with_put else cuts[-1]
    headers = {"content-range": f"{start}-{cuts[-1] - 1}"} if last_with_put else {}
    answer = await registry.client.put(
        location, params={"digest": digest_of(BLOB)}, content=BLOB[start:], headers=headers
    )
    assert answer.status_code == 201, answer.text
    assert (await registry.client.get(f"/v2/prod/app/blobs/{digest_of(BLOB)}")).content == BLOB


async def test_blob_is_streamed_without_a_range(registry: ImageRegistry) -> None:
    """As engines do it: one PATCH of unknown length, then an empty PUT."""

    async def pieces() -> AsyncIterator[bytes]:
        for start in range(0, len(BLOB), 777):
            yield BLOB[start : start + 777]

    location = await registry.begin()
    answer = await registry.client.patch(location, content=pieces())
    assert (answer.status_code, answer.headers["range"]) == (202, f"0-{len(BLOB) - 1}")
    answer = await registry.client.put(answer.headers["location"], params={"digest": digest_of(BLOB)})
    assert answer.status_code == 201


async def test_chunk_out_of_order_is_refused(registry: ImageRegistry) -> None:
    """416; the upload says how far it is, and goes on there."""
    location = await registry.begin()
    refused(
        await registry.client.patch(location, content=b"x" * 10, headers={"content-range": "10-19"}),
        416, "BLOB_UPLOAD_INVALID",
    )  # fmt: skip
    headers = {"content-range": "0-99"}
    assert (await registry.client.patch(location, content=BLOB[:100], headers=headers)).status_code == 202
    again = await registry.client.patch(location, content=BLOB[:100], headers=headers)
    refused(again, 416, "BLOB_UPLOAD_INVALID")
    assert again.headers["range"] == "0-99"
    asked = await registry.client.get(location)
    assert (asked.status_code, asked.headers["range"], asked.headers["location"]) == (204, "0-99", location)
    done = await registry.client.put(
        location, params={"digest": digest_of(BLOB)}, content=BLOB[100:],
        headers={"content-range": f"100-{len(BLOB) - 1}"},
    )  # fmt: skip
    assert done.status_code == 201


async def test_empty_blob_is_a_blob(registry: ImageRegistry) -> None:
    """In both ways."""
    assert await registry.push(b"") == digest_of(b"")
    location = await registry.begin("prod/other")
    assert (await registry.client.put(location, params={"digest": digest_of(b"")})).status_code == 201
    assert (await registry.client.get(f"/v2/prod/other/blobs/{digest_of(b'')}")).content == b""


async def test_sha512_is_known(registry: ImageRegistry) -> None:
    """Said when the upload begins, or only when it ends."""
    digest = f"sha512:{hashlib.sha512(BLOB).hexdigest()}"
    for query in ({"digest-algorithm": "sha512"}, {}):
        location = await registry.begin("prod/app", **query)
        answer = await registry.client.put(location, params={"digest": digest}, content=BLOB)
        assert answer.status_code == 201, answer.text
    assert (await registry.client.get(f"/v2/prod/app/blobs/{digest}")).content == BLOB


async def test_upload_is_cancelled(registry: ImageRegistry) -> None:
    """end-14: 204, and it is over."""
    location = await registry.begin()
    assert (await registry.client.delete(location)).status_code == 204
    refused(await registry.client.get(location), 404, "BLOB_UPLOAD_UNKNOWN")
    refused(await registry.client.patch(location, content=b"x"), 404, "BLOB_UPLOAD_UNKNOWN")
    refused(await registry.client.delete(location), 404, "BLOB_UPLOAD_UNKNOWN")


# --- push: mounts ---


async def test_blob_is_mounted(registry: ImageRegistry) -> None:
    """end-11: 201 without a byte sent."""
    digest = await registry.push(BLOB, "prod/base")
    answer = await registry.client.post("/v2/prod/app/blobs/uploads/", params={"mount": digest, "from": "prod/base"})
    assert answer.status_code == 201
    assert (await registry.client.get(answer.headers["location"])).content == BLOB


@pytest.mark.parametrize("query", [{"from": "prod/nothing"}, {"from": "../../etc"}, {"from": ""}, {}])
async def test_blob_that_cannot_be_mounted_is_uploaded(registry: ImageRegistry, query: dict[str, str]) -> None:
    """202 and an upload; what a repository has is no business of who may not name it."""
    digest = await registry.push(BLOB, "prod/base")
    location = await registry.begin("prod/app", mount=digest, **query)
    assert (await registry.client.put(location, params={"digest": digest}, content=BLOB)).status_code == 201


# --- push: manifests ---


async def test_manifest_is_pushed(registry: ImageRegistry) -> None:
    """end-7: 201 with where it is and its digest."""
    await registry.push_image(BLOB)
    manifest = image(b"{}", BLOB)
    answer = await registry.put(manifest, "v1")
    assert answer.status_code == 201
    assert answer.headers["docker-content-digest"] == digest_of(manifest)
    assert (await registry.client.get(answer.headers["location"])).content == manifest
    assert "oci-subject" not in answer.headers


async def test_several_tags_are_set_at_once(registry: ImageRegistry) -> None:
    """end-7b: by digest, with the tags in the query."""
    await registry.push_image(BLOB)
    manifest = image(b"{}", BLOB)
    answer = await registry.client.put(
        f"/v2/prod/app/manifests/{digest_of(manifest)}?tag=a&tag=b", content=manifest,
        headers={"content-type": OCI_MANIFEST},
    )  # fmt: skip
    assert answer.headers.get_list("oci-tag") == ["a", "b"]
    for tag in "ab":
        assert (await registry.client.get(f"/v2/prod/app/manifests/{tag}")).content == manifest


async def test_tag_is_moved(registry: ImageRegistry) -> None:
    """The image that it stood for before stays, by its digest."""
    first = await registry.push_image(b"one", tag="v1")
    second = await registry.push_image(b"two", tag="v1")
    answer = await registry.client.head("/v2/prod/app/manifests/v1")
    assert answer.headers["docker-content-digest"] == second
    assert await registry.has(first, kind="manifests")


async def test_manifest_of_which_something_is_missing_is_refused(registry: ImageRegistry) -> None:
    """Config, layers, images of an index; those of another repository do not count."""
    await registry.push_image(BLOB, repository="prod/other")
    error = refused(await registry.put(image(b"{}", BLOB), "v1"), 400, "MANIFEST_BLOB_UNKNOWN")
    assert digest_of(BLOB) in error["detail"]["detail"]
    refused(await registry.put(index(image(b"{}", BLOB)), "v1", media_type=OCI_INDEX), 400, "MANIFEST_BLOB_UNKNOWN")
    assert not await registry.has("v1", kind="manifests")
    await registry.push_image(BLOB)
    assert (await registry.put(index(image(b"{}", BLOB)), "v1", media_type=OCI_INDEX)).status_code == 201


async def test_manifest_that_gives_wrong_sizes_is_refused(registry: ImageRegistry) -> None:
    """Who reads it would stop too early, or wait for ever."""
    await registry.push_image(BLOB)
    wrong = {**descriptor(BLOB), "size": len(BLOB) + 1}
    refused(await registry.put(image(b"{}", layers=[wrong]), "v1"), 400, "MANIFEST_BLOB_UNKNOWN")


async def test_manifest_may_have_four_mebibytes(registry: ImageRegistry) -> None:
    """And one byte more is refused, announced or not."""
    await registry.push_image(BLOB)
    manifest = image(b"{}", BLOB)
    large = manifest + b" " * (4 * 1024 * 1024 - len(manifest))
    assert (await registry.put(large, "large")).status_code == 201
    assert (await registry.client.get("/v2/prod/app/manifests/large")).content == large
    refused(await registry.put(large + b" ", "larger"), 413, "SIZE_INVALID")

    async def pieces() -> AsyncIterator[bytes]:
        yield large
        yield b" "

    answer = await registry.client.put(
        "/v2/prod/app/manifests/larger", content=pieces(), headers={"content-type": OCI_MANIFEST}
    )
    refused(answer, 413, "SIZE_INVALID")


async def test_docker_manifest_is_kept_as_one(registry: ImageRegistry) -> None:
    """Its media type comes back."""
    await registry.push_image(BLOB)
    manifest = image(b"{}", BLOB, mediaType=DOCKER_MANIFEST)
    assert (await registry.put(manifest, "old", media_type=DOCKER_MANIFEST)).status_code == 201
    answer = await registry.client.get("/v2/prod/app/manifests/old")
    assert (answer.headers["content-type"], answer.content) == (DOCKER_MANIFEST, manifest)


# --- content discovery ---


async def test_tags_are_listed_in_order_and_by_pages(registry: ImageRegistry) -> None:
    """end-8: capital letters like small ones; `n`, `last`, and a link to the next page."""
    for tag in ("v10", "B", "a", "v2", "C"):
        await registry.push_image(BLOB, tag=tag)
    ordered = ["a", "B", "C", "v10", "v2"]
    get = registry.client.get
    assert (await get("/v2/prod/app/tags/list")).json() == {"name": "prod/app", "tags": ordered}
    assert (await get("/v2/prod/app/tags/list?n=0")).json()["tags"] == []
    assert (await get("/v2/prod/app/tags/list?last=C")).json()["tags"] == ["v10", "v2"]
    assert (await get("/v2/prod/app/tags/list?last=bb")).json()["tags"] == ["C", "v10", "v2"]
    found, page = [], await get("/v2/prod/app/tags/list?n=2")
    while True:
        found += page.json()["tags"]
        if "next" not in page.links:
            break
        page = await get(page.links["next"]["url"])
    assert found == ordered
    refused(await get("/v2/prod/app/tags/list?n=-1"), 400, "UNSUPPORTED")


async def test_referrers_are_listed(registry: ImageRegistry) -> None:
    """end-12: also before the subject is there; with their types and annotations; filtered where that is asked for."""
    manifest = image(b"{}", BLOB)
    subject = descriptor(manifest, OCI_MANIFEST)
    get = registry.client.get
    empty = await get(f"/v2/prod/app/referrers/{subject['digest']}")
    assert (empty.status_code, empty.headers["content-type"]) == (200, OCI_INDEX)
    assert empty.json() == {"schemaVersion": 2, "mediaType": OCI_INDEX, "manifests": []}
    await registry.push(b"{}")
    await registry.push(BLOB)
    sbom = image(b"{}", BLOB, subject=subject, artifactType="application/sbom", annotations={"a": "b"})
    answer = await registry.put(sbom)
    assert (answer.status_code, answer.headers["oci-subject"]) == (201, subject["digest"])
    signature = image(b"{}", subject=subject)
    assert (await registry.put(signature)).status_code == 201
    listed = index(subject=subject, artifactType="application/bundle")
    assert (await registry.put(listed, media_type=OCI_INDEX)).status_code == 201
    assert (await registry.put(manifest, "v1")).status_code == 201
    of_sbom = {"artifactType": "application/sbom", "annotations": {"a": "b"}}
    expected = {
        digest_of(sbom): {**descriptor(sbom, OCI_MANIFEST), **of_sbom},
        digest_of(signature): {
            **descriptor(signature, OCI_MANIFEST), "artifactType": "application/vnd.oci.image.config.v1+json"
        },
        digest_of(listed): {**descriptor(listed, OCI_INDEX), "artifactType": "application/bundle"},
    }  # fmt: skip
    found = (await get(f"/v2/prod/app/referrers/{subject['digest']}")).json()["manifests"]
    assert {entry["digest"]: entry for entry in found} == expected
    filtered = await get(f"/v2/prod/app/referrers/{subject['digest']}?artifactType=application/sbom")
    assert filtered.headers["oci-filters-applied"] == "artifactType"
    assert [entry["digest"] for entry in filtered.json()["manifests"]] == [digest_of(sbom)]
    refused(await get("/v2/prod/app/referrers/latest"), 400, "DIGEST_INVALID")


async def test_many_referrers_come_by_pages(registry: ImageRegistry) -> None:
    """An answer stays within what clients read as a manifest."""
    digest = await registry.push_image(BLOB, tag="v1")
    subject = descriptor(image(b"{}", BLOB), OCI_MANIFEST)
    wanted = set()
    for number in range(6):
        manifest = image(b"{}", subject=subject, annotations={"n": str(number), "x": "x" * 900_000})
        assert (await registry.put(manifest)).status_code == 201
        wanted.add(digest_of(manifest))
    page = await registry.client.get(f"/v2/prod/app/referrers/{digest}")
    found, pages = [entry["digest"] for entry in page.json()["manifests"]], 1
    while "next" in page.links:
        assert len(page.content) < 4 * 1024 * 1024
        page = await registry.client.get(page.links["next"]["url"])
        found += [entry["digest"] for entry in page.json()["manifests"]]
        pages += 1
    assert (set(found), len(found), pages) == (wanted, 6, 3)


# --- content management ---


async def test_tag_is_deleted(registry: ImageRegistry) -> None:
    """end-9: 202; the image stays, by its digest and its other tags."""
    digest = await registry.push_image(BLOB, tag="v1")
    await registry.push_image(BLOB, tag="v2")
    assert (await registry.client.delete("/v2/prod/app/manifests/v1")).status_code == 202
    refused(await registry.client.get("/v2/prod/app/manifests/v1"), 404, "MANIFEST_UNKNOWN")
    refused(await registry.client.delete("/v2/prod/app/manifests/v1"), 404, "MANIFEST_UNKNOWN")
    assert await registry.has(digest, kind="manifests")
    assert await registry.has("v2", kind="manifests")


async def test_manifest_is_deleted_with_its_tags(registry: ImageRegistry) -> None:
    """end-9: 202; then its blobs can be deleted (end-10)."""
    digest = await registry.push_image(BLOB, tag="v1")
    refused(await registry.client.delete(f"/v2/prod/app/blobs/{digest_of(BLOB)}"), 405, "UNSUPPORTED")
    assert (await registry.client.delete(f"/v2/prod/app/manifests/{digest}")).status_code == 202
    for reference in (digest, "v1"):
        refused(await registry.client.get(f"/v2/prod/app/manifests/{reference}"), 404, "MANIFEST_UNKNOWN")
    assert (await registry.client.get("/v2/prod/app/tags/list")).json()["tags"] == []
    assert (await registry.client.delete(f"/v2/prod/app/blobs/{digest_of(BLOB)}")).status_code == 202
    refused(await registry.client.get(f"/v2/prod/app/blobs/{digest_of(BLOB)}"), 404, "BLOB_UNKNOWN")
    refused(await registry.client.delete(f"/v2/prod/app/blobs/{digest_of(BLOB)}"), 404, "BLOB_UNKNOWN")


async def test_part_of_an_index_is_not_deleted(registry: ImageRegistry) -> None:
    """Nor the image of a deployment."""
    digest = await registry.push_image(BLOB)
    listed = index(image(b"{}", BLOB))
    assert (await registry.put(listed, "v1", media_type=OCI_INDEX)).status_code == 201
    refused(await registry.client.delete(f"/v2/prod/app/manifests/{digest}"), 405, "UNSUPPORTED")
    registry.side.in_use.add(digest_of(listed))
    refused(await registry.client.delete(f"/v2/prod/app/manifests/{digest_of(listed)}"), 405, "UNSUPPORTED")
    registry.side.in_use.clear()
    for each in (digest_of(listed), digest):
        assert (await registry.client.delete(f"/v2/prod/app/manifests/{each}")).status_code == 202


async def test_blob_of_another_repository_stays(registry: ImageRegistry) -> None:
    """Content is kept once, and goes with the last repository that has it."""
    for repository in ("prod/app", "prod/other"):
        await registry.push(BLOB, repository)
    assert registry.opened.store.index.held() == len(BLOB)
    assert (await registry.client.delete(f"/v2/prod/app/blobs/{digest_of(BLOB)}")).status_code == 202
    assert (await registry.client.get(f"/v2/prod/other/blobs/{digest_of(BLOB)}")).content == BLOB


async def test_errors_have_the_form_of_the_protocol(registry: ImageRegistry) -> None:
    """A list of code, message and detail, as JSON; the detail has our own code and what to do."""
    answer = await registry.client.patch("/v2/prod/app/blobs/uploads/unknown", content=b"x")
    assert answer.headers["content-type"] == "application/json"
    assert json.loads(answer.content) == {
        "errors": [
            {
                "code": "BLOB_UPLOAD_UNKNOWN",
                "message": "there is no such upload in this repository",
                "detail": {"code": "upload-not-found", "hint": "Begin the upload again."},
            }
        ]
    }


async def test_layers_of_any_type_are_kept(registry: ImageRegistry) -> None:
    """Artifacts are images to a registry."""
    for media_type in (LAYER, "application/wasm", "application/vnd.cyclonedx+json"):
        await registry.push_image(BLOB, layers=[descriptor(BLOB, media_type)])
