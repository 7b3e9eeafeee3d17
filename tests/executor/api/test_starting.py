"""Starting runs and steering them."""

from __future__ import annotations

from typing import Any
from urllib.parse import quote

import pytest

from tests.fakes.house import House, problem_of, until
from trigger_sdk.protocol.messages import Finish, Finished, Start
from trigger_sdk.protocol.problem import Problem
from trigger_sdk.protocol.values import encode_json, encode_problem


async def test_options_reach_the_run(house: House) -> None:
    """Each under its name, durations in seconds or as texts."""
    worker = await house.worker()
    await worker.leave()
    await until(lambda: not house.hub.workers())
    options: dict[str, Any] = {
        "idempotency_key": "k", "idempotency_ttl": "1h", "delay": "1h30m", "ttl": 60, "priority": -3, "queue": "q",
        "concurrency_key": "tenant", "tags": ["x", "y"], "metadata": {"a": [1, None]}, "max_duration": "2d",
    }  # fmt: skip
    run = await house.run(await house.start(**options))
    assert run["state"] == "delayed"
    wanted = ("idempotency_key", "priority", "queue", "concurrency_key", "tags", "metadata")
    assert {key: run[key] for key in wanted} == {key: options[key] for key in wanted}
    assert run["max_duration"] == 172_800.0
    assert run["due_at"] > run["created_at"]


@pytest.mark.parametrize(
    ("options", "where", "hint"),
    [
        ({"dealy": 1}, "options.dealy", "Did you mean 'delay'?"),
        ({"idempotencyKey": "x"}, "options.idempotencyKey", "Did you mean 'idempotency_key'"),
        ({"zzz": 1}, "options.zzz", "Use any of: "),
        ({"delay": "soon"}, "options.delay", '"90s"'),
        ({"delay": -1}, "options.delay", ""),
        ({"delay": 1e300}, "options.delay", ""),
        ({"delay": [1]}, "options.delay", ""),
        ({"priority": "high"}, "options.priority", ""),
        ({"priority": 10**30}, "options.priority", ""),
        ({"priority": 1.5}, "options.priority", ""),
        ({"tags": "x"}, "options.tags", ""),
        ({"tags": ["x"] * 11}, "options.tags", ""),
        ({"tags": ["x" * 129]}, "options.tags[0]", ""),
        ({"tags": [1]}, "options.tags[0]", ""),
        ({"queue": ""}, "options.queue", ""),
        ({"queue": 5}, "options.queue", ""),
        ({"idempotency_key": "x" * 513}, "options.idempotency_key", ""),
        ({"metadata": [1]}, "options.metadata", ""),
        ({"metadata": {"x": 2**70}}, "options.metadata", ""),
        ({"metadata": {"x": "y" * 70_000}}, "options.metadata", ""),
        ([1], "options", ""),
        ("x", "options", ""),
        (0, "options", ""),
    ],
)
async def test_malformed_options_are_400(house: House, options: Any, where: str, hint: str) -> None:
    """The place is named, and what was meant where it can be guessed; nothing is created."""
    await house.worker()
    answer = await house.client.post("/api/v1/jobs/a/runs", json={"payload": 1, "options": options})
    assert answer.status_code == 400, answer.text
    problem = problem_of(answer)
    assert problem["code"] == "invalid-request"
    assert problem["where"] == where
    assert hint in problem["hint"]
    batch = await house.client.post("/api/v1/runs/batch", json={"runs": [{"job": "a", "options": options}]})
    assert batch.status_code == 400
    assert problem_of(batch)["where"] == f"runs[0].{where}"
    assert (await house.client.get("/api/v1/runs")).json()["runs"] == []


async def test_null_options_are_defaults(house: House) -> None:
    """A client may send every key as null."""
    await house.worker()
    nothing: dict[str, Any] = {"delay": None, "ttl": None, "queue": None, "idempotency_key": None, "version": None}
    assert await house.start(**nothing)


async def test_unknown_key_of_the_body_is_400(house: House) -> None:
    """With what was meant."""
    await house.worker()
    answer = await house.client.post("/api/v1/jobs/a/runs", json={"paylaod": 1})
    assert (answer.status_code, problem_of(answer)["hint"]) == (400, "Did you mean 'payload'?")


async def test_idempotency_key_returns_the_first_run(house: House) -> None:
    """201 both times, `existing` the second; one run, told once."""
    await house.worker()
    answers = [
        (await house.client.post("/api/v1/jobs/a/runs", json={"options": {"idempotency_key": "k"}})).json()
        for _ in range(2)
    ]
    assert answers[0]["id"] == answers[1]["id"]
    assert [answer["existing"] for answer in answers] == [False, True]
    assert house.watcher.news_of(answers[0]["id"]).count("created") == 1


async def test_unknown_job_is_404_with_what_was_meant(house: House) -> None:
    """Near names, or else all of them."""
    await house.worker(jobs=("purchase-ticket", "orders"))
    answer = await house.client.post("/api/v1/jobs/purchase-tikcet/runs", json={})
    assert answer.status_code == 404
    problem = problem_of(answer)
    assert (problem["code"], problem["hint"]) == ("unknown-job", "Did you mean 'purchase-ticket'?")
    assert "purchase-tikcet" in problem["message"]
    far = problem_of(await house.client.post("/api/v1/jobs/zzz/runs", json={}))
    assert "orders, purchase-ticket" in far["hint"]


async def test_unknown_job_without_any_worker_ever_says_how_jobs_become_known(house: House) -> None:
    """The usual first mistake."""
    problem = problem_of(await house.client.post("/api/v1/jobs/a/runs", json={}))
    assert problem["code"] == "unknown-job"
    assert "trigger dev" in problem["hint"]
    assert "`dirs`" in problem["hint"]


@pytest.mark.parametrize("job", ["a/b", "\N{SNOWMAN}", "with space", "a%2Fb", "x" * 5000, "a?b"])
async def test_any_job_id_can_be_named(house: House, job: str) -> None:
    """Quoted in the path; one that is not there is a 404."""
    path = f"/api/v1/jobs/{quote(job, safe='')}/runs"
    assert problem_of(await house.client.post(path, json={}))["code"] in ("unknown-job", "path-not-found")
    await house.worker(jobs=("a/b", "\N{SNOWMAN}", "with space", "a%2Fb"))
    if job in ("a/b", "\N{SNOWMAN}", "with space", "a%2Fb"):
        answer = await house.client.post(path, json={})
        assert answer.status_code == 201, answer.text
        assert (await house.run(answer.json()["id"]))["job"] == job


@pytest.mark.parametrize(
    ("runs", "where"),
    [
        (None, "runs"),
        ("x", "runs"),
        ([1], "runs[0]"),
        ([{"payload": 1}], "runs[0].job"),
        ([{"job": ""}], "runs[0].job"),
        ([{"job": 1}], "runs[0].job"),
        ([{"job": "a"}, {"job": "a", "x": 1}], "runs[1].x"),
        ([{"job": "a"}] * 10_001, "runs"),
    ],
)
async def test_malformed_batch_is_400(house: House, runs: Any, where: str) -> None:
    """The place is named."""
    await house.worker()
    answer = await house.client.post("/api/v1/runs/batch", json={"runs": runs})
    assert (answer.status_code, problem_of(answer)["where"]) == (400, where)


async def test_batch_is_all_or_none(house: House) -> None:
    """An unknown job among known ones creates nothing, and is named by its place."""
    await house.worker()
    answer = await house.client.post("/api/v1/runs/batch", json={"runs": [{"job": "a"}, {"job": "nope"}]})
    assert answer.status_code == 404
    assert problem_of(answer)["where"] == "runs[1].job"
    assert (await house.client.get("/api/v1/runs")).json()["runs"] == []


async def test_empty_batch_is_an_empty_answer(house: House) -> None:
    """Nothing to start is no error."""
    answer = await house.client.post("/api/v1/runs/batch", json={"runs": []})
    assert (answer.status_code, answer.json()) == (201, {"runs": []})


async def test_failed_run_shows_its_error_and_can_be_resumed_and_replayed(house: House) -> None:
    """Resume queues it again; replay makes another."""
    worker = await house.worker()
    run_id = await house.start(payload={"n": 1})
    start = await worker.expect(Start)
    error = encode_problem(Problem(code="boom", message="it broke", hint="mend it"))
    await worker.send(Finish(run_id, start.token, "failed", error, "3"))
    await worker.expect(Finished)
    run = await house.run(run_id)
    assert (run["state"], run["error"]["code"], run["error"]["message"]) == ("failed", "boom", "it broke")
    assert run["failed_step"] == "3"
    (event,) = [event for event in house.watcher.runs if event.news == "failed"]
    assert (event.error, event.failed_step, event.job) == (error, "3", "a")
    resumed = await house.client.post(f"/api/v1/runs/{run_id}/resume")
    assert resumed.status_code == 200
    again = await worker.expect(Start)
    assert again.run == run_id
    replayed = await house.client.post(f"/api/v1/runs/{run_id}/replay", json={})
    assert replayed.status_code == 201
    other = replayed.json()["id"]
    assert other != run_id
    assert (await house.run(other))["replayed_from"] == run_id
    assert (await house.run(other))["payload"] == {"n": 1}


async def test_state_that_does_not_allow_it_is_409(house: House) -> None:
    """Cancelling or resuming a completed run; an unknown run is 404."""
    worker = await house.worker()
    run_id = await house.start()
    await worker.send(Finish(run_id, (await worker.expect(Start)).token, "completed", encode_json(1)))
    await worker.expect(Finished)
    for action in ("cancel", "resume"):
        answer = await house.client.post(f"/api/v1/runs/{run_id}/{action}")
        assert answer.status_code == 409
        assert problem_of(answer)["hint"]
    for action in ("cancel", "resume", "replay"):
        answer = await house.client.post(f"/api/v1/runs/run_nope/{action}")
        assert (answer.status_code, problem_of(answer)["code"]) == (404, "run-not-found")


async def test_payload_over_the_limit_is_413(house: House) -> None:
    """The stated limit of a value, before compression; the body itself is under the body's limit."""
    worker = await house.worker()
    await worker.leave()
    await until(lambda: not house.hub.workers())
    body = b'{"payload": "' + b"x" * (64 * 1024 * 1024 + 10) + b'"}'
    answer = await house.client.post(
        "/api/v1/jobs/a/runs", content=body, headers={"Content-Type": "application/json"}, timeout=60
    )
    assert (answer.status_code, problem_of(answer)["code"]) == (413, "value-too-large")
