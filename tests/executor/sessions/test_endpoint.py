"""Connections: who may open one, how they end, and what the worker is told then."""

from __future__ import annotations

import asyncio
import json
from typing import Any

import msgspec
import pytest
from websockets.asyncio.client import connect
from websockets.exceptions import InvalidStatus

from executor.errors import FrameInvalid, ProtocolMismatch
from executor.sessions.endpoint import REASON_LIMIT, close_reason
from tests.executor.conftest import MakeHouse
from tests.fakes.house import TOKEN, House, until
from tests.fakes.worker_double import task_done
from trigger_sdk.protocol.messages import Ack, Append, Finish, Heartbeat, HeldRun, Refused, Start
from trigger_sdk.protocol.values import encode_json

GARBAGE = [
    b"",
    b"\x00",
    b"\xc1" * 50,
    b"not msgpack at all",
    msgspec.msgpack.encode({"a": 1}),
    msgspec.msgpack.encode([["Nothing", 1, 2]]),
    msgspec.msgpack.encode([["Append", "run"]]),
    msgspec.msgpack.encode([["Append", 1, "x", [], {}]]),
    msgspec.msgpack.encode([["Finish", "run_x", 1, "exploded", None]]),
    b"\x91" * 100_000,
    b"\xdd\xff\xff\xff\xff",
    msgspec.msgpack.encode([["Suspend", "\N{SNOWMAN}", 2**63, -1, "x"]]),
    b"\x91\x92\xa4Logs\x91\x98\xa2\xff\xff\xa0\x00\x00\x00\xa0\xa0\xa3log",
]


@pytest.mark.parametrize(
    "header", [None, "Bearer ", "Bearer wrong", f"Basic {TOKEN}", f"bearer{TOKEN}", f"Bearer {TOKEN}x"]
)
async def test_handshake_needs_the_token(house: House, header: str | None) -> None:
    """401 with a problem, and no session."""
    headers = {} if header is None else {"Authorization": header}
    with pytest.raises(InvalidStatus) as refused:
        await connect(house.url.replace("http", "ws") + "/api/v1/worker", additional_headers=headers, proxy=None)
    response = refused.value.response
    assert response.status_code == 401
    assert json.loads(response.body)["error"]["code"] == "token-refused"
    assert house.hub.workers() == []


async def test_socket_elsewhere_is_refused(house: House) -> None:
    """There is one WebSocket path."""
    with pytest.raises(InvalidStatus):
        await connect(house.url.replace("http", "ws") + "/api/v1/runs", proxy=None)


async def test_welcome_states_the_times(house: House) -> None:
    """The first message of the first frame; the watcher hears of the worker."""
    worker = await house.worker(joined=False)
    welcome = await worker.join()
    assert (welcome.lease_ttl, welcome.heartbeat, welcome.kept) == (15.0, 3.0, [])
    assert [(event.news, event.worker, event.code, event.pid) for event in house.watcher.workers] == [
        ("connected", "w1", "c1", 4711)
    ]


async def test_other_protocol_is_refused(house: House) -> None:
    """Close code 4001, the problem as JSON in the reason, and whole in a message."""
    worker = await house.worker(joined=False, protocol=99)
    await worker.open()
    await worker.send(worker.hello())
    refused = await worker.expect(Refused)
    assert (refused.run, refused.code) == ("", "protocol-mismatch")
    assert "99" in refused.message
    assert refused.hint
    code, reason = await worker.closed()
    assert code == 4001
    assert json.loads(reason or "")["code"] == "protocol-mismatch"
    assert house.hub.workers() == []


async def test_first_message_must_be_hello(house: House) -> None:
    """Close code 4003."""
    worker = await house.worker(joined=False)
    await worker.open()
    await worker.send(Heartbeat())
    assert (await worker.closed())[0] == 4003


async def test_silent_connection_is_closed(make_house: MakeHouse) -> None:
    """One that never introduces itself does not stay."""
    async with make_house(hello_timeout_s=0.1) as house:
        worker = await house.worker(joined=False)
        await worker.open()
        assert (await worker.closed())[0] == 4003


@pytest.mark.parametrize("frame", GARBAGE, ids=range(len(GARBAGE)))
async def test_garbage_closes_that_session_and_no_other(house: House, frame: bytes) -> None:
    """Close code 4002 with a problem, before Hello or in a session; another worker goes on."""
    other = await house.worker(id="other", pid=1)
    worker = await house.worker()
    await worker.socket.send(frame)
    code, reason = await worker.closed()
    assert code == 4002
    assert json.loads(reason or "")["code"] == "invalid-frame"
    fresh = await house.worker(joined=False, id="fresh")
    await fresh.open()
    await fresh.socket.send(frame)
    assert (await fresh.closed())[0] in (4002, 4003)
    run_id = await house.start()
    assert (await other.expect(Start)).run == run_id


async def test_text_closes_the_session(house: House) -> None:
    """Frames are binary."""
    worker = await house.worker()
    await worker.socket.send("hello")
    assert (await worker.closed())[0] == 4002


async def test_second_hello_closes_the_session(house: House) -> None:
    """Hello has its place at the beginning."""
    worker = await house.worker()
    await worker.send(worker.hello())
    assert (await worker.closed())[0] == 4002


async def test_messages_after_hello_in_its_frame_are_handled(house: House) -> None:
    """A worker that comes back says everything at once."""
    worker = await house.worker()
    run_id = await house.start()
    start = await worker.expect(Start)
    await worker.die()
    again = await house.worker(joined=False)
    welcome = await again.join([HeldRun(run_id, start.token, 0)], Append(run_id, start.token, 1, [task_done("1")]))
    assert welcome.kept == [run_id]
    assert (await again.expect(Ack)).cid == 1


async def test_same_process_connecting_anew_replaces_its_connection(house: House) -> None:
    """The old one is closed with 4101 and a reason that invites to come back; the run goes on over the new one."""
    old = await house.worker()
    run_id = await house.start()
    start = await old.expect(Start)
    new = await house.worker(joined=False)
    welcome = await new.join([HeldRun(run_id, start.token, 0)])
    assert welcome.kept == [run_id]
    assert await old.closed() == (4101, "session-replaced")
    await new.finish(start, 1)
    await until(lambda: "completed" in house.watcher.news_of(run_id))
    assert [event.news for event in house.watcher.workers] == ["connected", "reconnected"]


async def test_other_process_under_the_same_id_is_refused(house: House) -> None:
    """Close code 4004; the first one is left alone."""
    first = await house.worker()
    second = await house.worker(joined=False, pid=4712)
    await second.open()
    await second.send(second.hello())
    assert (await second.closed())[0] == 4004
    run_id = await house.start()
    assert (await first.expect(Start)).run == run_id


async def test_lost_connection_keeps_runs_for_who_comes_back(house: House) -> None:
    """Within the lease the worker goes on where it was; what came meanwhile is sent again."""
    worker = await house.worker()
    run_id = await house.start()
    start = await worker.expect(Start)
    await worker.append(start, 1, task_done("1"))
    ack = await worker.expect(Ack)
    await worker.die()
    await until(lambda: not house.hub.connected())
    await house.client.post(f"/api/v1/runs/{run_id}/cancel")
    again = await house.worker(joined=False)
    assert (await again.join([HeldRun(run_id, start.token, ack.first)])).kept == [run_id]
    arrived: Any = await again.next()
    assert [entry.kind for entry in arrived.entries] == ["cancel_requested"]
    await again.send(Finish(run_id, start.token, "canceled", encode_json(None)))
    await until(lambda: "canceled" in house.watcher.news_of(run_id))


async def test_run_assigned_while_the_worker_was_away_is_given_again(house: House) -> None:
    """What the worker does not name when it comes back it never got."""
    worker = await house.worker()
    await worker.die()
    await until(lambda: not house.hub.connected())
    run_id = await house.start()
    again = await house.worker(joined=False)
    assert (await again.join()).kept == []
    assert (await again.expect(Start)).run == run_id
    assert (await house.run(run_id))["crashes"] == 0


async def test_worker_that_lost_its_lease_keeps_nothing(make_house: MakeHouse) -> None:
    """After the lease the run is another's; who comes back is told so by Welcome."""
    async with make_house(lease_ttl_s=0.4, heartbeat_s=0.1) as house:
        worker = await house.worker()
        run_id = await house.start()
        start = await worker.expect(Start)
        await worker.die()
        other = await house.worker(id="w2", pid=2, joined=False)
        await other.join()
        while not any(isinstance(message, Start) for message in other.received):
            await other.send(Heartbeat())
            await asyncio.sleep(0.02)
        assert (await other.expect(Start)).run == run_id
        again = await house.worker(joined=False)
        assert (await again.join([HeldRun(run_id, start.token, 0)])).kept == []


async def test_heartbeats_keep_a_session(make_house: MakeHouse) -> None:
    """A worker with nothing to say keeps its lease, and a silent one is closed so that it comes back."""
    async with make_house(lease_ttl_s=0.6, heartbeat_s=0.1) as house:
        worker = await house.worker()
        run_id = await house.start()
        await worker.expect(Start)
        clock = asyncio.get_running_loop().time
        end = clock() + 1.5
        while clock() < end:
            await worker.send(Heartbeat())
            await asyncio.sleep(0.05)
        assert (await house.run(run_id))["attempt"] == 1
        code, reason = await worker.closed()
        assert (code, reason) == (4102, "session-expired")


async def test_good_bye_releases_runs_at_once(house: House) -> None:
    """A worker that leaves in order gives its runs back, and no crash is counted."""
    worker = await house.worker()
    run_id = await house.start()
    await worker.expect(Start)
    await worker.leave()
    other = await house.worker(id="w2", pid=2)
    again = await other.expect(Start)
    assert (again.run, again.attempt) == (run_id, 2)
    assert (await house.run(run_id))["crashes"] == 0
    assert "left" in [event.news for event in house.watcher.workers]


async def test_server_survives_a_worker_that_dies_in_a_frame(house: House) -> None:
    """Half a frame and then nothing: the session ends, the server does not."""
    worker = await house.worker()
    worker.socket.transport.write(b"\x82\xfe\x10\x00abcd half")
    await worker.die()
    await until(lambda: not house.hub.connected())
    assert (await house.client.get("/healthz")).status_code == 200


def test_close_reason_fits() -> None:
    """A problem of any length becomes JSON of at most 123 bytes that still says its code."""
    short = close_reason(FrameInvalid("short", hint="h"))
    assert json.loads(short) == {"code": "invalid-frame", "message": "short", "hint": "h"}
    long = close_reason(ProtocolMismatch("\N{SNOWMAN}" * 500))
    assert len(long.encode()) <= REASON_LIMIT
    assert json.loads(long)["code"] == "protocol-mismatch"
