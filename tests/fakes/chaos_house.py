"""An executor composed by the test (engine on SQLite, API, sessions), with real worker processes of a real project."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import httpx

from engine.engine import Engine
from engine.model import Settings as EngineSettings
from executor.app import create_app
from executor.server import serve
from executor.sessions.hub import Hub
from executor.settings import Settings
from tests.fakes.crew import Crew
from tests.fakes.effects import Effects
from tests.fakes.kill_switch import KillSwitch
from tests.fakes.records import Records
from tests.fakes.watching import RecordingWatcher
from trigger_sdk.protocol.states import FINAL_STATES

TOKEN = "chaos"
Json = dict[str, Any]


@dataclass(frozen=True, kw_only=True)
class ChaosHouse:
    """What a test can reach.

    Attributes:
        url: of the server.
        engine: keeps the runs.
        hub: the workers' sessions.
        watcher: remembers what was told.
        switch: rings at positions of journals.
        crew: the workers.
        effects: what they did.
        records: the database.
        client: talks to the server.
    """

    url: str
    engine: Engine
    hub: Hub
    watcher: RecordingWatcher
    switch: KillSwitch
    crew: Crew
    effects: Effects
    records: Records
    client: httpx.AsyncClient

    async def start(self, job: str, payload: object = None, **options: Any) -> str:
        """Start a run; return its id."""
        answer = await self.client.post(f"/api/v1/jobs/{job}/runs", json={"payload": payload, "options": options})
        assert answer.status_code == 201, answer.text
        return str(answer.json()["id"])

    async def send_event(self, name: str, payload: object) -> None:
        """Send an event."""
        answer = await self.client.post("/api/v1/events", json={"name": name, "payload": payload})
        assert answer.is_success, answer.text

    async def run(self, run_id: str) -> Json:
        """Return a run."""
        shown: Json = (await self.client.get(f"/api/v1/runs/{run_id}")).json()
        return shown

    async def ended(self, run_id: str, *, patience: float = 60.0) -> Json:
        """Return a run when it is final; fail when it is not in time."""
        run = (await self.client.get(f"/api/v1/runs/{run_id}", params={"wait": patience})).json()
        if run["state"] not in FINAL_STATES:
            steps = (await self.client.get(f"/api/v1/runs/{run_id}/steps")).json()["steps"]
            raise AssertionError(f"not within {patience:g} s: {run}\n{steps}\n{self.crew.output}")
        return dict(run)

    async def joined(self, count: int = 1) -> None:
        """Wait until as many workers are connected."""
        async with asyncio.timeout(30):
            while self.hub.connected() < count:
                await asyncio.sleep(0.01)


@asynccontextmanager
async def keep_chaos_house(
    project: Path,
    effects: Effects,
    *,
    replace: bool = True,
    supervised: bool = True,
    lease_ttl_s: float = 15.0,
    heartbeat_s: float = 3.0,
) -> AsyncIterator[ChaosHouse]:
    """Run an executor for a project while the block runs; workers are started by the test.

    ``supervised``: the server learns of a worker's death at once, as from the dev server's supervisor.
    """  # fmt: skip
    watcher = RecordingWatcher()
    settings = Settings(token=TOKEN, lease_ttl_s=lease_ttl_s, heartbeat_s=heartbeat_s)
    hub = Hub(settings, watcher)
    path = project.parent / f"{project.name}.db"
    switch = KillSwitch(path)
    engine = await Engine.open(switch, listener=hub, settings=EngineSettings(lease_ttl_s=lease_ttl_s))
    try:
        async with (
            serve(create_app(settings, engine, hub), grace_s=0.2) as serving,
            httpx.AsyncClient(base_url=serving.url, timeout=90.0, trust_env=False) as client,
        ):
            crew = Crew(
                project, serving.url, TOKEN, hub=hub if supervised else None, replace=replace, EFFECTS_URL=effects.url
            )
            try:
                yield ChaosHouse(
                    url=serving.url, engine=engine, hub=hub, watcher=watcher, switch=switch, crew=crew,
                    effects=effects, records=Records(path), client=client,
                )  # fmt: skip
            finally:
                await crew.close()
    finally:
        hub.close()
        await engine.close()
