"""What the supervisor and the watchdog say to the hub, and workers that do not read."""

from __future__ import annotations

import asyncio

import msgspec

from tests.executor.conftest import MakeHouse
from tests.fakes.house import TOKEN, House, problem_of, until
from tests.fakes.worker_double import task_done
from trigger_sdk.protocol.entries import Entry
from trigger_sdk.protocol.messages import Ack, Append, Blocked, Drain, Finished, Heartbeat, HeldRun, Start, encode_frame

MSGPACK = {"Content-Type": "application/msgpack", "Authorization": f"Bearer {TOKEN}"}


async def test_dead_worker_gives_its_runs_to_the_next(house: House) -> None:
    """No lease is waited for when the process is known to be gone."""
    worker = await house.worker()
    run_id = await house.start()
    await worker.expect(Start)
    other = await house.worker(id="w2", pid=2)
    await worker.die()
    house.hub.worker_died("w1")
    again = await other.expect(Start)
    assert (again.run, again.attempt) == (run_id, 2)
    await until(lambda: house.watcher.news_of(run_id) == ["created", "started", "resumed"])
    assert [event.news for event in house.watcher.workers if event.worker == "w1"][-1] == "lost"


async def test_run_that_kills_its_workers_ends_as_crashed(house: House) -> None:
    """After too many crashes without progress the watcher is told, with the reason."""
    run_id = await house.start() if house.hub.connected() else ""
    for crash in range(10):
        worker = await house.worker(id=f"w{crash}", pid=crash + 1)
        run_id = run_id or await house.start()
        await worker.expect(Start)
        await worker.die()
        house.hub.worker_died(worker.id)
    await until(lambda: "crashed" in house.watcher.news_of(run_id))
    (crashed,) = [event for event in house.watcher.runs if event.news == "crashed"]
    assert crashed.error is not None
    run = await house.run(run_id)
    assert (run["state"], run["error"]["code"]) == ("crashed", "run-crashed")


async def test_worker_ended_on_purpose_is_no_crash_of_its_runs(house: House) -> None:
    """However often the dev server is stopped while a long task is at work, its run goes on at the next start."""
    run_id = ""
    for end in range(12):
        worker = await house.worker(id=f"w{end}", pid=end + 1)
        run_id = run_id or await house.start()
        await worker.expect(Start)
        await worker.die()
        house.hub.worker_died(worker.id, crashed=False)
    await until(lambda: house.watcher.news_of(run_id)[-1] == "requeued")
    assert (await house.run(run_id))["state"] == "queued"


async def test_run_of_a_dead_worker_without_another_is_told_as_requeued(house: House) -> None:
    """The watcher hears what became of it."""
    worker = await house.worker()
    run_id = await house.start()
    await worker.expect(Start)
    await worker.die()
    house.hub.worker_died("w1")
    await until(lambda: house.watcher.news_of(run_id)[-1] == "requeued")


async def test_run_given_to_a_worker_that_is_away_is_told_as_started(house: House) -> None:
    """Its lease has begun; when it goes on elsewhere, that is no surprise."""
    worker = await house.worker()
    await worker.die()
    await until(lambda: not house.hub.connected())
    run_id = await house.start()
    await until(lambda: "started" in house.watcher.news_of(run_id))
    other = await house.worker(id="w2", pid=2)
    house.hub.worker_died("w1")
    assert (await other.expect(Start)).attempt == 2
    await until(lambda: house.watcher.news_of(run_id) == ["created", "started", "resumed"])


async def test_death_of_an_unknown_worker_is_nothing(house: House) -> None:
    """A process that ended before it had a session."""
    house.hub.worker_died("never-seen")
    assert house.hub.workers() == []
    assert house.watcher.workers == []


async def test_drained_worker_gets_nothing_new(house: House) -> None:
    """It is told to drain, finishes what it holds, and the next worker takes what is new."""
    old = await house.worker(code="c1")
    await house.start()
    held = await old.expect(Start)
    house.hub.drain("w1")
    await old.expect(Drain)
    new = await house.worker(id="w2", pid=2, code="c2")
    run_id = await house.start()
    assert (await new.expect(Start)).run == run_id
    await old.finish(held)
    await old.expect(Finished)
    assert [(view.id, view.draining) for view in house.hub.workers()] == [("w1", True), ("w2", False)]


async def test_worker_that_is_drained_before_it_comes_drains_when_it_does(house: House) -> None:
    """A file was saved again while the worker was starting."""
    house.hub.drain("w1")
    worker = await house.worker()
    await worker.expect(Drain)
    run_id = await house.start()
    assert (await house.run(run_id))["state"] == "queued"


async def test_draining_worker_that_reconnects_still_drains(house: House) -> None:
    """The newest code stays the newest, too: an old worker that comes back does not take over."""
    old = await house.worker(code="c1")
    new = await house.worker(id="w2", pid=2, code="c2")
    house.hub.drain("w1")
    await old.expect(Drain)
    await old.die()
    again = await house.worker(joined=False, code="c1")
    await again.join()
    await again.expect(Drain)
    jobs = (await house.client.get("/api/v1/jobs")).json()["jobs"]
    assert [job["code"] for job in jobs] == ["c2"]
    run_id = await house.start()
    assert (await new.expect(Start)).run == run_id


async def test_blocked_is_a_sign_of_life(make_house: MakeHouse) -> None:
    """A worker whose main thread is busy keeps its lease by its watchdog, and the watcher hears where it is."""
    async with make_house(lease_ttl_s=0.5, heartbeat_s=0.1) as house:
        worker = await house.worker()
        run_id = await house.start()
        await worker.expect(Start)
        for _ in range(10):
            body = encode_frame([Blocked("w1", run_id, "jobs/a.py:3", 1.5, "stack")])
            answer = await house.client.post("/api/v1/worker/blocked", content=body, headers=MSGPACK)
            assert (answer.status_code, answer.json()) == (200, {"known": True})
            await asyncio.sleep(0.1)
        assert (await house.run(run_id))["attempt"] == 1
        (event, *_) = [event for event in house.watcher.workers if event.news == "blocked"]
        assert (event.worker, event.run, event.step, event.stack) == ("w1", run_id, "jobs/a.py:3", "stack")
        assert "1.5 s" in event.message


async def test_blocked_needs_the_token_and_a_frame(house: House) -> None:
    """401 without token, 400 for anything else than Blocked, and an unknown worker is no error."""
    path = "/api/v1/worker/blocked"
    body = encode_frame([Blocked("ghost", "", "", 1.0, "")])
    assert (await house.client.post(path, content=body)).status_code == 401
    for bad in (b"", b"nonsense", encode_frame([Heartbeat()]), msgspec.msgpack.encode([])):
        answer = await house.client.post(path, content=bad, headers=MSGPACK)
        assert answer.status_code == 400
        assert problem_of(answer)["code"] == "invalid-request"
    answer = await house.client.post(path, content=body, headers=MSGPACK)
    assert (answer.status_code, answer.json()) == (200, {"known": False})


async def test_worker_that_reads_nothing_is_closed(make_house: MakeHouse) -> None:
    """What waits for it does not grow for ever: it is cut off, and its runs go to another."""
    async with make_house(stall_s=0.5, heartbeat_s=0.1, lease_ttl_s=1.0, outgoing_limit=1024) as house:
        worker = await house.worker()
        big = b"\x00" + msgspec.msgpack.encode(bytes(8 * 1024 * 1024))
        run_id = await house.start()
        start = await worker.expect(Start)
        entries = [
            Entry(kind="step_completed", step=str(step), name="t", op="task", attempt=1, value=big) for step in (1, 2)
        ]
        await worker.append(start, 1, *entries)
        await worker.expect(Ack)
        worker.socket.transport.pause_reading()
        await worker.send(*[Append(run_id, start.token, cid, entries[:1]) for cid in range(2, 2000)][:5])
        again = await house.worker(joined=False)
        await again.open()
        again.socket.transport.pause_reading()
        await again.send(again.hello([HeldRun(run_id, start.token, 0)]))  # 16 MiB are sent again
        await until(lambda: house.hub.connected() == 0)
        other = await house.worker(id="w2", pid=2, joined=False)
        await other.join()
        for _ in range(200):
            await other.send(Heartbeat())
            await asyncio.sleep(0.02)
            if any(isinstance(message, Start) for message in other.received):
                break
        assert any(isinstance(message, Start) and message.run == run_id for message in other.received)


async def test_nothing_more_is_read_while_too_much_is_in_flight(make_house: MakeHouse) -> None:
    """A flood is taken in portions, and all of it is acknowledged in order."""
    async with make_house(in_flight_limit=10) as house:
        worker = await house.worker()
        await house.start()
        start = await worker.expect(Start)
        for cid in range(1, 301):
            await worker.append(start, cid, task_done(str(cid)))
        assert [(await worker.expect(Ack)).cid for _ in range(300)] == list(range(1, 301))


async def test_reconnected_worker_is_known_by_its_jobs_names(house: House) -> None:
    """News of a run that a worker kept over a reconnection name its job and attempt."""
    worker = await house.worker()
    run_id = await house.start()
    start = await worker.expect(Start)
    await worker.die()
    again = await house.worker(joined=False)
    await again.join([HeldRun(run_id, start.token, 0)])
    await again.finish(start)
    await until(lambda: "completed" in house.watcher.news_of(run_id))
    assert {event.job for event in house.watcher.runs} == {"a"}
