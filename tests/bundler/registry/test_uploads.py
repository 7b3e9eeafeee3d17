"""Uploads to registries that do unusual things."""

import asyncio
import random
from collections.abc import Callable
from io import BytesIO

import pytest

from bundler.errors import DigestMismatch
from bundler.model import Blob, digest_of
from bundler.registry.errors import RegistryRefused, RegistryUnauthorized, RegistryUnreachable, RegistryUnusable
from bundler.registry.reference import Reference
from bundler.registry.retrying import RetryPolicy
from bundler.registry.uploads import Limits
from tests.fakes.registry import FakeRegistry, Fault
from tests.fakes.registry_side import ClientSide

KIB = 1024
LIMITS = Limits(single_post=KIB, chunk=40 * KIB, smallest_chunk=8 * KIB, resume=64 * KIB)
CONTENT = random.Random(7).randbytes(300 * KIB)


class Tally:
    """Hears of progress and adds it up."""

    def __init__(self) -> None:
        self.total: int | None = None
        self.done = 0
        self.ended = False

    def start(self, name: str, total: int | None = None) -> None:
        """Note how much there is."""
        self.total = total

    def advance(self, name: str, amount: int) -> None:
        """Add."""
        assert amount > 0
        self.done += amount

    def finish(self, name: str) -> None:
        """Note the end."""
        self.ended = True


@pytest.fixture
def push(fake_registry: FakeRegistry, side: ClientSide) -> Callable[..., object]:
    """Return what pushes bytes to the fake registry with small limits, and checks that they arrived as they are."""
    side.limits = LIMITS

    async def do(content: bytes = CONTENT) -> Tally:
        tally, target = Tally(), Reference.parse(f"{fake_registry.host}/team/app")
        async with side.client() as client:
            assert await client.push_blob(target, Blob.of(content, "x/y"), progress=tally) == "uploaded"
        assert fake_registry.blobs["team/app"] == {digest_of(content): content}
        assert (tally.total, tally.done, tally.ended) == (len(content), len(content), True)
        return tally

    return do


Push = Callable[..., "asyncio.Future[Tally]"]


@pytest.mark.parametrize("location", ["relative", "absolute"])
async def test_upload_follows_any_kind_of_location(fake_registry: FakeRegistry, push: Push, location: str) -> None:
    """Addresses with a query of their own get the digest behind it, and stay as they are."""
    fake_registry.behaviour.location = location  # type: ignore[assignment]  # a parameter of the test
    await push()
    assert len(fake_registry.asked("^PUT ")) == 1
    assert fake_registry.asked("^PUT ")[0].target.endswith(f"&digest=sha256%3A{digest_of(CONTENT)[7:]}")


@pytest.mark.parametrize(("kind", "requests"), [("stored", 1), ("accepted", 2), ("refused", 3)])
async def test_small_blob_goes_with_the_first_request(
    fake_registry: FakeRegistry, push: Push, kind: str, requests: int
) -> None:
    """One request where the registry takes it; else the session that it begins, or one of its own."""
    fake_registry.behaviour.single_post = kind  # type: ignore[assignment]  # a parameter of the test
    await push(b"small")
    assert len(fake_registry.asked("^(POST|PUT) ")) == requests


async def test_refused_single_post_is_not_tried_again(fake_registry: FakeRegistry, side: ClientSide) -> None:
    """What one blob has shown, the next need not try."""
    target = Reference.parse(f"{fake_registry.host}/team/app")
    async with side.client() as client:
        for content in (b"one", b"two", b"three"):
            await client.push_blob(target, Blob.of(content, "x/y"))
    assert len(fake_registry.asked(r"^POST .*digest=")) == 1


@pytest.mark.parametrize("keeps", [True, False])
async def test_broken_upload_goes_on(fake_registry: FakeRegistry, push: Push, side: ClientSide, keeps: bool) -> None:
    """What the registry has of a broken upload is not sent again; when it has nothing, all is."""
    fake_registry.behaviour.keeps_broken_uploads = keeps
    fake_registry.behaviour.faults = [Fault("^PUT ", after_body=200 * KIB)]
    await push()
    sent = sum(len(one.body) for one in fake_registry.asked("^(PUT|PATCH) "))
    assert sent == (300 if keeps else 500) * KIB
    assert len(side.slept) == 1


async def test_broken_chunk_goes_on(fake_registry: FakeRegistry, push: Push) -> None:
    """A chunk that breaks off is asked about and continued."""
    fake_registry.behaviour.faults = [Fault("^PUT ", after_body=10), *(Fault("^PATCH ", after_body=9) for _ in "ab")]
    await push()
    assert sum(len(one.body) for one in fake_registry.asked("^(PUT|PATCH) ")) == len(CONTENT)


async def test_chunks_are_as_large_as_the_registry_wants(fake_registry: FakeRegistry, push: Push) -> None:
    """A registry's minimum counts more than our size; the last chunk may be smaller."""
    fake_registry.behaviour.smallest_chunk = 70 * KIB
    fake_registry.behaviour.faults = [Fault("^PUT ", after_body=10 * KIB)]
    await push()
    sizes = [len(one.body) for one in fake_registry.asked("^PATCH ")]
    assert sizes == [70 * KIB, 70 * KIB, 70 * KIB, 70 * KIB, 10 * KIB]


async def test_body_too_large_for_a_proxy_goes_in_chunks(fake_registry: FakeRegistry, push: Push) -> None:
    """A 413 makes it chunks, and smaller ones, until they pass; a second blob knows."""
    fake_registry.behaviour.largest_body = 25 * KIB
    await push()
    sizes = [len(one.body) for one in fake_registry.asked("^PATCH ") if len(one.body) <= 25 * KIB]
    assert max(sizes) == 20 * KIB
    assert sum(sizes) == len(CONTENT)


async def test_body_too_large_in_any_size_is_refused(fake_registry: FakeRegistry, side: ClientSide) -> None:
    """There is an end to cutting, and the upload is taken back."""
    side.limits = LIMITS
    fake_registry.behaviour.largest_body = KIB
    async with side.client() as client:
        with pytest.raises(RegistryRefused, match="413"):
            await client.push_blob(Reference.parse(f"{fake_registry.host}/team/app"), Blob.of(CONTENT, "x/y"))


async def test_partly_stored_chunk_is_continued(fake_registry: FakeRegistry, push: Push) -> None:
    """What counts is what the registry says that it has."""
    fake_registry.behaviour.largest_body = 100 * KIB
    fake_registry.behaviour.takes_part_of_chunk = 15 * KIB
    await push()
    assert {one.headers["content-range"] for one in fake_registry.asked("^PATCH ")} >= {"0-40959", "15360-56319"}


async def test_chunk_out_of_order_is_asked_about(fake_registry: FakeRegistry, push: Push) -> None:
    """A 416 is answered by asking the session, and going on where it is."""
    fake_registry.behaviour.largest_body = 100 * KIB
    fake_registry.behaviour.faults = [Fault("^PATCH .*~1==", status=416)]
    await push()
    assert len(fake_registry.asked("^GET .*uploads")) == 1


async def test_lost_answer_of_the_last_request_is_noticed(fake_registry: FakeRegistry, push: Push) -> None:
    """A blob that is there although the answer was lost is not sent again."""
    fake_registry.behaviour.faults = [Fault("^PUT ", cut_at=0)]
    fake_registry.put_blob("nothing", b"")
    await push(b"m" * 2 * KIB)


@pytest.mark.parametrize("status", [408, 429, 500, 502, 503, 504])
@pytest.mark.parametrize("request_line", ["^HEAD ", "^POST ", "^PUT ", "^GET /v2/$"])
async def test_failure_for_a_while_is_tried_again(
    fake_registry: FakeRegistry, push: Push, side: ClientSide, status: int, request_line: str
) -> None:
    """Twice a failure, then it works."""
    fake_registry.behaviour.faults = [Fault(request_line, times=2, status=status)]
    await push()
    assert len(side.slept) == 2


@pytest.mark.parametrize("request_line", ["^HEAD ", "^POST ", "^PUT ", "^GET /v2/$"])
async def test_reset_is_tried_again(fake_registry: FakeRegistry, push: Push, request_line: str) -> None:
    """A connection that is reset without an answer is opened anew."""
    fake_registry.behaviour.faults = [Fault(request_line, times=2)]
    await push()


async def test_waits_as_long_as_the_registry_asks(fake_registry: FakeRegistry, push: Push, side: ClientSide) -> None:
    """Retry-After counts in seconds, and as a date by the registry's own clock."""
    date = {"Retry-After": "Fri, 01 Jan 2100 00:00:21 GMT", "Date": "Fri, 01 Jan 2100 00:00:00 GMT"}
    fake_registry.behaviour.faults = [
        Fault("^POST ", status=429, headers={"Retry-After": "7"}),
        Fault("^POST ", status=503, headers=date),
    ]
    await push()
    assert [round(pause) for pause in side.slept] == [7, 21]


async def test_too_long_a_wait_is_not_waited(fake_registry: FakeRegistry, side: ClientSide) -> None:
    """Who asks for an hour is given up at once, in the registry's words."""
    body = b'{"errors":[{"code":"TOOMANYREQUESTS","message":"pull limit reached"}]}'
    fake_registry.behaviour.faults = [Fault("", times=99, status=429, headers={"Retry-After": "3600"}, body=body)]
    async with side.client() as client:
        with pytest.raises(RegistryUnreachable) as caught:
            await client.manifest(Reference.parse(f"{fake_registry.host}/team/app"))
    assert "pull limit reached" in caught.value.problem.detail
    assert side.slept == []


async def test_lasting_failure_ends(fake_registry: FakeRegistry, side: ClientSide) -> None:
    """After as many attempts as the policy has, the last failure is the error."""
    side.policy = RetryPolicy(attempts=4)
    fake_registry.behaviour.faults = [Fault("^PUT ", times=99, status=503)]
    async with side.client() as client:
        with pytest.raises(RegistryUnreachable, match="503"):
            await client.push_blob(Reference.parse(f"{fake_registry.host}/team/app"), Blob.of(CONTENT, "x/y"))
    assert len(side.slept) == 3


async def test_changed_file_is_not_pushed(fake_registry: FakeRegistry, side: ClientSide) -> None:
    """A file that is not what its digest says any more is told so, once the registry has noticed."""
    blob = Blob(digest=digest_of(CONTENT), size=len(CONTENT), media_type="", open=lambda: BytesIO(CONTENT[::-1]))
    async with side.client() as client:
        with pytest.raises(DigestMismatch, match="has changed"):
            await client.push_blob(Reference.parse(f"{fake_registry.host}/team/app"), blob)
    assert fake_registry.blobs == {}


async def test_file_that_became_shorter_is_not_pushed(fake_registry: FakeRegistry, side: ClientSide) -> None:
    """A file that ends too early is told so, and the upload taken back."""
    blob = Blob(digest=digest_of(CONTENT), size=len(CONTENT), media_type="", open=lambda: BytesIO(CONTENT[:1000]))
    async with side.client() as client:
        with pytest.raises(DigestMismatch, match="before its size"):
            await client.push_blob(Reference.parse(f"{fake_registry.host}/team/app"), blob)
    assert fake_registry.uploads.sessions == {}


async def test_damage_on_the_way_is_sent_again(fake_registry: FakeRegistry, push: Push) -> None:
    """A registry that found another digest than we is sent the blob again."""
    body = b'{"errors":[{"code":"DIGEST_INVALID"}]}'
    fake_registry.behaviour.faults = [Fault("^PUT ", status=400, body=body)]
    await push()
    assert fake_registry.uploads.begun == 2


async def test_upload_without_address_breaks_the_protocol(fake_registry: FakeRegistry, side: ClientSide) -> None:
    """Without a Location there is nowhere to go."""
    fake_registry.behaviour.faults = [Fault("^POST ", times=9, status=202)]
    async with side.client() as client:
        with pytest.raises(RegistryUnusable, match="where to send"):
            await client.push_blob(Reference.parse(f"{fake_registry.host}/team/app"), Blob.of(b"x", "x/y"))


@pytest.mark.parametrize("location", ["", "absolute"])
async def test_mount_that_is_not_done_becomes_an_upload(
    fake_registry: FakeRegistry, side: ClientSide, location: str
) -> None:
    """The session that a 202 begins is used, not another."""
    fake_registry.behaviour.mount = False
    fake_registry.behaviour.location = "absolute" if location else "relative"
    fake_registry.put_blob("base/python", CONTENT)
    base, target = (Reference.parse(f"{fake_registry.host}/{name}") for name in ("base/python", "team/app"))
    async with side.client() as client:
        assert await client.push_blob(target, Blob.of(CONTENT, "x/y"), mount_from=[base]) == "uploaded"
    assert fake_registry.uploads.begun == 1


async def test_unused_session_of_a_mount_is_taken_back(fake_registry: FakeRegistry, side: ClientSide) -> None:
    """Asking for a mount alone leaves no upload behind."""
    fake_registry.behaviour.mount = False
    base, target = (Reference.parse(f"{fake_registry.host}/{name}") for name in ("base/python", "team/app"))
    async with side.client() as client:
        assert not await client.mount(target, base, digest_of(CONTENT))
    assert fake_registry.uploads.canceled == 1


@pytest.mark.parametrize("refuses", [True, False])
async def test_mount_without_right_to_the_source_becomes_an_upload(
    fake_registry: FakeRegistry, side: ClientSide, refuses: bool
) -> None:
    """Whether the token server gives no token at all, or one for less: the blob arrives, without more mounts."""
    fake_registry.behaviour.auth = "bearer"
    fake_registry.tokens.denied = {"base/python"}
    fake_registry.tokens.refuses_denied = refuses
    side.log_in(fake_registry.host, "lab", "pa55-wörd")
    base, target = (Reference.parse(f"{fake_registry.host}/{name}") for name in ("base/python", "team/app"))
    async with side.client() as client:
        for content in (CONTENT, b"another", b"third"):
            assert await client.push_blob(target, Blob.of(content, "x/y"), mount_from=[base]) == "uploaded"
    assert len(fake_registry.tokens.requests) <= 5


async def test_blob_is_pushed_once_by_many_tasks(fake_registry: FakeRegistry, side: ClientSide) -> None:
    """Two tasks with the same blob make one upload."""
    target = Reference.parse(f"{fake_registry.host}/team/app")
    async with side.client() as client:
        outcomes = await asyncio.gather(*(client.push_blob(target, Blob.of(CONTENT, "x/y")) for _ in range(8)))
    assert sorted(outcomes) == ["present"] * 7 + ["uploaded"]


async def test_blob_is_copied_between_registries(
    fake_registry: FakeRegistry, other_registry: FakeRegistry, side: ClientSide
) -> None:
    """A blob goes from one registry into another without a file, also when both connections break."""
    side.limits = LIMITS
    digest = other_registry.put_blob("base/python", CONTENT)
    other_registry.behaviour.faults = [Fault("^GET .*blobs", cut_at=100 * KIB)]
    fake_registry.behaviour.faults = [Fault("^PUT ", after_body=200 * KIB)]
    source = Reference.parse(f"{other_registry.host}/base/python")
    target = Reference.parse(f"{fake_registry.host}/team/app")
    async with side.client() as client:
        assert await client.copy_blob(source, target, digest=digest, size=len(CONTENT)) == "uploaded"
        assert await client.copy_blob(source, target, digest=digest, size=len(CONTENT)) == "present"
    assert fake_registry.blobs["team/app"] == {digest: CONTENT}


async def test_wrong_bytes_are_not_copied(
    fake_registry: FakeRegistry, other_registry: FakeRegistry, side: ClientSide
) -> None:
    """A registry that gives something else than its digest says is not believed, and nothing arrives."""
    digest = digest_of(CONTENT)
    other_registry.blobs["base/python"] = {digest: CONTENT[::-1]}
    source = Reference.parse(f"{other_registry.host}/base/python")
    target = Reference.parse(f"{fake_registry.host}/team/app")
    async with side.client() as client:
        with pytest.raises(DigestMismatch):
            await client.copy_blob(source, target, digest=digest, size=len(CONTENT))
    assert fake_registry.blobs == {}
    assert fake_registry.uploads.sessions == {}


@pytest.mark.parametrize("scheme", ["basic", "bearer"])
async def test_refusal_to_push_is_told(fake_registry: FakeRegistry, side: ClientSide, scheme: str) -> None:
    """A wrong password ends the push with the source of the credentials, and without the password."""
    fake_registry.behaviour.auth = scheme  # type: ignore[assignment]  # a parameter of the test
    side.log_in(fake_registry.host, "lab", "wr0ng")
    async with side.client() as client:
        with pytest.raises(RegistryUnauthorized) as caught:
            await client.push_blob(Reference.parse(f"{fake_registry.host}/team/app"), Blob.of(CONTENT, "x/y"))
    assert "config.json" in caught.value.problem.detail
    assert "wr0ng" not in str(caught.value.problem)


async def test_canceled_push_leaves_the_client_usable(fake_registry: FakeRegistry, side: ClientSide) -> None:
    """An upload that is canceled closes the file, and the same blob can be pushed again."""
    reached, opened = asyncio.Event(), []

    class Slow(BytesIO):
        def read(self, size: int | None = -1, /) -> bytes:
            loop.call_soon_threadsafe(reached.set)
            return super().read(1000)

    def slow() -> BytesIO:
        opened.append(Slow(CONTENT))
        return opened[-1]

    loop = asyncio.get_running_loop()
    blob = Blob(digest=digest_of(CONTENT), size=len(CONTENT), media_type="", open=slow)
    target = Reference.parse(f"{fake_registry.host}/team/app")
    async with side.client() as client:
        task = asyncio.create_task(client.push_blob(target, blob))
        await reached.wait()
        task.cancel()
        with pytest.raises(asyncio.CancelledError):
            await task
        assert [stream.closed for stream in opened] == [True]
        assert await client.push_blob(target, Blob.of(CONTENT, "x/y")) == "uploaded"


async def test_memory_does_not_grow_with_the_blob(fake_registry: FakeRegistry, side: ClientSide) -> None:
    """A blob is read in pieces, never as a whole."""
    asked: list[int] = []

    class Watched(BytesIO):
        def read(self, size: int | None = -1, /) -> bytes:
            asked.append(size or 0)
            return super().read(size)

    content = bytes(5_000_000)
    blob = Blob(digest=digest_of(content), size=len(content), media_type="", open=lambda: Watched(content))
    async with side.client() as client:
        await client.push_blob(Reference.parse(f"{fake_registry.host}/team/app"), blob)
    assert set(asked) == {1024 * 1024}
