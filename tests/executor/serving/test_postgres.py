"""Two servers on one PostgreSQL database: one set of keys and environments, a schema for each environment."""

from __future__ import annotations

import asyncio
from pathlib import Path

import pytest

from executor.serving.databases import PostgresDatabases, without_password
from tests.fakes.keyed_house import KeyedHouse, keep_keyed_house
from tests.fakes.postgres_server import PostgresServer
from trigger_sdk.protocol.messages import Start

PATIENCE_S = 20.0


async def refused(house: KeyedHouse, key: str) -> None:
    """Wait until a key is refused."""
    async with asyncio.timeout(PATIENCE_S):
        while (await house.ask(key, "GET", "/api/v1/runs")).status_code != 401:
            await asyncio.sleep(0.1)


async def test_two_servers_share_keys_and_environments(postgres_server: PostgresServer, tmp_path: Path) -> None:
    """A key of one is good at the other; a run started at one is worked on at the other; a revocation reaches both."""
    url = postgres_server.create_database(empty=True)
    async with (
        keep_keyed_house(tmp_path, databases=PostgresDatabases(url, "e1")) as one,
        keep_keyed_house(tmp_path, databases=PostgresDatabases(url, "e2"), admin=one.admin) as two,
    ):
        assert one.admin
        assert two.server.first_key is None
        key, token = await one.key("trigger"), await one.key("worker")
        worker = await two.worker(token)
        await one.ask(await one.key("read", "staging"), "GET", "/api/v1/runs")
        schemas = postgres_server.execute("SELECT nspname FROM pg_namespace", url.rpartition("/")[2])
        assert {("trigger_access",), ("trigger_prod",), ("trigger_staging",)} <= set(schemas)
        async with asyncio.timeout(PATIENCE_S):
            while not (await one.ask(key, "GET", "/api/v1/jobs")).json()["jobs"]:
                await asyncio.sleep(0.1)
        run = (await one.ask(key, "POST", "/api/v1/jobs/a/runs", {"payload": 1})).json()["id"]
        await worker.finish(await worker.expect(Start))
        assert (await one.ask(key, "GET", f"/api/v1/runs/{run}?wait=15")).json()["state"] == "completed"
        assert (await two.ask(key, "GET", f"/api/v1/runs/{run}")).status_code == 200
        served = await two.server.environments.find("prod")
        await one.revoke(key)
        await one.revoke(token)
        await refused(two, key)
        async with asyncio.timeout(PATIENCE_S):
            while served.hub.connected():
                await asyncio.sleep(0.1)


async def test_the_database_may_come_back(postgres_server: PostgresServer, tmp_path: Path) -> None:
    """Connections that were cut are opened anew: keys are found again without a restart."""
    url = postgres_server.create_database(empty=True)
    name = url.rpartition("/")[2]
    async with keep_keyed_house(tmp_path, databases=PostgresDatabases(url, "e1")) as house:
        cut = f"SELECT pg_terminate_backend(pid) FROM pg_stat_activity WHERE datname = '{name}'"
        await asyncio.to_thread(postgres_server.execute, cut)
        assert (await house.ask(house.admin, "GET", "/api/v1/keys")).status_code == 200


@pytest.mark.parametrize(
    ("url", "shown"),
    [("postgresql://u:geheim@h:5/d", "postgresql://u:***@h:5/d"), ("postgresql://h/d", "postgresql://h/d")],
)
def test_passwords_are_not_shown(url: str, shown: str) -> None:
    """The address of a database for people."""
    assert without_password(url) == shown
    assert PostgresDatabases(url, "x").shown == shown
