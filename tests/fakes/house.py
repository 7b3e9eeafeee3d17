"""A whole executor under test: real engine, real SQLite, real server on a free port, and workers made by the test."""

from __future__ import annotations

import asyncio
import json
from collections.abc import AsyncIterator, Callable
from contextlib import AsyncExitStack, asynccontextmanager
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import httpx

from engine.engine import Engine
from engine.model import Settings as EngineSettings
from engine.store.sqlite import SqliteStore
from executor.app import create_app
from executor.server import serve
from executor.sessions.hub import Hub
from executor.settings import Settings
from tests.fakes.watching import RecordingWatcher
from tests.fakes.worker_double import WorkerDouble

TOKEN = "tok-1"


@dataclass
class House:
    """What a test can reach.

    Attributes:
        url: of the server.
        engine: real, on SQLite.
        hub: the workers' sessions.
        watcher: remembers what happened.
        client: talks to the server.
    """

    url: str
    engine: Engine
    hub: Hub
    watcher: RecordingWatcher
    client: httpx.AsyncClient
    _stack: AsyncExitStack = field(default_factory=AsyncExitStack)

    async def worker(self, *, joined: bool = True, **fields: Any) -> WorkerDouble:
        """Return a worker that has joined."""
        double = await self._stack.enter_async_context(WorkerDouble(self.url, TOKEN, **fields))
        if joined:
            await double.join()
        return double

    async def start(self, job: str = "a", payload: object = None, **options: Any) -> str:
        """Start a run; return its id."""
        answer = await self.client.post(f"/api/v1/jobs/{job}/runs", json={"payload": payload, "options": options})
        assert answer.status_code == 201, answer.text
        return str(answer.json()["id"])

    async def run(self, run_id: str) -> dict[str, Any]:
        """Return a run as the API shows it."""
        answer = await self.client.get(f"/api/v1/runs/{run_id}")
        assert answer.status_code == 200, answer.text
        shown: dict[str, Any] = answer.json()
        return shown


@asynccontextmanager
async def keep_house(folder: Path, settings: Settings, engine_settings: EngineSettings) -> AsyncIterator[House]:
    """Run an executor while the block runs."""
    watcher = RecordingWatcher()
    hub = Hub(settings, watcher)
    engine = await Engine.open(SqliteStore(folder / "dev.db"), listener=hub, settings=engine_settings)
    app = create_app(settings, engine, hub)
    try:
        async with (
            serve(app, grace_s=0.2) as serving,
            httpx.AsyncClient(base_url=serving.url, timeout=20.0) as client,
            AsyncExitStack() as stack,
        ):
            yield House(serving.url, engine, hub, watcher, client, stack)
    finally:
        hub.close()
        await engine.close()


async def until(condition: Callable[[], object], patience: float = 10.0) -> None:
    """Wait until a condition holds; fail when it does not in time."""
    async with asyncio.timeout(patience):
        while not condition():
            await asyncio.sleep(0.005)


async def raw_request(url: str, request: bytes) -> tuple[int, dict[str, str], bytes]:
    """Send bytes to a server as they are; return status, headers and body of the answer."""
    host, _, port = url.removeprefix("http://").rpartition(":")
    reader, writer = await asyncio.open_connection(host.strip("[]"), int(port))
    try:
        writer.write(request)
        await writer.drain()
        async with asyncio.timeout(10):
            head = await reader.readuntil(b"\r\n\r\n")
            status, *lines = head.decode("latin-1").split("\r\n")
            headers = {
                name.lower(): value.strip() for name, _, value in (line.partition(":") for line in lines if line)
            }
            length = 0 if request.startswith(b"HEAD") else int(headers.get("content-length", "0"))
            body = await reader.readexactly(length)
    finally:
        writer.close()
    return int(status.split()[1]), headers, body


def problem_of(answer: httpx.Response | bytes) -> dict[str, Any]:
    """Return the problem in an answer."""
    data = json.loads(answer if isinstance(answer, bytes) else answer.content)
    assert set(data) == {"error"}
    error: dict[str, Any] = data["error"]
    assert error["code"]
    assert error["message"]
    return error
