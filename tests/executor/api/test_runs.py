"""Showing runs."""

from __future__ import annotations

import asyncio
import re
import time
from typing import Any

import pytest

from tests.executor.conftest import MakeHouse
from tests.fakes.house import House, problem_of, until
from trigger_sdk.protocol.messages import Start

ISO = re.compile(r"\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d\.\d{6}Z")


async def test_run_has_the_fields_of_the_contract(house: House) -> None:
    """Names, kinds, and times in UTC with microseconds."""
    await house.worker()
    run = await house.run(await house.start(payload={"n": 1}))
    contract = {
        "id", "job", "state", "payload", "output", "error", "created_at", "started_at", "finished_at", "attempt",
        "parent", "tags", "metadata", "version",
    }  # fmt: skip
    assert contract <= set(run)
    assert run["id"].startswith("run_")
    assert ISO.fullmatch(run["created_at"])
    assert (run["output"], run["error"], run["finished_at"], run["parent"]) == (None, None, None, None)


async def test_runs_are_listed_newest_first_in_pages(house: House) -> None:
    """`next` leads on and is null at the end; together all runs, each once."""
    await house.worker()
    ids = [await house.start() for _ in range(7)]
    seen: list[str] = []
    cursor = ""
    for _ in range(10):
        page = (await house.client.get(f"/api/v1/runs?limit=3{cursor}")).json()
        seen += [run["id"] for run in page["runs"]]
        if page["next"] is None:
            break
        cursor = f"&cursor={page['next']}"
    assert seen == ids[::-1]


async def test_runs_are_filtered(house: House) -> None:
    """By job, state and tag."""
    await house.worker(jobs=("a", "b"))
    first = await house.start("a", tags=["red"])
    second = await house.start("b", delay=100)

    async def listed(query: str) -> list[str]:
        return [run["id"] for run in (await house.client.get(f"/api/v1/runs?{query}")).json()["runs"]]

    assert await listed("job=a") == [first]
    assert await listed("state=delayed") == [second]
    assert await listed("tag=red") == [first]
    assert await listed("tag=blue") == []
    assert await listed("job=a&state=delayed") == []


@pytest.mark.parametrize(
    ("query", "where"),
    [
        ("state=runing", "state"),
        ("limit=0", "limit"),
        ("limit=201", "limit"),
        ("limit=x", "limit"),
        ("limit=-1", "limit"),
        ("limit=%C2%B2", "limit"),
        ("limit=" + "9" * 5000, "limit"),
        ("jbo=a", "the query.jbo"),
        ("job=a&job=b", "the query"),
    ],
)
async def test_malformed_parameter_is_400(house: House, query: str, where: str) -> None:
    """The parameter is named."""
    answer = await house.client.get(f"/api/v1/runs?{query}")
    assert (answer.status_code, problem_of(answer)["where"]) == (400, where)


async def test_state_that_is_none_says_what_was_meant(house: House) -> None:
    """Did you mean running?"""
    assert "'running'" in problem_of(await house.client.get("/api/v1/runs?state=runing"))["hint"]


@pytest.mark.parametrize("cursor", ["x", "%00", "AAAA", "%F0%9F%98%80", "1" * 3000, "eyJ9"])
async def test_foreign_cursor_is_400(house: House, cursor: str) -> None:
    """A cursor is opaque, and checked."""
    answer = await house.client.get(f"/api/v1/runs?cursor={cursor}")
    assert (answer.status_code, problem_of(answer)["code"]) == (400, "invalid-cursor")


@pytest.mark.parametrize("path", ["", "/steps", "/logs"])
async def test_unknown_run_is_404(house: House, path: str) -> None:
    """Also its steps and lines; an empty list would hide the mistake."""
    for run_id in ("run_nope", "x" * 3000, "%00", "%F0%9F%98%80"):
        answer = await house.client.get(f"/api/v1/runs/{run_id}{path}")
        assert (answer.status_code, problem_of(answer)["code"]) == (404, "run-not-found")


async def test_wait_answers_when_the_run_is_final(house: House) -> None:
    """And not later."""
    worker = await house.worker()
    run_id = await house.start()
    start = await worker.expect(Start)
    waiting = asyncio.create_task(house.client.get(f"/api/v1/runs/{run_id}?wait=15s"))
    await asyncio.sleep(0.1)
    assert not waiting.done()
    await worker.finish(start, "x")
    async with asyncio.timeout(5):
        answer = await waiting
    assert (answer.json()["state"], answer.json()["output"]) == ("completed", "x")
    again = await house.client.get(f"/api/v1/runs/{run_id}?wait=15")
    assert again.json()["state"] == "completed"


async def test_wait_ends_with_its_time(make_house: MakeHouse) -> None:
    """With the run as it stands; longer times are cut to the limit."""
    async with make_house(longest_wait_s=0.3) as house:
        await house.worker()
        run_id = await house.start()
        for wait in ("0.2", "1h", "250ms"):
            began = time.monotonic()
            answer = await house.client.get(f"/api/v1/runs/{run_id}?wait={wait}")
            assert answer.status_code == 200
            assert answer.json()["state"] == "running"
            assert 0.15 < time.monotonic() - began < 2


@pytest.mark.parametrize("wait", ["x", "-1", "nan", "1e9999"])
async def test_wait_must_be_a_duration(house: House, wait: str) -> None:
    """400 before anything is looked up."""
    answer = await house.client.get(f"/api/v1/runs/run_x?wait={wait}")
    assert (answer.status_code, problem_of(answer)["where"]) == (400, "wait")


async def test_client_that_goes_away_ends_its_wait(house: House) -> None:
    """The server does not keep what nobody waits for."""
    await house.worker()
    run_id = await house.start()
    waiting = asyncio.create_task(house.client.get(f"/api/v1/runs/{run_id}?wait=30"))
    watchers: dict[str, Any] = house.engine._outbox._watchers
    await until(lambda: watchers)
    waiting.cancel()
    await until(lambda: not watchers)


async def test_head_is_get_without_a_body(house: House) -> None:
    """Same status and length."""
    got = await house.client.get("/api/v1/runs")
    head = await house.client.head("/api/v1/runs")
    assert (head.status_code, head.content) == (200, b"")
    assert head.headers["content-length"] == got.headers["content-length"]


async def test_wrong_method_is_405_with_the_right_ones(house: House) -> None:
    """As a problem, with Allow."""
    answer = await house.client.delete("/api/v1/runs/run_x")
    assert (answer.status_code, problem_of(answer)["code"]) == (405, "method-not-allowed")
    assert answer.headers["allow"] == "GET, HEAD"
    answer = await house.client.get("/api/v1/events")
    assert (answer.status_code, answer.headers["allow"]) == (405, "POST")


@pytest.mark.parametrize(
    "path", ["/", "/api", "/api/v1", "/api/v2/runs", "/api/v1/runs/", "//api/v1/runs", "/favicon.ico"]
)
async def test_unknown_path_is_404(house: House, path: str) -> None:
    """As a problem, also for other methods."""
    for method in ("GET", "POST", "PUT"):
        answer = await house.client.request(method, house.url + path)
        assert (answer.status_code, problem_of(answer)["code"]) == (404, "path-not-found")
