"""Keys: asked for each request, before anything is looked at, in both ways in which clients show them."""

from __future__ import annotations

import base64
from collections.abc import AsyncIterator

import httpx
import pytest

from executor.registry.access import Credential, read_credential
from tests.executor.registry.conftest import MakeRegistry
from tests.fakes.image_registry import OCI_MANIFEST, ImageRegistry, digest_of, image, refused

BLOB = b"layer" * 1000
REQUESTS = [
    ("GET", "/v2/prod/app/blobs/{digest}", "pull"),
    ("HEAD", "/v2/prod/app/blobs/{digest}", "pull"),
    ("DELETE", "/v2/prod/app/blobs/{digest}", "delete"),
    ("POST", "/v2/prod/app/blobs/uploads/", "push"),
    ("GET", "/v2/prod/app/blobs/uploads/some", "push"),
    ("PATCH", "/v2/prod/app/blobs/uploads/some", "push"),
    ("PUT", "/v2/prod/app/blobs/uploads/some", "push"),
    ("DELETE", "/v2/prod/app/blobs/uploads/some", "push"),
    ("GET", "/v2/prod/app/manifests/v1", "pull"),
    ("HEAD", "/v2/prod/app/manifests/v1", "pull"),
    ("PUT", "/v2/prod/app/manifests/v1", "push"),
    ("DELETE", "/v2/prod/app/manifests/v1", "delete"),
    ("GET", "/v2/prod/app/tags/list", "pull"),
    ("GET", "/v2/prod/app/referrers/{digest}", "pull"),
]


@pytest.fixture
async def guarded(make_registry: MakeRegistry) -> AsyncIterator[ImageRegistry]:
    """Return a registry with an image, where `all` may do everything, and three keys one thing each in prod/."""
    async with make_registry() as registry:
        await registry.push_image(BLOB, tag="v1")
        registry.side.keys.give("all")
        for action in ("pull", "push", "delete"):
            registry.side.keys.give(f"{action}-key", "prod/", frozenset({action}))
        yield registry


@pytest.mark.parametrize(("method", "path", "action"), REQUESTS)
async def test_every_request_states_what_it_needs(guarded: ImageRegistry, method: str, path: str, action: str) -> None:
    """Without a key and with a wrong one 401, with a key for something else 403, and the answer tells nothing more."""
    address = path.format(digest=digest_of(BLOB))

    async def ask(password: str) -> httpx.Response:
        return await guarded.client.request(method, address, auth=("trigger", password) if password else None)

    for password in ("", "wrong"):
        answer = await ask(password)
        assert answer.status_code == 401
        assert answer.headers["www-authenticate"].startswith('Basic realm="')
    for key in ("pull", "push", "delete"):
        answer = await ask(f"{key}-key")
        assert (answer.status_code == 403) == (key != action), (key, answer.status_code)
    refusals = {(await ask("push-key" if action != "push" else "pull-key")).text}
    guarded.side.keys.give("elsewhere", "staging/")
    elsewhere = await ask("elsewhere")
    assert elsewhere.status_code == 403
    assert {elsewhere.text} == refusals


async def test_login_asks_whether_the_key_is_known(guarded: ImageRegistry) -> None:
    """`docker login` asks the root."""
    refused(await guarded.client.get("/v2/"), 401, "UNAUTHORIZED")
    refused(await guarded.client.get("/v2/", auth=("x", "wrong")), 401, "UNAUTHORIZED")
    assert (await guarded.client.get("/v2/", auth=("x", "pull-key"))).status_code == 200


async def test_key_is_taken_as_bearer_too(guarded: ImageRegistry) -> None:
    """As our own API takes it."""
    headers = {"authorization": "Bearer all"}
    assert (await guarded.client.get("/v2/prod/app/tags/list", headers=headers)).status_code == 200
    assert guarded.side.keys.asked[-1] == (Credential(scheme="bearer", secret="all"), "prod/app", "pull")


async def test_blob_is_not_mounted_from_where_the_key_may_not_read(guarded: ImageRegistry) -> None:
    """An upload is begun instead, as if the blob were not there."""
    guarded.side.keys.give("mine", "staging/")
    query = {"mount": digest_of(BLOB), "from": "prod/app"}
    answers = [
        await guarded.client.post("/v2/staging/app/blobs/uploads/", params=params, auth=("x", "mine"))
        for params in (query, {**query, "mount": digest_of(b"nothing")})
    ]
    assert [answer.status_code for answer in answers] == [202, 202]
    guarded.side.keys.give("mine", "prod/", frozenset({"pull"}))
    mounted = await guarded.client.post("/v2/staging/app/blobs/uploads/", params=query, auth=("x", "mine"))
    assert mounted.status_code == 201


async def test_secret_stands_in_no_answer_and_no_log(guarded: ImageRegistry, caplog: pytest.LogCaptureFixture) -> None:
    """Nor in what is shown of a credential."""
    secret = "tr_prod_s3cr3t"
    caplog.set_level("DEBUG")
    answer = await guarded.client.get("/v2/prod/app/tags/list", auth=("x", secret))
    assert secret not in answer.text
    assert secret not in caplog.text
    assert secret not in repr(Credential(scheme="basic", secret=secret))


@pytest.mark.parametrize(
    ("header", "expected"),
    [
        (None, None),
        (b"", None),
        (b"Basic", None),
        (b"Basic !!!", None),
        (b"Basic " + base64.b64encode(b"no colon"), None),
        (b"Basic " + base64.b64encode(b"name:"), None),
        (b"Basic " + base64.b64encode(b"\xff:\xff"), None),
        (b"Digest x", None),
        (b"Bearer ", None),
        (b"basic " + base64.b64encode(b"n:a:b"), Credential(scheme="basic", username="n", secret="a:b")),
        (b"BEARER  t0ken", Credential(scheme="bearer", secret="t0ken")),
    ],
)
def test_header_is_read(header: bytes | None, expected: Credential | None) -> None:
    """What is malformed is as good as nothing."""
    assert read_credential(header) == expected


async def test_refused_push_is_told_before_its_bytes_are_read(guarded: ImageRegistry) -> None:
    """A client that sends a large body at once reads the refusal, and not a broken connection."""
    content = bytes(8 * 1024 * 1024)
    answer = await guarded.client.post(
        "/v2/prod/app/blobs/uploads/", params={"digest": digest_of(content)}, content=content, auth=("x", "pull-key")
    )
    refused(answer, 403, "DENIED")
    manifest = image(b"{}", BLOB)
    answer = await guarded.client.put(
        "/v2/prod/app/manifests/v1", content=manifest, headers={"content-type": OCI_MANIFEST}, auth=("x", "pull-key")
    )
    refused(answer, 403, "DENIED")
