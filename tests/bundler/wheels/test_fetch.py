"""Fetching: what comes is what the lock says, or it is not kept; nothing secret is shown."""

import asyncio
import logging
import random
from pathlib import Path

import pytest

from bundler.errors import DigestMismatch, WheelTooLarge
from bundler.locks.errors import LockInvalid, LockUntrusted, WheelUnavailable
from bundler.wheels.fetch import FetchLimits
from tests.fakes.fetching import FetchSide, locked_wheel
from tests.fakes.index import FakeIndex, Offered


async def test_wheels_are_fetched_once(fetching: FetchSide, index: FakeIndex) -> None:
    """Wheels come in the order they were asked for; the second time nothing is asked."""
    wanted = [locked_wheel(index, index.offer(f"part{number}")) for number in range(24)]
    wheels = await fetching.fetch(*wanted)
    assert [wheel.name for wheel in wheels] == [f"part{number}" for number in range(24)]
    assert all(wheel.path.read_bytes() == index.files[wheel.filename].content for wheel in wheels)
    assert fetching.told.total == fetching.told.done == sum(len(one.content) for one in index.files.values())
    assert fetching.told.events == ["start", "finish"]
    index.requests.clear()
    assert await fetching.fetch(*wanted) == wheels
    assert index.requests == []


async def test_damaged_wheel_in_the_store_is_fetched_again(fetching: FetchSide, index: FakeIndex) -> None:
    """A wheel that changed on the disk is not used."""
    offered = index.offer("alpha")
    (wheel,) = await fetching.fetch(locked_wheel(index, offered))
    wheel.path.write_bytes(b"x" * len(offered.content))
    (again,) = await fetching.fetch(locked_wheel(index, offered))
    assert again.path.read_bytes() == offered.content


@pytest.mark.parametrize("lie", ["other", "longer", "truncated"])
async def test_other_bytes_than_locked_are_not_kept(fetching: FetchSide, index: FakeIndex, lie: str) -> None:
    """Bytes with another hash, more or fewer than locked are refused, and nothing of them stays."""
    offered = index.offer("alpha")
    size = len(offered.content)
    content = {"other": b"x" * size, "longer": offered.content + b"x", "truncated": offered.content[:-1]}[lie]
    index.answers[f"/files/{offered.filename}"] = [content] * 10
    with pytest.raises(WheelUnavailable if lie == "truncated" else DigestMismatch, match="alpha"):
        await fetching.fetch(locked_wheel(index, offered))
    assert fetching.kept() == []


async def test_wheel_without_hash_is_refused_before_any_request(fetching: FetchSide, index: FakeIndex) -> None:
    """What cannot be checked is not fetched."""
    with pytest.raises(LockInvalid, match="no sha256"):
        await fetching.fetch(locked_wheel(index, index.offer("alpha"), sha256s=frozenset()))
    assert index.requests == []


async def test_wheel_over_the_limit_is_refused(fetching: FetchSide, index: FakeIndex) -> None:
    """Where the lock says no size, there is a limit."""
    fetching.limits = FetchLimits(wheel_bytes=100)
    with pytest.raises(WheelTooLarge, match="100 bytes"):
        await fetching.fetch(locked_wheel(index, index.offer("alpha"), size=None))
    assert fetching.kept() == []


async def test_failures_for_a_while_are_tried_again(fetching: FetchSide, index: FakeIndex) -> None:
    """429 and 503 and half a wheel are passing; the progress says the truth in the end."""
    offered = index.offer("alpha")
    index.answers[f"/files/{offered.filename}"] = [503, offered.content[:50], 429]
    (wheel,) = await fetching.fetch(locked_wheel(index, offered))
    assert wheel.path.read_bytes() == offered.content
    assert len(fetching.waited) == 3
    assert fetching.told.done == len(offered.content)


async def test_failure_that_stays_is_told(fetching: FetchSide, index: FakeIndex) -> None:
    """A wheel that is gone is a problem that names the distribution; the others are ended."""
    offered = index.offer("alpha")
    index.answers[f"/files/{offered.filename}"] = [404]
    with pytest.raises(WheelUnavailable, match=r"the wheel of alpha 1\.0 cannot be fetched.*404"):
        await fetching.fetch(locked_wheel(index, offered), *(locked_wheel(index, index.offer(f"p{n}")) for n in "abc"))


async def test_host_that_the_index_names_is_used(fetching: FetchSide, index: FakeIndex, elsewhere: FakeIndex) -> None:
    """An index that has its files on another server says so on its page, which is asked once for all."""
    stored = [elsewhere.offer(f"part{number}") for number in range(3)]
    for one in stored:
        index.offer(one.project, url=elsewhere.url_of(one))
    pairs = [locked_wheel(index, index.files[one.filename]) for one in stored]
    await fetching.fetch(*pairs)
    assert len(index.requests) == 1
    assert len(elsewhere.requests) == 3


async def test_host_that_no_index_names_is_refused(fetching: FetchSide, index: FakeIndex, elsewhere: FakeIndex) -> None:
    """A lock whose file is elsewhere than its index says is refused, although the hash is right: nothing is asked."""
    offered = index.offer("alpha")
    elsewhere.add(offered)
    with pytest.raises(LockUntrusted, match=f"'{offered.filename}' from '127.0.0.1'"):
        await fetching.fetch(locked_wheel(index, offered, url=elsewhere.url_of(offered)))
    assert elsewhere.requests == []


async def test_login_goes_to_its_server_only(
    fetching: FetchSide, index: FakeIndex, elsewhere: FakeIndex, caplog: pytest.LogCaptureFixture
) -> None:
    """The index's login is sent to it, not to where it redirects, and is in no log."""
    caplog.set_level(logging.DEBUG)
    index.login = "me:s3cret"
    index.redirect = elsewhere.origin
    offered = index.offer("alpha")
    elsewhere.add(offered)
    fetching.environ["UV_INDEX"] = f"inner={index.simple.replace('://', '://me:s3cret@')}"
    await fetching.fetch(locked_wheel(index, offered))
    assert all(login.startswith("Basic ") for _, login in index.requests)
    assert [login for _, login in elsewhere.requests] == [""]
    assert "s3cret" not in caplog.text


async def test_login_in_an_address_is_never_shown(
    fetching: FetchSide, index: FakeIndex, caplog: pytest.LogCaptureFixture
) -> None:
    """A login in the lock's own address is used, and struck out of what is told."""
    caplog.set_level(logging.DEBUG)
    index.login = "me:right"
    offered = index.offer("alpha")
    url = index.url_of(offered).replace("://", "://me:wr0ng@")
    pair = locked_wheel(index, offered, url=f"{url}?token=t0ken")
    with pytest.raises(WheelUnavailable, match="does not let us") as caught:
        await fetching.fetch(pair)
    shown = f"{caught.value.problem} {caplog.text} {pair[1]}"
    assert "wr0ng" not in shown
    assert "t0ken" not in shown
    assert "UV_DEFAULT_INDEX" in caught.value.problem.hint


async def test_netrc_is_not_sent_over_plain_http(fetching: FetchSide, index: FakeIndex) -> None:
    """A login of netrc has no scheme: it is for TLS."""
    fetching.home.mkdir()
    (fetching.home / ".netrc").write_text("machine 127.0.0.1 login me password s3cret\n")
    (fetching.home / ".netrc").chmod(0o600)
    await fetching.fetch(locked_wheel(index, index.offer("alpha")))
    assert {login for _, login in index.requests} == {""}


async def test_wheel_in_a_file_is_checked_too(fetching: FetchSide, index: FakeIndex, tmp_path: Path) -> None:
    """A path dependency's wheel is copied into the store when its hash is right."""
    offered = index.offer("alpha")
    path = tmp_path / offered.filename
    path.write_bytes(offered.content)
    (wheel,) = await fetching.fetch(locked_wheel(index, offered, url="", path=path))
    assert wheel.path.read_bytes() == offered.content
    other = Offered(project="beta", filename="beta-1.0-py3-none-any.whl", content=b"beta")
    with pytest.raises(DigestMismatch, match="beta"):
        await fetching.fetch(locked_wheel(index, other, url="", path=path, size=None))
    (unhashed,) = await fetching.fetch(locked_wheel(index, offered, url="", path=path, sha256s=frozenset()))
    assert unhashed == wheel
    with pytest.raises(WheelUnavailable, match="cannot be read"):
        await fetching.fetch(locked_wheel(index, other, url="", path=tmp_path / "none"))


async def test_fetch_that_is_interrupted_leaves_nothing(fetching: FetchSide, index: FakeIndex) -> None:
    """Ended in the middle of a wheel, nothing of it stays, and the next one is right."""
    offered = index.offer("alpha", files={"big.bin": random.Random(1).randbytes(200_000)})
    index.stall.add(f"/files/{offered.filename}")
    task = asyncio.create_task(fetching.fetch(locked_wheel(index, offered)))
    async with asyncio.timeout(20):
        while not fetching.kept():
            await asyncio.sleep(0.01)
    task.cancel()
    with pytest.raises(asyncio.CancelledError):
        await task
    assert fetching.kept() == []
    index.stall.clear()
    (wheel,) = await fetching.fetch(locked_wheel(index, offered))
    assert wheel.path.read_bytes() == offered.content
