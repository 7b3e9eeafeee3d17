"""A registry that answers with nonsense: each time a problem, never a crash, and never for long."""

import asyncio
from collections.abc import Awaitable, Callable

import pytest

from bundler.errors import BundlerError
from bundler.model import Blob, digest_of
from bundler.registry.reference import Reference
from bundler.registry.retrying import RetryPolicy
from bundler.registry.uploads import Limits
from tests.fakes.registry import FakeRegistry, Fault
from tests.fakes.registry_side import ClientSide

HEADERS = [
    "WWW-Authenticate", "Location", "Range", "Content-Range", "Retry-After", "Date", "Content-Type", "Link",
    "Docker-Content-Digest", "OCI-Chunk-Min-Length", "Content-Encoding",
]  # fmt: skip
VALUES = [
    "", "²", "9" * 5000, "-1", "0-²", f"0-{'9' * 5000}", "bytes 0-1/*", "bytes ²-³/*", "http://[::1", "https://a:b/",
    "//", "?", "file:///etc/passwd", "javascript:alert(1)", "http://user:pw@127.0.0.1:1/x", "http://\xff\xfe/",
    'Bearer realm="http://127.0.0.1:1/t",scope="::::"', 'Bearer realm="file:///x"', 'Basic realm="', "gzip", "x" * 9000,
    "Thu, 99 Foo 2020", "Fri, 31 Dec 9999 23:59:59 -2359", "Mon, 01 Jan 2024 00:00:00 -0000", '<>; rel="next"',
    '<http://[>; rel="next"', "sha256:" + "0" * 64, "application/vnd.oci.image.index.v1+json",
]  # fmt: skip
BODIES = [
    b"", b"[" * 60_000, b'{"errors":[[],{},{"code":{}},1]}', b'{"errors":{}}', b"\xff\xfe\x00", b'{"manifests":[1,{}]}',
    b'{"token":"t","expires_in":1e999}', b'{"token":"t","expires_in":' + b"9" * 4000 + b"}", b"\x1b[2J\x1b]0;x\x07",
]  # fmt: skip


async def every_call(registry: FakeRegistry, side: ClientSide) -> list[str]:
    """Do everything that a client can do; return what the problems say."""
    reference = Reference.parse(f"{registry.host}/team/app:v1")
    base = Reference.parse(f"{registry.host}/base")
    blob = Blob.of(b"x" * 3000, "x/y")
    said = []
    async with side.client() as client:

        async def read() -> None:
            async for _ in client.blob(reference, blob.digest):
                pass

        calls: list[Callable[[], Awaitable[object]]] = [
            lambda: client.manifest(reference), lambda: client.resolve(reference), read,
            lambda: client.has_blob(reference, blob.digest, 3000), lambda: client.mount(reference, base, blob.digest),
            lambda: client.push_blob(reference, blob, mount_from=[base]),
            lambda: client.push_manifest(reference, b'{"subject":{"digest":"%s"}}' % blob.digest.encode(), "x/y"),
            lambda: client.referrers(reference, digest_of(b"")),
        ]  # fmt: skip
        for call in calls:
            try:
                async with asyncio.timeout(20):
                    await call()
            except BundlerError as error:
                said.append(str(error.problem))
    return said


@pytest.fixture
def hurried(side: ClientSide) -> ClientSide:
    """Return the side of a client that tries twice and cuts small."""
    side.policy = RetryPolicy(attempts=2)
    side.limits = Limits(single_post=0, chunk=1000, smallest_chunk=100, resume=1000)
    side.configure({"auths": {"127.0.0.1": {}}})
    return side


@pytest.mark.parametrize("header", HEADERS)
@pytest.mark.parametrize("status", [200, 202, 206, 307, 401, 413, 416, 429])
async def test_nonsense_in_a_header_is_a_problem(
    fake_registry: FakeRegistry, hurried: ClientSide, header: str, status: int
) -> None:
    """In any header of any answer."""
    for value in VALUES:
        fake_registry.behaviour.faults = [Fault("/v2/.", times=10_000, status=status, headers={header: value})]
        said = await every_call(fake_registry, hurried)
        assert "\x1b" not in "".join(said)


@pytest.mark.parametrize("body", BODIES, ids=range(len(BODIES)))
@pytest.mark.parametrize("status", [200, 400, 403, 404, 500])
async def test_nonsense_in_a_body_is_a_problem(
    fake_registry: FakeRegistry, hurried: ClientSide, body: bytes, status: int
) -> None:
    """In any answer, that of the token server included."""
    fake_registry.behaviour.auth = "bearer"
    fake_registry.tokens.anonymous = True
    fake_registry.behaviour.faults = [Fault("/token|/v2/.", times=10_000, status=status, body=body)]
    said = await every_call(fake_registry, hurried)
    assert "\\x1b" not in "".join(said)
