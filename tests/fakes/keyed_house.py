"""A whole server with keys and environments: real stores on SQLite, a real socket, and clients with their own keys."""

from __future__ import annotations

import os
import re
import signal
import subprocess
import sys
import uuid
from collections.abc import AsyncIterator
from contextlib import AsyncExitStack, asynccontextmanager
from pathlib import Path
from typing import Any

import httpx

from executor.server import serve
from executor.serving.databases import Databases, SqliteDatabases
from executor.serving.options import ServerOptions
from executor.serving.run import Opened, opened
from tests.fakes.processes import environment, kill, marked, until
from tests.fakes.worker_double import WorkerDouble


class KeyedHouse:
    """What a test can reach.

    Attributes:
        url: of the server.
        server: what is behind it.
        admin: the first admin key.
        client: talks to the server; shows no key by itself.
    """

    def __init__(self, url: str, server: Opened, client: httpx.AsyncClient, admin: str, stack: AsyncExitStack) -> None:
        self.url = url
        self.server = server
        self.client = client
        self.admin = admin
        self._stack = stack

    async def ask(
        self, key: str, method: str, path: str, json: object = None, *, environment: str = ""
    ) -> httpx.Response:
        """Send a request with a key; without one when it is empty."""
        headers = {"Authorization": f"Bearer {key}"} if key else {}
        if environment:
            headers["Trigger-Environment"] = environment
        return await self.client.request(method, path, json=json, headers=headers)

    async def key(self, purpose: str, environment: str | None = "prod") -> str:
        """Make a key."""
        body = {"purpose": purpose, "environment": environment}
        answer = await self.ask(self.admin, "POST", "/api/v1/keys", body)
        assert answer.status_code == 201, answer.text
        return str(answer.json()["key"])

    async def revoke(self, key: str) -> None:
        """Revoke a key."""
        answer = await self.ask(self.admin, "POST", f"/api/v1/keys/{key}/revoke")
        assert answer.status_code == 200, answer.text

    async def worker(self, key: str, *, joined: bool = True, **fields: Any) -> WorkerDouble:
        """Return a worker that came with a key."""
        double = await self._stack.enter_async_context(WorkerDouble(self.url, key, **fields))
        if joined:
            await double.join()
        return double


@asynccontextmanager
async def keep_keyed_house(
    folder: Path, *, databases: Databases | None = None, admin: str = "", **options: Any
) -> AsyncIterator[KeyedHouse]:
    """Run a server while the block runs; ``admin``: its key, where this is not its first start."""
    known = databases or SqliteDatabases(folder / "server.db")
    async with AsyncExitStack() as stack:
        server = await stack.enter_async_context(opened(ServerOptions(data=folder, **options), known))
        await server.environments.start()
        serving = await stack.enter_async_context(serve(server.app, grace_s=0.2))
        client = await stack.enter_async_context(httpx.AsyncClient(base_url=serving.url, timeout=20.0))
        yield KeyedHouse(serving.url, server, client, server.first_key or admin, stack)


class ServerProcess:
    """`trigger server` as a child process, on any free port.

    Attributes:
        folder: its data folder.
        url: where it listens, of the latest start.
        admin: its first admin key.
        out: the file with what it printed, all starts together.
        log: the same of its log.
    """

    def __init__(self, folder: Path, *arguments: str) -> None:
        self.folder = folder
        self.url = ""
        self.admin = ""
        self.out = folder.with_name(f"{folder.name}.out")
        self.log = folder.with_name(f"{folder.name}.log")
        self._arguments = arguments
        self._mark = uuid.uuid4().hex
        self.process: subprocess.Popen[bytes] | None = None

    def start(self, *, ready: bool = True) -> ServerProcess:
        """Start it; with ``ready``, return when it listens."""
        before = self.out.stat().st_size if self.out.exists() else 0
        command = [sys.executable, "-P", "-m", "trigger_cli", "server", "--data", str(self.folder),
                   "--listen", "127.0.0.1:0", *self._arguments]  # fmt: skip
        with self.out.open("ab") as out, self.log.open("ab") as log:
            self.process = subprocess.Popen(
                command, env=environment(self._mark), stdin=subprocess.DEVNULL, stdout=out, stderr=log
            )
        if ready:
            self.url = until(lambda: self._printed(before), "the server listens")
        return self

    def _printed(self, before: int) -> str:
        text = self.out.read_bytes()[before:].decode()
        assert self.process is not None
        assert self.process.poll() is None, self.log.read_text()
        key = re.search(r"once: (tr_\w+)\n", text)
        self.admin = key[1] if key else self.admin
        found = re.search(r"listening at (\S+)\n", text)
        return found[1] if found else ""

    def ask(self, method: str, path: str, json: object = None, *, key: str = "", environment: str = "prod") -> Any:
        """Send a request with the admin key, or another; return the answer's JSON."""
        headers = {"Authorization": f"Bearer {key or self.admin}"}
        if not key:
            headers["Trigger-Environment"] = environment
        answer = httpx.request(method, self.url + path, json=json, headers=headers, timeout=30, trust_env=False)
        assert answer.status_code < 300, answer.text
        return answer.json()

    def signal(self, number: signal.Signals) -> None:
        """Send a signal."""
        assert self.process is not None
        os.kill(self.process.pid, number)

    def wait(self) -> int:
        """Return the exit code, once it ended."""
        assert self.process is not None
        return self.process.wait(30)

    def close(self) -> None:
        """End it, whatever it does."""
        kill(marked(self._mark))
        if self.process is not None:
            self.process.wait(30)
