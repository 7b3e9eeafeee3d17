"""What one environment holds is seen in no other, and a key works in its own."""

from __future__ import annotations

from collections.abc import AsyncIterator
from pathlib import Path

import pytest

from executor.access.environments import check_environment, slug_of
from executor.access.errors import EnvironmentInvalid
from executor.sessions.worker import WorkerView
from tests.fakes.house import until
from tests.fakes.keyed_house import KeyedHouse, keep_keyed_house


@pytest.fixture
async def keyed(tmp_path: Path) -> AsyncIterator[KeyedHouse]:
    """Return a running server."""
    async with keep_keyed_house(tmp_path) as house:
        yield house


async def test_runs_events_and_jobs_stay_in_their_environment(keyed: KeyedHouse) -> None:
    """The same job, idempotency key and event name in two environments are two things each."""
    prod, staging = await keyed.key("trigger", "prod"), await keyed.key("trigger", "staging")
    await keyed.worker(await keyed.key("worker", "prod"))
    assert [job["id"] for job in (await keyed.ask(prod, "GET", "/api/v1/jobs")).json()["jobs"]] == ["a"]
    assert (await keyed.ask(staging, "GET", "/api/v1/jobs")).json() == {"jobs": []}
    refused = await keyed.ask(staging, "POST", "/api/v1/jobs/a/runs", {"payload": 1})
    assert refused.json()["error"]["code"] == "unknown-job"

    await keyed.worker(await keyed.key("worker", "staging"), id="w-staging")
    body = {"payload": 1, "options": {"idempotency_key": "k"}}
    ids = []
    for key in (prod, staging):
        made = (await keyed.ask(key, "POST", "/api/v1/jobs/a/runs", body)).json()
        assert made["existing"] is False
        ids.append(made["id"])
    for key, own, other in ((prod, *ids), (staging, *reversed(ids))):
        listed = (await keyed.ask(key, "GET", "/api/v1/runs")).json()["runs"]
        assert [run["id"] for run in listed] == [own]
        for path in ("", "/steps", "/logs"):
            assert (await keyed.ask(key, "GET", f"/api/v1/runs/{other}{path}")).status_code == 404
        for action in ("cancel", "resume", "replay"):
            assert (await keyed.ask(key, "POST", f"/api/v1/runs/{other}/{action}")).status_code == 404
    sent = [
        (await keyed.ask(key, "POST", "/api/v1/events", {"name": "n", "id": "e"})).json() for key in (prod, staging)
    ]
    assert [one["existing"] for one in sent] == [False, False]


async def test_a_worker_gets_the_runs_of_its_environment_only(keyed: KeyedHouse) -> None:
    """A run of another environment stays in its queue, though a worker with the job and room is connected."""
    worker = await keyed.worker(await keyed.key("worker", "prod"))
    await keyed.worker(await keyed.key("worker", "staging"), id="w-staging", capacity=1)
    staging = await keyed.key("trigger", "staging")
    for _ in range(2):
        await keyed.ask(staging, "POST", "/api/v1/jobs/a/runs", {"payload": 1})
    states = [run["state"] for run in (await keyed.ask(staging, "GET", "/api/v1/runs")).json()["runs"]]
    assert sorted(states) == ["queued", "running"]
    served = await keyed.server.environments.find("prod")
    views: list[WorkerView] = served.hub.workers()
    assert [(view.id, view.held) for view in views] == [(worker.id, 0)]


async def test_revoking_a_worker_token_closes_its_connection(keyed: KeyedHouse) -> None:
    """At once, and for good: what it holds is given to others when its lease is over."""
    key, other = await keyed.key("worker"), await keyed.key("worker")
    await keyed.worker(key)
    await keyed.worker(other, id="w2")
    served = await keyed.server.environments.find("prod")
    assert served.hub.connected() == 2
    await keyed.revoke(key)
    await until(lambda: served.hub.connected() == 1)
    assert [view.id for view in served.hub.workers() if view.connected] == ["w2"]


async def test_previews_are_made_and_archived(keyed: KeyedHouse) -> None:
    """A preview is an environment of its own; archived, it is refused and its worker sent away; it can come back."""
    name = "preview/feat/Login-2"
    made = await keyed.ask(keyed.admin, "POST", "/api/v1/environments", {"name": name})
    assert (made.status_code, made.json()["name"]) == (201, name)
    again = await keyed.ask(keyed.admin, "POST", "/api/v1/environments", {"name": name})
    assert again.json()["created_at"] == made.json()["created_at"]
    trigger = await keyed.key("trigger", name)
    assert trigger.startswith("tr_preview_")
    await keyed.worker(await keyed.key("worker", name))
    run = (await keyed.ask(trigger, "POST", "/api/v1/jobs/a/runs", {})).json()["id"]
    served = await keyed.server.environments.find(name)
    gone = await keyed.ask(keyed.admin, "POST", f"/api/v1/environments/{name}/archive")
    assert gone.json()["archived_at"]
    assert served.hub.connected() == 0
    refused = await keyed.ask(trigger, "GET", f"/api/v1/runs/{run}")
    assert refused.json()["error"]["code"] == "environment-not-found"
    listed = (await keyed.ask(keyed.admin, "GET", "/api/v1/environments")).json()["environments"]
    assert {one["name"] for one in listed} == {"dev", "staging", "prod"}
    await keyed.ask(keyed.admin, "POST", "/api/v1/environments", {"name": name})
    assert (await keyed.ask(trigger, "GET", f"/api/v1/runs/{run}")).status_code == 200


async def test_an_admin_of_one_environment_manages_that_one(keyed: KeyedHouse) -> None:
    """It neither makes, lists nor revokes keys of others, nor changes environments; the audit log shows its own."""
    admin = await keyed.key("admin", "staging")
    other = await keyed.key("read", "prod")
    made = await keyed.ask(admin, "POST", "/api/v1/keys", {"purpose": "read"})
    assert made.json()["about"]["environment"] == "staging"
    for body in ({"purpose": "read", "environment": "prod"}, {"purpose": "admin", "environment": "dev"}):
        refused = await keyed.ask(admin, "POST", "/api/v1/keys", body)
        assert refused.json()["error"]["code"] == "environment-refused"
    listed = (await keyed.ask(admin, "GET", "/api/v1/keys")).json()["keys"]
    assert {key["environment"] for key in listed} == {"staging"}
    for id in (other, keyed.admin):
        hidden = await keyed.ask(admin, "POST", f"/api/v1/keys/{id}/revoke")
        assert hidden.json()["error"]["code"] == "key-not-found"
    for path, json in (("/api/v1/environments", {"name": "preview/x"}), ("/api/v1/environments/preview/x/archive", {})):
        assert (await keyed.ask(admin, "POST", path, json)).json()["error"]["code"] == "environment-refused"
    acts = (await keyed.ask(admin, "GET", "/api/v1/audit")).json()["acts"]
    assert {act["environment"] for act in acts} == {"staging"}


async def test_fixed_environments_stay(keyed: KeyedHouse) -> None:
    """409 for archiving prod."""
    kept = await keyed.ask(keyed.admin, "POST", "/api/v1/environments/prod/archive")
    assert (kept.status_code, kept.json()["error"]["code"]) == (409, "environment-kept")


@pytest.mark.parametrize(
    "name",
    ["", "Prod", "production", "preview", "preview/", "preview//a", "preview/../a", "preview/a/", "preview/-a",
     "preview/a b", "preview/ä", "preview/" + "a" * 130, "preview/.git"],
)  # fmt: skip
def test_names_that_are_none_are_refused(name: str) -> None:
    """Nothing that could be a path, an option or another environment."""
    with pytest.raises(EnvironmentInvalid):
        check_environment(name)


def test_slugs_differ_where_names_do() -> None:
    """Branches that differ in case or punctuation only have files of their own, with names that any disk takes."""
    names = ["preview/a-b", "preview/a_b", "preview/a/b", "preview/A-b", "preview/" + "x" * 100, "prod", "preview/prod"]
    slugs = [slug_of(check_environment(name)) for name in names]
    assert len(set(slugs)) == len(names)
    assert all(len(slug) < 50 and slug.replace("_", "").isalnum() for slug in slugs)
