"""The executor with the SDK's own worker: a process that loads a project and talks to it over the wire."""

from __future__ import annotations

import asyncio
import os
import sys
from collections.abc import AsyncIterator, Awaitable, Callable
from contextlib import AsyncExitStack, asynccontextmanager
from pathlib import Path
from typing import Any

import pytest

from tests.fakes.house import TOKEN, House, problem_of, until

PROJECT = """
from dataclasses import dataclass
import logging, time
from trigger_sdk import Context, job, sleep, task, wait_for_event

@dataclass
class Order:
    id: int
    items: list[str]

@task
async def price(item: str) -> int:
    print("pricing", item)
    return len(item)

@job(id="order")
async def order(payload: Order, ctx: Context) -> dict:
    logging.getLogger("shop").warning("order %s", payload.id)
    total = 0
    for item in payload.items:
        total += await price(item)
    return {"id": payload.id, "total": total}

@job(id="patient")
async def patient(payload: dict) -> object:
    before = await price("abc")
    event = await wait_for_event("go")
    return [before, event]

@job(id="broken")
async def broken(payload: dict) -> None:
    raise ValueError("no good")

@job(id="busy")
async def busy(payload: dict) -> None:
    end = time.perf_counter() + 2.5
    while time.perf_counter() < end:
        pass
"""

StartWorker = Callable[..., Awaitable[asyncio.subprocess.Process]]


@asynccontextmanager
async def worker_process(
    house: House, root: Path, worker_id: str, *, token: str = TOKEN
) -> AsyncIterator[asyncio.subprocess.Process]:
    """Run the SDK's worker on a project while the block runs."""
    environment = {
        **{name: value for name, value in os.environ.items() if not name.startswith("TRIGGER_")},
        "TRIGGER_API_URL": house.url,
        "TRIGGER_WORKER_URL": house.url.replace("http", "ws") + "/api/v1/worker",
        "TRIGGER_WORKER_TOKEN": token,
        "TRIGGER_WORKER_ID": worker_id,
        "TRIGGER_PROJECT_ROOT": str(root),
    }
    process = await asyncio.create_subprocess_exec(
        sys.executable, "-P", "-m", "trigger_sdk.worker", env=environment, cwd=root, stdin=asyncio.subprocess.PIPE
    )
    try:
        yield process
    finally:
        if process.returncode is None:
            process.kill()
        await process.wait()


@pytest.fixture
async def start_worker(house: House, tmp_path: Path) -> AsyncIterator[StartWorker]:
    """Return what starts a worker process and waits until it is connected."""
    root = tmp_path / "project"
    (root / "jobs").mkdir(parents=True)
    (root / "trigger.toml").write_text('dirs = ["jobs"]\nwait_grace = 0.1\n')
    (root / "jobs" / "shop.py").write_text(PROJECT)
    async with AsyncExitStack() as stack:

        async def start(worker_id: str = "w1") -> asyncio.subprocess.Process:
            process = await stack.enter_async_context(worker_process(house, root, worker_id))
            await until(lambda: any(view.id == worker_id and view.connected for view in house.hub.workers()), 20)
            return process

        yield start


async def final(house: House, run_id: str) -> dict[str, Any]:
    """Wait for the end of a run and return it."""
    answer = await house.client.get(f"/api/v1/runs/{run_id}?wait=15")
    shown: dict[str, Any] = answer.json()
    return shown


async def test_run_is_executed(house: House, start_worker: StartWorker) -> None:
    """Output, steps, and lines attributed to run and step."""
    await start_worker()
    run_id = await house.start("order", {"id": 7, "items": ["ab", "cde"]})
    run = await final(house, run_id)
    assert (run["state"], run["output"]) == ("completed", {"id": 7, "total": 5})
    steps = (await house.client.get(f"/api/v1/runs/{run_id}/steps")).json()["steps"]
    assert [(step["name"], step["kind"], step["state"], step["output"]) for step in steps] == [
        ("price", "task", "completed", 2),
        ("price", "task", "completed", 3),
    ]
    await until(lambda: len(house.watcher.output) >= 3)
    shown = {(line.text, bool(line.step)) for line in house.watcher.output if line.run == run_id}
    assert shown == {("order 7", False), ("pricing ab", True), ("pricing cde", True)}


async def test_payload_is_checked_against_the_annotation(house: House, start_worker: StartWorker) -> None:
    """422 with field and reason, and no run."""
    await start_worker()
    answer = await house.client.post("/api/v1/jobs/order/runs", json={"payload": {"id": "x", "items": [1]}})
    assert answer.status_code == 422
    paths = {field["path"] for field in problem_of(answer)["fields"]}
    assert "id" in paths
    assert (await house.client.get("/api/v1/runs")).json()["runs"] == []
    (job,) = [job for job in (await house.client.get("/api/v1/jobs")).json()["jobs"] if job["id"] == "order"]
    assert job["file"] == "jobs/shop.py"
    assert job["payload_schema"]


async def test_error_of_a_body_is_shown(house: House, start_worker: StartWorker) -> None:
    """Type, message and traceback."""
    await start_worker()
    run = await final(house, await house.start("broken", {}))
    assert run["state"] == "failed"
    assert (run["error"]["type"].rpartition(".")[2], run["error"]["message"]) == ("ValueError", "no good")
    assert "shop.py" in run["error"]["traceback"]


async def test_waiting_run_leaves_and_is_finished_by_another_worker(house: House, start_worker: StartWorker) -> None:
    """Its worker is killed while it waits; the next one replays it, and the task did not run again."""
    first = await start_worker()
    run_id = await house.start("patient", {})
    await until(lambda: "waiting" in house.watcher.news_of(run_id))
    first.kill()
    await first.wait()
    house.hub.worker_died("w1")
    await start_worker("w2")
    await house.client.post("/api/v1/events", json={"name": "go", "payload": {"n": 1}})
    run = await final(house, run_id)
    assert (run["state"], run["output"][0], run["attempt"]) == ("completed", 3, 2)
    assert [line.text for line in house.watcher.output].count("pricing abc") == 1


async def test_killed_worker_s_run_goes_on_elsewhere(house: House, start_worker: StartWorker) -> None:
    """A run that is held when its worker dies, after the supervisor saw it."""
    first = await start_worker()
    run_id = await house.start("busy", {})
    await until(lambda: "started" in house.watcher.news_of(run_id))
    first.kill()
    await first.wait()
    house.hub.worker_died("w1")
    await start_worker("w2")
    run = await final(house, run_id)
    assert (run["state"], run["attempt"]) == ("completed", 2)


async def test_body_that_blocks_its_loop_is_reported(house: House, start_worker: StartWorker) -> None:
    """The watchdog's news name the run and the line."""
    await start_worker()
    run_id = await house.start("busy", {})
    await until(lambda: any(event.news == "blocked" for event in house.watcher.workers))
    (event, *_) = [event for event in house.watcher.workers if event.news == "blocked"]
    assert (event.worker, event.run) == ("w1", run_id)
    assert "shop.py" in event.step
    assert (await final(house, run_id))["state"] in ("completed", "failed")


async def test_drained_worker_exits_when_it_holds_nothing(house: House, start_worker: StartWorker) -> None:
    """It says good-bye and its process ends by itself."""
    process = await start_worker()
    house.hub.drain("w1")
    async with asyncio.timeout(15):
        assert await process.wait() == 0
    await until(lambda: not house.hub.workers())
    assert [event.news for event in house.watcher.workers] == ["connected", "draining", "left"]


async def test_worker_with_a_wrong_token_gives_up(house: House, start_worker: StartWorker, tmp_path: Path) -> None:
    """It exits with an error in place of trying for ever."""
    async with worker_process(house, tmp_path / "project", "w9", token="wrong") as process:
        async with asyncio.timeout(20):
            assert await process.wait() != 0
    assert house.hub.workers() == []
