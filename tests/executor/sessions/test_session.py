"""What a worker's messages do, over a real WebSocket and a real engine."""

from __future__ import annotations

import time

import msgspec

from tests.executor.conftest import MakeHouse
from tests.fakes.house import House, until
from tests.fakes.worker_double import task_done
from trigger_sdk.protocol.entries import Entry, EventWait, encode_spec
from trigger_sdk.protocol.messages import (
    Ack,
    Append,
    Arrived,
    Finish,
    Finished,
    Journal,
    LogLine,
    Logs,
    Lost,
    Refused,
    Start,
    StepRunning,
    Suspend,
    Suspended,
)
from trigger_sdk.protocol.values import encode_json


def waiting_for(step: str, event: str) -> Entry:
    """Return the entry of a wait for an event."""
    spec = encode_spec(EventWait(name=event))
    return Entry(kind="wait_started", step=step, name=event, op="event", value=spec)


async def test_run_goes_from_start_to_finish(house: House) -> None:
    """Start, Ack after the commit, Finished; the API shows output and steps."""
    worker = await house.worker()
    run_id = await house.start(payload={"n": 1})
    start = await worker.expect(Start)
    assert (start.run, start.job, start.attempt) == (run_id, "a", 1)
    await worker.append(start, 1, task_done("1", "one"), task_done("2", "two"))
    ack = await worker.expect(Ack)
    assert (ack.run, ack.cid) == (run_id, 1)
    await worker.finish(start, {"ok": True})
    await worker.expect(Finished)
    run = await house.run(run_id)
    assert (run["state"], run["output"], run["attempt"]) == ("completed", {"ok": True}, 1)
    steps = (await house.client.get(f"/api/v1/runs/{run_id}/steps")).json()["steps"]
    assert [(step["id"], step["state"], step["output"]) for step in steps] == [
        ("1", "completed", "one"),
        ("2", "completed", "two"),
    ]
    assert house.watcher.news_of(run_id) == ["created", "started", "completed"]


async def test_appends_of_a_frame_are_answered_in_one_frame(house: House) -> None:
    """A hundred appends land in one commit; their Acks come in few frames, in order."""
    worker = await house.worker()
    await house.start()
    start = await worker.expect(Start)
    frames = len(worker.frames)
    await worker.send(*[Append(start.run, start.token, cid, [task_done(str(cid))]) for cid in range(1, 101)])
    acks = [await worker.expect(Ack) for _ in range(100)]
    assert [ack.cid for ack in acks] == list(range(1, 101))
    assert len({ack.at for ack in acks}) <= 2
    assert len(worker.frames) - frames <= 3


async def test_repeated_append_is_acknowledged_again(house: House) -> None:
    """A worker that did not see its Ack says it again, and the journal holds it once."""
    worker = await house.worker()
    run_id = await house.start()
    start = await worker.expect(Start)
    await worker.append(start, 1, task_done("1"))
    first = await worker.expect(Ack)
    await worker.append(start, 1, task_done("1"))
    assert await worker.expect(Ack) == first
    assert len((await house.client.get(f"/api/v1/runs/{run_id}/steps")).json()["steps"]) == 1


async def test_event_reaches_a_run_that_is_held(house: House) -> None:
    """Arrived comes after the Ack of the wait."""
    worker = await house.worker()
    await house.start()
    start = await worker.expect(Start)
    await worker.append(start, 1, waiting_for("1", "paid"))
    await worker.expect(Ack)
    answer = await house.client.post("/api/v1/events", json={"name": "paid", "payload": {"sum": 3}})
    assert (answer.status_code, answer.json()["matched"]) == (201, 1)
    arrived = await worker.expect(Arrived)
    assert [entry.kind for entry in arrived.entries] == ["wait_completed"]


async def test_waiting_run_leaves_and_comes_back_with_its_journal(house: House) -> None:
    """Suspended; after the event a Start with a new token, its journal before it."""
    worker = await house.worker()
    run_id = await house.start()
    start = await worker.expect(Start)
    await worker.append(start, 1, waiting_for("1", "paid"))
    ack = await worker.expect(Ack)
    await worker.send(Suspend(start.run, start.token, ack.first, None))
    assert (await worker.expect(Suspended)).left
    assert (await house.run(run_id))["state"] == "waiting"
    await house.client.post("/api/v1/events", json={"name": "paid"})
    journal = await worker.expect(Journal)
    again = await worker.expect(Start)
    assert [entry.kind for entry in journal.entries] == ["wait_started", "wait_completed"]
    assert (again.token > start.token, again.attempt) == (True, 2)
    assert house.watcher.news_of(run_id) == ["created", "started", "waiting", "resumed"]


async def test_run_may_not_leave_when_something_arrived(house: House) -> None:
    """Suspended(False), because entries are on their way."""
    worker = await house.worker()
    await house.start()
    start = await worker.expect(Start)
    await worker.append(start, 1, waiting_for("1", "paid"))
    ack = await worker.expect(Ack)
    await house.client.post("/api/v1/events", json={"name": "paid"})
    await worker.expect(Arrived)
    await worker.send(Suspend(start.run, start.token, ack.first, None))
    assert not (await worker.expect(Suspended)).left


async def test_old_token_is_answered_with_lost(house: House) -> None:
    """Append, Suspend and Finish with a token that is not the lease's write nothing."""
    worker = await house.worker()
    run_id = await house.start()
    start = await worker.expect(Start)
    old = start.token - 1
    await worker.send(
        Append(run_id, old, 1, [task_done("1")]),
        Suspend(run_id, old, 0, None),
        Finish(run_id, old, "completed", encode_json(None)),
    )
    for _ in range(3):
        assert await worker.expect(Lost) == Lost(run_id, old)
    assert (await house.run(run_id))["state"] == "running"


async def test_entry_that_a_worker_cannot_write_is_refused(house: House) -> None:
    """Refused names the code; the run can still be finished as failed."""
    worker = await house.worker()
    await house.start()
    start = await worker.expect(Start)
    await worker.append(start, 7, Entry(kind="wait_completed", step="1"))
    refused = await worker.expect(Refused)
    assert (refused.run, refused.cid, refused.code) == (start.run, 7, "invalid-entry")
    await worker.finish(start)
    await worker.expect(Finished)


async def test_conflicting_append_sends_the_run_back_to_be_replayed(house: House) -> None:
    """Lost at the worker, and the run is given out again with a new token: nothing is stuck, nothing fails."""
    worker = await house.worker()
    run_id = await house.start()
    start = await worker.expect(Start)
    await worker.append(start, 1, task_done("1"))
    await worker.expect(Ack)
    await worker.append(start, 2, task_done("1"), task_done("2"))
    assert await worker.expect(Lost) == Lost(run_id, start.token)
    await worker.expect(Journal)
    again = await worker.expect(Start)
    assert again.token > start.token


async def test_canceled_run_that_never_started_is_not_given_out(house: House) -> None:
    """Cancelling before any worker is there."""
    worker = await house.worker()
    await worker.leave()
    await until(lambda: not house.hub.workers())
    run_id = await house.start()
    answer = await house.client.post(f"/api/v1/runs/{run_id}/cancel")
    assert (answer.status_code, answer.json()["state"]) == (200, "canceled")


async def test_cancel_reaches_a_held_run(house: House) -> None:
    """Arrived with cancel_requested; the worker ends it as canceled."""
    worker = await house.worker()
    run_id = await house.start()
    start = await worker.expect(Start)
    await house.client.post(f"/api/v1/runs/{run_id}/cancel")
    arrived = await worker.expect(Arrived)
    assert [entry.kind for entry in arrived.entries] == ["cancel_requested"]
    await worker.send(Finish(run_id, start.token, "canceled", encode_json(None)))
    await worker.expect(Finished)
    assert (await house.run(run_id))["state"] == "canceled"


async def test_lines_are_kept_and_told_once(house: House) -> None:
    """A body's line that comes again on replay is neither shown nor kept twice."""
    worker = await house.worker()
    run_id = await house.start()
    await worker.expect(Start)
    line = LogLine(run_id, "", 1, time.time(), 20, "app", "hello", "log")
    outside = LogLine("", "", 0, time.time(), 30, "root", "loose", "stderr")
    await worker.send(Logs([line, outside]))
    await worker.send(Logs([line]))
    await until(lambda: len(house.watcher.output) >= 2)
    await worker.send(Logs([LogLine(run_id, "1", 0, time.time(), 20, "app", "in a task", "stdout")]))
    await until(lambda: len(house.watcher.output) >= 3)
    assert [shown.text for shown in house.watcher.output] == ["hello", "loose", "in a task"]
    logs = (await house.client.get(f"/api/v1/runs/{run_id}/logs")).json()["logs"]
    assert [(shown["text"], shown["level"], shown["step"]) for shown in logs] == [
        ("hello", "INFO", ""),
        ("in a task", "INFO", "1"),
    ]


async def test_step_in_flight_is_shown(house: House) -> None:
    """StepRunning makes a step that the journal does not know yet visible."""
    worker = await house.worker()
    run_id = await house.start()
    start = await worker.expect(Start)
    await worker.send(StepRunning(run_id, start.token, "1", "charge", "task", 2, time.time()))
    await worker.append(start, 1, task_done("2"))
    await worker.expect(Ack)
    steps = (await house.client.get(f"/api/v1/runs/{run_id}/steps")).json()["steps"]
    assert [(step["id"], step["state"], step["attempts"]) for step in steps] == [
        ("2", "completed", 1),
        ("1", "running", 2),
    ]


async def test_long_journal_comes_in_pages(house: House) -> None:
    """Three entries of 700 KiB are sent as several Journal messages, then Start."""
    worker = await house.worker()
    await house.start()
    start = await worker.expect(Start)
    noise = b"\x00" + msgspec.msgpack.encode(bytes(range(256)) * 2800)
    big = [Entry(kind="step_completed", step=step, name="t", op="task", attempt=1, value=noise) for step in "123"]
    await worker.append(start, 1, *big, waiting_for("4", "go"))
    ack = await worker.expect(Ack)
    await worker.send(Suspend(start.run, start.token, ack.first + 3, None))
    assert (await worker.expect(Suspended)).left
    await house.client.post("/api/v1/events", json={"name": "go"})
    pages = [await worker.expect(Journal), await worker.expect(Journal)]
    await worker.expect(Start)
    assert [len(page.entries) for page in pages] == [2, 3]
    assert [entry.seq for page in pages for entry in page.entries] == sorted(
        entry.seq for page in pages for entry in page.entries
    )


async def test_capacity_is_respected(make_house: MakeHouse) -> None:
    """A worker with room for one run gets the second when the first is over."""
    async with make_house() as house:
        worker = await house.worker(capacity=1)
        first, second = await house.start(), await house.start()
        start = await worker.expect(Start)
        assert start.run == first
        await worker.finish(start)
        got = [await worker.next(), await worker.next()]
        assert {type(message) for message in got} == {Finished, Start}
        assert second in {message.run for message in got if isinstance(message, Start)}
