"""A worker in its session: over a real WebSocket, against a server that the test plays."""

from __future__ import annotations

import asyncio
import logging
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from pathlib import Path
from typing import Any

import msgspec
import pytest

from tests.fakes.cut_proxy import cut_proxy
from tests.fakes.scripted_server import ScriptedServer, committed, scripted_server
from tests.fakes.simulation import eventually
from trigger_sdk import Context, Job, Retry, job, record, sleep, task
from trigger_sdk._codec import decode, decode_error, encode
from trigger_sdk._runtime.manifest import manifest_of
from trigger_sdk._runtime.output import LineHandler
from trigger_sdk._runtime.places import Places
from trigger_sdk._runtime.worker import Worker, WorkerSettings
from trigger_sdk.errors import ProblemError
from trigger_sdk.protocol.messages import (
    Ack,
    Append,
    Arrived,
    Drain,
    Finish,
    Finished,
    Hello,
    Journal,
    Logs,
    Lost,
    Start,
    Suspend,
    Suspended,
    Validate,
    Validated,
    Welcome,
)


@asynccontextmanager
async def worker_of(server: ScriptedServer, *jobs: Job[Any, Any], grace: float = 60.0) -> AsyncIterator[Worker]:
    """Run a worker against the server."""
    places = Places(Path(__file__).parent, lambda path: path == Path(__file__))
    settings = WorkerSettings(
        worker_id="w1", url=server.url, token="secret", grace=grace, concurrency=10, task_threads=2, code="abc"
    )
    manifests = [manifest_of(each, places.relative) for each in jobs]
    worker = Worker(settings, {each.id: each for each in jobs}, manifests, places)
    running = asyncio.create_task(worker.run())
    try:
        yield worker
    finally:
        worker.drain()
        running.cancel()
        await asyncio.gather(running, return_exceptions=True)
        worker.close()


@task
async def add(a: int, b: int) -> int:
    """Add."""
    return a + b


async def test_session_when_a_run_starts_and_ends() -> None:
    """Hello names the jobs; a run's entries are appended, acknowledged, and its end is told."""

    @job(id="adds")
    async def adds(payload: dict[str, int], ctx: Context) -> int:
        """Add two numbers."""
        assert ctx.run.id == "run_1"
        return await add(payload["a"], payload["b"])

    async with scripted_server() as server, worker_of(server, adds):
        hello = await server.welcome()
        assert server.tokens == ["Bearer secret"]
        assert [(each.id, each.file, each.description) for each in hello.jobs] == [
            ("adds", "test_worker.py", "Add two numbers.")
        ]
        await server.start("adds", encode({"a": 1, "b": 2}))
        append = await server.expect(Append)
        assert append.entries[0].line.startswith("test_worker.py:")
        await server.say(Ack("run_1", 1, append.cid, 1, 1001.0))
        finish = await server.expect(Finish)
        assert finish.state == "completed"
        assert decode(finish.value or b"") == 3


async def test_session_when_a_journal_is_replayed() -> None:
    """Pages of the journal come before the start; nothing in them is executed again."""

    @job(id="adds")
    async def adds() -> list[int]:
        return [await add(1, 1), await add(2, 2)]

    async with scripted_server() as server, worker_of(server, adds):
        await server.welcome()
        await server.start("adds")
        append = await server.expect(Append)
        await server.say(Lost("run_1", 1))
        entry = msgspec.structs.replace(append.entries[0], value=encode(40))
        await server.say(
            Journal("run_1", 2, committed([entry], 5)),
            Start(run="run_1", token=2, job="adds", payload=b"", attempt=2, created_at=1000.0, began_at=1000.0),
        )
        append = await server.expect(Append, count=2)
        assert append.token == 2
        assert append.entries[0].step == "2"
        await server.say(Ack("run_1", 2, append.cid, 6, 1006.0))
        finish = await server.expect(Finish)
        assert decode(finish.value or b"") == [40, 4]


async def test_session_when_the_connection_is_lost_before_an_ack() -> None:
    """The worker comes back with what it holds, says again what was not acknowledged, and executes nothing twice."""
    ran: list[str] = []

    @task
    async def count() -> int:
        ran.append("count")
        return len(ran)

    @job(id="counts")
    async def counts() -> list[int]:
        return [await count(), await count()]

    async with scripted_server() as server, worker_of(server, counts):
        await server.welcome()
        await server.start("counts")
        first = await server.expect(Append)
        await server.cut()
        hello = await server.welcome(count=2, kept=["run_1"])
        assert [(held.run, held.token, held.seen) for held in hello.held] == [("run_1", 1, 0)]
        again = await server.expect(Append, count=2)
        assert again == first
        # The server had committed it: the entry comes as an arrival, and the repeated append is acknowledged as well.
        await server.say(Arrived("run_1", 1, committed(first.entries, 3)), Ack("run_1", 1, again.cid, 3, 1003.0))
        second = await server.expect(Append, count=3)
        assert second.entries[0].step == "2"
        await server.say(Ack("run_1", 1, second.cid, 4, 1004.0))
        assert decode((await server.expect(Finish)).value or b"") == [1, 2]
        assert ran == ["count", "count"]


async def test_session_when_a_line_is_lost_with_the_connection() -> None:
    """What a body said is said again until an entry after it is acknowledged; the value it shows goes before it."""

    @job(id="talks")
    async def talks() -> int:
        logging.getLogger("talks").info("value %s", record(lambda: 7))
        return await add(1, 1)

    async with scripted_server() as server, worker_of(server, talks) as worker:
        handler = LineHandler(worker.say)
        logging.getLogger("talks").addHandler(handler)
        logging.getLogger("talks").setLevel(logging.INFO)
        try:
            await server.welcome()
            await server.start("talks")
            said = await server.expect(Logs)
            recorded = await server.expect(Append)
            assert [line.text for line in said.lines] == ["value 7"]
            assert server.received.index(recorded) < server.received.index(said)
            await server.say(Ack("run_1", 1, recorded.cid, 1, 1001.0))
            await server.expect(Append, count=2)
            await server.cut()
            await server.welcome(count=2, kept=["run_1"])
            assert await server.expect(Logs, count=2) == said
            added = await server.expect(Append, count=3)
            await server.say(Ack("run_1", 1, added.cid, 2, 1002.0))
            await server.expect(Finish)
            await server.cut()
            await server.welcome(count=3, kept=["run_1"])
            await server.expect(Finish, count=2)
            assert len([message for message in server.received if isinstance(message, Logs)]) == 2
        finally:
            logging.getLogger("talks").removeHandler(handler)


async def test_session_when_the_server_is_silent_for_a_lease() -> None:
    """The runs are dropped by the worker's own clock, and no attempt of a task begins any more; then it comes back."""
    attempts: list[float] = []

    @task(retry=Retry(max_attempts=1000, min_delay=0.02, factor=1.0))
    async def fail() -> None:
        attempts.append(asyncio.get_running_loop().time())
        raise ConnectionError

    @job(id="fails")
    async def fails() -> None:
        await fail()

    async with scripted_server() as server, cut_proxy(server.url.removesuffix("/api/v1/worker")) as proxy:
        server.url = proxy.url.replace("http", "ws", 1)
        async with worker_of(server, fails) as worker:
            await server.expect(Hello)
            await server.say(Welcome(lease_ttl=0.6, heartbeat=0.1))
            await server.start("fails")
            await eventually(lambda: attempts)
            proxy.blackhole()
            gone_at = asyncio.get_running_loop().time()
            await eventually(lambda: not worker.busy)
            dropped_at = asyncio.get_running_loop().time()
            proxy.heal(lose=True)
            hello = await server.welcome(count=2)
            assert hello.held == []
            assert gone_at + 0.3 < max(attempts) < dropped_at < gone_at + 0.6


async def test_session_when_the_lease_is_gone_after_a_reconnect() -> None:
    """A run that the server does not leave to the worker is dropped at once; nothing more is said of it."""

    @job(id="sleeps")
    async def sleeps() -> None:
        await sleep(60)

    async with scripted_server() as server, worker_of(server, sleeps) as worker:
        await server.welcome()
        await server.start("sleeps")
        await server.expect(Append)
        await server.cut()
        await server.welcome(count=2, kept=[])
        await eventually(lambda: not worker.busy)
        assert not [message for message in server.received if isinstance(message, (Finish, Suspend))]


async def test_suspend_when_every_branch_waits() -> None:
    """After the grace the worker asks to leave, and holds nothing when it may."""

    @job(id="sleeps")
    async def sleeps() -> None:
        await asyncio.gather(sleep(60), sleep(90))

    async with scripted_server() as server, worker_of(server, sleeps, grace=0.01) as worker:
        await server.welcome()
        await server.start("sleeps")
        append = await server.expect(Append)
        assert [entry.kind for entry in append.entries] == ["wait_started", "wait_started"]
        await server.say(Ack("run_1", 1, append.cid, 1, 1001.0))
        suspend = await server.expect(Suspend)
        assert suspend.seen == 2
        await server.say(Suspended("run_1", 1, left=True))
        await eventually(lambda: not worker.busy)


async def test_drain_when_runs_wait_and_work() -> None:
    """A draining worker lets waiting runs leave without grace and ends when the others have finished."""
    gate = asyncio.Event()

    @task
    async def work() -> str:
        await gate.wait()
        return "worked"

    @job(id="works")
    async def works() -> str:
        return await work()

    async with scripted_server() as server, worker_of(server, works) as worker:
        await server.welcome()
        await server.start("works")
        await eventually(lambda: worker.busy)
        await server.say(Drain())
        gate.set()
        append = await server.expect(Append)
        await server.say(Ack("run_1", 1, append.cid, 1, 1001.0))
        await server.expect(Finish)
        await server.say(Finished("run_1", 1))
        await eventually(lambda: not worker.busy)


async def test_validate_when_the_payload_fits_and_when_not() -> None:
    """The worker is asked about payloads: it answers with the canonical value, or with every field and reason."""

    @job(id="typed")
    async def typed(payload: dict[str, int]) -> None:
        """Take numbers."""

    async with scripted_server() as server, worker_of(server, typed):
        await server.welcome()
        await server.say(Validate(1, "typed", msgspec.msgpack.encode({"a": 1})))
        await server.say(Validate(2, "typed", msgspec.msgpack.encode({"a": "x"})))
        fits = await server.expect(Validated)
        assert decode(fits.payload or b"") == {"a": 1}
        misfits = await server.expect(Validated, count=2)
        assert misfits.payload is None
        assert misfits.errors[0][0] == "a"


async def test_start_when_the_payload_does_not_fit() -> None:
    """A payload that was accepted unseen fails the run with the reason."""

    @job(id="typed")
    async def typed(payload: dict[str, int]) -> None:
        """Take numbers."""

    async with scripted_server() as server, worker_of(server, typed):
        await server.welcome()
        await server.start("typed", encode({"a": "x"}))
        finish = await server.expect(Finish)
        assert finish.state == "failed"
        assert "a:" in str(decode_error(finish.value or b""))


async def test_prepare_when_it_works_and_when_it_fails() -> None:
    """``prepare`` runs before the body, with effects allowed; its failure fails the run."""
    prepared: list[str] = []

    def prepare() -> None:
        prepared.append("yes")
        if len(prepared) > 1:
            raise ConnectionError("no credentials")

    @job(id="prepared", prepare=prepare)
    async def body() -> int:
        return len(prepared)

    async with scripted_server() as server, worker_of(server, body):
        await server.welcome()
        await server.start("prepared")
        first = await server.expect(Finish)
        assert decode(first.value or b"") == 1
        await server.say(Finished("run_1", 1))
        await server.start("prepared")
        second = await server.expect(Finish, count=2)
        assert isinstance(decode_error(second.value or b""), ConnectionError)


async def test_start_when_the_job_is_not_there() -> None:
    """A run of a job that this code does not have fails with a problem."""
    async with scripted_server() as server, worker_of(server):
        await server.welcome()
        await server.start("gone")
        finish = await server.expect(Finish)
        assert "gone" in str(decode_error(finish.value or b""))


async def test_hello_when_the_server_refuses() -> None:
    """A close reason that is a problem ends the worker with that problem."""
    async with scripted_server() as server:
        places = Places(Path(__file__).parent, lambda _path: False)
        settings = WorkerSettings(
            worker_id="w1", url=server.url, token="", grace=1.0, concurrency=1, task_threads=1, code=""
        )
        worker = Worker(settings, {}, [], places)
        running = asyncio.create_task(worker.run())
        await server.expect(Hello)
        await server._connections[-1].close(4001, '{"code": "protocol-too-old", "message": "upgrade"}')
        with pytest.raises(ProblemError, match="upgrade"):
            await asyncio.wait_for(running, 5)
        worker.close()


async def test_session_when_the_server_comes_late() -> None:
    """A worker that starts before its server connects as soon as that listens."""

    @job(id="nothing")
    async def nothing() -> None:
        """Do nothing."""

    async with scripted_server() as probe:
        url = probe.url
    port = int(url.rpartition(":")[2].partition("/")[0])
    places = Places(Path(__file__).parent, lambda _path: False)
    settings = WorkerSettings(worker_id="w", url=url, token="", grace=1.0, concurrency=1, task_threads=1, code="")
    worker = Worker(settings, {"nothing": nothing}, [manifest_of(nothing, places.relative)], places)
    running = asyncio.create_task(worker.run())
    await asyncio.sleep(0.05)  # a few refused connections; nothing depends on how many
    from websockets.asyncio.server import serve

    script = ScriptedServer()
    async with serve(script._take, "127.0.0.1", port):
        await script.welcome()
        worker.drain()
        await asyncio.wait_for(running, 5)
    worker.close()
