"""Errors of the engine and of our own, as answers; over a fake engine that fails as told."""

from __future__ import annotations

from collections.abc import AsyncIterator
from dataclasses import dataclass

import httpx
import pytest

from engine.errors import EngineClosed, EngineError, JournalConflict, StoreBusy, StoreUnavailable
from executor.app import create_app
from executor.server import serve
from executor.sessions.hub import Hub
from executor.settings import Settings
from tests.fakes.fake_engine import FakeEngine
from tests.fakes.house import TOKEN, House, problem_of, until
from tests.fakes.watching import RecordingWatcher
from tests.fakes.worker_double import WorkerDouble, task_done
from trigger_sdk.protocol.messages import Ack, Append, LogLine, Logs, Lost, Refused
from trigger_sdk.protocol.problem import Problem


@dataclass
class Stage:
    """A server over a fake engine."""

    engine: FakeEngine
    hub: Hub
    watcher: RecordingWatcher
    url: str
    client: httpx.AsyncClient

    def worker(self) -> WorkerDouble:
        """Return a worker that has not joined."""
        return WorkerDouble(self.url, TOKEN)


@pytest.fixture
async def stage() -> AsyncIterator[Stage]:
    """Return a running server over a fake engine."""
    engine, watcher = FakeEngine(), RecordingWatcher()
    settings = Settings(token=TOKEN)
    hub = Hub(settings, watcher)
    app = create_app(settings, engine, hub, new_id=lambda: "err_fixed")
    async with serve(app, grace_s=0.2) as serving, httpx.AsyncClient(base_url=serving.url) as client:
        yield Stage(engine, hub, watcher, serving.url, client)
    hub.close()


@pytest.mark.parametrize(
    ("error", "code"),
    [
        (StoreUnavailable("The disk is full"), "store-unavailable"),
        (StoreBusy("20,001 operations wait"), "store-busy"),
        (EngineClosed("The engine is closed."), "engine-closed"),
    ],
)
async def test_store_that_cannot_take_it_is_503_with_retry_after(stage: Stage, error: EngineError, code: str) -> None:
    """With the problem and its hint."""
    stage.engine.failures["send_event"] = error
    answer = await stage.client.post("/api/v1/events", json={"name": "e"})
    assert answer.status_code == 503
    assert int(answer.headers["retry-after"]) > 0
    problem = problem_of(answer)
    assert problem["code"] == code
    assert problem["hint"]


async def test_health_shows_what_is_wrong_with_the_store(stage: Stage) -> None:
    """503 and the problem."""
    stage.engine.trouble = Problem(code="store-unavailable", message="The disk is full", hint="Make room")
    answer = await stage.client.get("/healthz")
    assert answer.status_code == 503
    assert answer.json()["status"] == "degraded"
    assert answer.json()["error"]["code"] == "store-unavailable"


async def test_mistake_of_ours_is_500_with_an_id_and_no_details(stage: Stage, caplog: pytest.LogCaptureFixture) -> None:
    """The log has the traceback under the id; the answer tells neither message nor place; the server goes on."""
    stage.engine.failures["runs"] = ZeroDivisionError("the secret")
    answer = await stage.client.get("/api/v1/runs")
    assert answer.status_code == 500
    problem = problem_of(answer)
    assert problem["code"] == "internal-error"
    assert "err_fixed" in problem["message"]
    assert "secret" not in answer.text
    assert "ZeroDivision" not in answer.text
    (record,) = [record for record in caplog.records if record.levelname == "ERROR"]
    assert "err_fixed" in record.getMessage()
    assert "GET /api/v1/runs" in record.getMessage()
    assert record.exc_info is not None
    assert (await stage.client.get("/healthz")).status_code == 200


async def test_engine_that_cannot_open_the_session_sends_the_worker_away(stage: Stage) -> None:
    """Not for good: the close reason is no final problem, and the worker is not kept."""
    stage.engine.failures["open_session"] = StoreUnavailable("The disk is full")
    async with stage.worker() as worker:
        await worker.open()
        await worker.send(worker.hello())
        assert (await worker.expect(Refused)).code == "store-unavailable"
        assert await worker.closed() == (1011, "store-unavailable")
    assert stage.hub.workers() == []
    del stage.engine.failures["open_session"]
    async with stage.worker() as worker:
        await worker.join()
        assert stage.hub.connected() == 1


async def test_append_that_fails_by_a_mistake_of_ours_is_refused(
    stage: Stage, caplog: pytest.LogCaptureFixture
) -> None:
    """The run fails with a code, the session goes on, the log has the traceback."""
    async with stage.worker() as worker:
        await worker.join()
        stage.engine.failures["append"] = ZeroDivisionError("the secret")
        await worker.send(Append("run_1", 1, 1, [task_done("1")]))
        refused = await worker.expect(Refused)
        assert (refused.run, refused.cid, refused.code) == ("run_1", 1, "internal-error")
        assert "secret" not in refused.message
        del stage.engine.failures["append"]
        await worker.send(Append("run_1", 1, 2, [task_done("2")]))
        assert (await worker.expect(Ack)).cid == 2
    assert [record.exc_info is not None for record in caplog.records if record.levelname == "ERROR"] == [True]


async def test_method_of_the_engine_that_raises_ends_the_session_only(
    stage: Stage, caplog: pytest.LogCaptureFixture
) -> None:
    """An engine that breaks its contract closes the connection with 4005; the server goes on."""

    def explode(*_: object) -> None:
        raise ZeroDivisionError

    async with stage.worker() as worker:
        await worker.join()
        stage.engine.append = explode  # type: ignore[method-assign, assignment]  # a broken engine
        await worker.send(Append("run_1", 1, 1, [task_done("1")]))
        assert (await worker.closed())[0] == 4005
    assert (await stage.client.get("/healthz")).json()["workers"] == 0
    assert any(record.exc_info for record in caplog.records)


async def test_conflict_is_sent_back_by_suspending(stage: Stage) -> None:
    """The engine is asked to queue it at once, above every seq."""
    async with stage.worker() as worker:
        await worker.join()
        stage.engine.failures["append"] = JournalConflict("partly there")
        await worker.send(Append("run_1", 7, 1, [task_done("1")]))
        assert await worker.expect(Lost) == Lost("run_1", 7)
    (call,) = [arguments for name, arguments in stage.engine.calls if name == "suspend"]
    assert call == ("run_1", 7, 1 << 62, 0.0)


async def test_lines_that_cannot_be_kept_are_shown(stage: Stage) -> None:
    """Better twice than never."""
    async with stage.worker() as worker:
        await worker.join()
        stage.engine.failures["keep_logs"] = StoreUnavailable("The disk is full")
        await worker.send(Logs([LogLine("", "", 0, 1.0, 20, "app", "hello", "log")]))
        await until(lambda: stage.watcher.output)
    assert [line.text for line in stage.watcher.output] == ["hello"]


async def test_answers_after_the_connection_are_nobodys(stage: Stage) -> None:
    """What the engine commits after its worker is gone breaks nothing."""
    async with stage.worker() as worker:
        await worker.join()
        stage.engine.hold = True
        await worker.send(Append("run_1", 1, 1, [task_done("1")]))
        await until(lambda: stage.engine.pending)
    await until(lambda: stage.hub.connected() == 0)
    stage.engine.hold = False
    stage.engine.pending[0].set_exception(ZeroDivisionError())
    assert (await stage.client.get("/healthz")).status_code == 200


async def test_watcher_that_fails_breaks_nothing(house: House, caplog: pytest.LogCaptureFixture) -> None:
    """It is logged, and the run is created."""

    def explode(_: object) -> None:
        raise ZeroDivisionError

    await house.worker()
    house.watcher.run_event = explode  # type: ignore[method-assign, assignment]  # a broken watcher
    run_id = await house.start()
    assert (await house.run(run_id))["state"] == "running"
    await until(lambda: "the watcher failed" in caplog.text)
