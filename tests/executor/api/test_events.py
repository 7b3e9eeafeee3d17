"""Events, jobs and health over HTTP."""

from __future__ import annotations

from typing import Any

import pytest

from tests.fakes.house import House, problem_of
from trigger_sdk.protocol.version import VERSION


async def test_event_is_taken_once_per_id(house: House) -> None:
    """The second with the same id is not sent again."""
    body = {"name": "paid", "payload": {"sum": 1}, "id": "evt-1"}
    first = await house.client.post("/api/v1/events", json=body)
    second = await house.client.post("/api/v1/events", json=body)
    assert (first.status_code, first.json()) == (201, {"id": "evt-1", "matched": 0, "existing": False})
    assert (second.status_code, second.json()["existing"]) == (201, True)


async def test_event_without_id_gets_one(house: House) -> None:
    """Null and absent are alike."""
    for body in ({"name": "paid"}, {"name": "paid", "id": None, "payload": None}):
        answer = await house.client.post("/api/v1/events", json=body)
        assert answer.status_code == 201
        assert answer.json()["id"]


@pytest.mark.parametrize(
    ("body", "where"),
    [
        ({}, "name"), ({"name": ""}, "name"), ({"name": 1}, "name"), ({"name": None}, "name"),
        ({"name": "x" * 513}, "name"), ({"name": "e", "id": 1}, "id"), ({"name": "e", "id": ""}, "id"),
        ({"name": "e", "paylod": 1}, "paylod"),
    ],
)  # fmt: skip
async def test_malformed_event_is_400(house: House, body: Any, where: str) -> None:
    """The field is named."""
    answer = await house.client.post("/api/v1/events", json=body)
    assert (answer.status_code, problem_of(answer)["where"]) == (400, where)


async def test_jobs_are_listed_with_the_code_version(house: House) -> None:
    """Those of the newest code, by id."""
    assert (await house.client.get("/api/v1/jobs")).json() == {"jobs": []}
    await house.worker(jobs=("b", "a"), code="c1")
    jobs = (await house.client.get("/api/v1/jobs")).json()["jobs"]
    assert [(job["id"], job["code"], job["file"], job["line"], job["queue"]["name"]) for job in jobs] == [
        ("a", "c1", "jobs/a.py", 1, "a"),
        ("b", "c1", "jobs/a.py", 1, "b"),
    ]


async def test_health_counts_workers(house: House) -> None:
    """200 and ok."""
    assert (await house.client.get("/healthz")).json() == {"status": "ok", "version": VERSION, "workers": 0}
    await house.worker()
    assert (await house.client.get("/healthz")).json()["workers"] == 1
