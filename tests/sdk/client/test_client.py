"""``job.trigger()`` from scripts and backends: real HTTP to a real server, sync and async."""

from __future__ import annotations

import asyncio
import json
from pathlib import Path

import pytest

from tests.fakes.house import House
from trigger_sdk._client.address import api_url
from trigger_sdk._client.client import Client
from trigger_sdk._declare.job import Job
from trigger_sdk._declare.registry import declared
from trigger_sdk.errors import ProblemError, RunFailed
from trigger_sdk.protocol.entries import RunOptions
from trigger_sdk.protocol.messages import Finish, Start
from trigger_sdk.protocol.problem import Problem
from trigger_sdk.protocol.values import encode_json, encode_problem


@pytest.fixture
def job() -> Job[[object], object]:
    """Return the job ``a`` as a script knows it."""

    def body(payload: object) -> object:
        return payload

    made = Job(body, id="a")
    declared.remove(made)
    return made


async def test_trigger_from_a_script(house: House, job: Job[[object], object], monkeypatch: pytest.MonkeyPatch) -> None:
    """The server of TRIGGER_API_URL starts the run; its output comes back."""
    monkeypatch.setenv("TRIGGER_API_URL", house.url + "/")
    worker = await house.worker()
    handle = await asyncio.to_thread(job.trigger, {"n": 1}, idempotency_key="k")  # a thread without a loop: sync code
    start = await worker.expect(Start)
    assert (start.run, handle.existing) == (handle.id, False)
    waiting = asyncio.create_task(asyncio.to_thread(handle.result, 20))
    await worker.send(Finish(start.run, start.token, "completed", encode_json({"doubled": 2})))
    assert await waiting == {"doubled": 2}
    again = await job.trigger({"n": 1}, idempotency_key="k")  # async code awaits the same call
    assert (again, again.existing) == (handle, True)


async def test_run_that_failed_raises_with_its_reason(house: House) -> None:
    """With the run as the API shows it; one that is not final in time is a TimeoutError."""
    worker = await house.worker()
    run_id = await house.start()
    client = Client(house.url)
    with pytest.raises(TimeoutError, match="still running"):
        await client.result(run_id, timeout=0.05)
    start = await worker.expect(Start)
    error = encode_problem(Problem(code="out-of-stock", message="there is none left"))
    await worker.send(Finish(run_id, start.token, "failed", error))
    with pytest.raises(RunFailed, match="there is none left") as failed:
        await client.result(run_id, timeout=20)
    assert (failed.value.problem.code, failed.value.run["state"]) == ("run-failed", "failed")


async def test_refusals_are_problems(house: House) -> None:
    """The server's own, a server that is not there, and something else that listens."""
    await house.worker()
    with pytest.raises(ProblemError) as unknown:
        await Client(house.url).run("run_nope")
    assert unknown.value.problem.code == "run-not-found"
    with pytest.raises(ProblemError) as away:
        await Client("http://127.0.0.1:9").send_event("n")
    assert away.value.problem.code == "server-unreachable"

    async def answer(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        await reader.readuntil(b"\r\n\r\n")
        writer.write(b"HTTP/1.1 200 OK\r\ncontent-length: 2\r\n\r\nhi")
        writer.close()

    async with await asyncio.start_server(answer, "127.0.0.1", 0) as other:
        port = other.sockets[0].getsockname()[1]
        with pytest.raises(ProblemError) as foreign:
            await Client(f"http://127.0.0.1:{port}").run("run_1")
    assert foreign.value.problem.code == "not-our-server"


async def test_batch_and_event_and_cancel(house: House) -> None:
    """The other calls of a script."""
    await house.worker(capacity=1)
    client = Client(house.url)
    handles = await client.batch_trigger("a", [1, 2], RunOptions())
    assert len({handle.id for handle in handles}) == 2
    await client.cancel(handles[1].id)
    assert (await client.run(handles[1].id))["state"] == "canceled"
    assert await client.send_event("n", {"x": 1}, id="evt-1") == "evt-1"


def test_address_without_variable_is_the_projects_dev_server(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """Looked for upwards; a damaged file is none; the default port comes last."""
    monkeypatch.delenv("TRIGGER_API_URL", raising=False)
    below = tmp_path / "jobs" / "deep"
    below.mkdir(parents=True)
    state = tmp_path / ".trigger"
    state.mkdir()
    assert api_url(below) == "http://127.0.0.1:8734"
    (state / "dev.json").write_text(json.dumps({"url": "http://127.0.0.1:4000/", "pid": 1, "token": "t"}))
    assert api_url(below) == "http://127.0.0.1:4000"
    (state / "dev.json").write_text("{")
    assert api_url(below) == "http://127.0.0.1:8734"
