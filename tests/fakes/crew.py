"""Real worker processes for an executor that a test composes: started, killed, stopped, and replaced when they die."""

from __future__ import annotations

import asyncio
import contextlib
import os
import signal
import sys
import uuid
from pathlib import Path

from executor.sessions.hub import Hub
from tests.fakes.processes import environment, kill, marked


class Crew:
    """The workers of a project.

    Attributes:
        pids: process ids of the living workers, by their ids.
        deaths: how many have ended.
    """

    def __init__(
        self, project: Path, url: str, token: str, *, hub: Hub | None, replace: bool = True, **variables: str
    ) -> None:
        """Take the project, the server's address, and whom to tell of deaths, as a supervisor does; None: nobody."""
        self.pids: dict[str, int] = {}
        self.deaths = 0
        self._project = project
        self._url = url
        self._token = token
        self._hub = hub
        self._replace = replace
        self._variables = variables
        self._mark = uuid.uuid4().hex
        self._log = project.parent / f"{project.name}.workers.log"
        self._following: set[asyncio.Task[None]] = set()

    async def start(self, *, url: str = "") -> str:
        """Start a worker, which may reach the server by another way, and return its id."""
        worker_id = f"wrk_{uuid.uuid4().hex[:12]}"
        url = url or self._url
        with self._log.open("ab") as log:
            process = await asyncio.create_subprocess_exec(
                *(sys.executable, "-P", "-m", "trigger_sdk.worker"),
                cwd=self._project,
                env=environment(
                    self._mark,
                    PYTHONHASHSEED="0",
                    TRIGGER_API_URL=url,
                    TRIGGER_PROJECT_ROOT=str(self._project),
                    TRIGGER_WORKER_ID=worker_id,
                    TRIGGER_WORKER_TOKEN=self._token,
                    TRIGGER_WORKER_URL=f"{url.replace('http', 'ws', 1)}/api/v1/worker",
                    **self._variables,
                ),
                stdin=asyncio.subprocess.PIPE,
                stdout=log,
                stderr=log,
            )
        self.pids[worker_id] = process.pid
        task = asyncio.create_task(self._follow(worker_id, process, url))
        self._following.add(task)
        task.add_done_callback(self._following.discard)
        return worker_id

    async def _follow(self, worker_id: str, process: asyncio.subprocess.Process, url: str) -> None:
        await process.wait()
        del self.pids[worker_id]
        self.deaths += 1
        if self._hub is not None:
            self._hub.worker_died(worker_id)
        if self._replace:
            await self.start(url=url)

    def signal(self, worker_id: str, number: signal.Signals) -> None:
        """Send a signal; called on any thread. A worker that is gone is fine."""
        pid = self.pids.get(worker_id)
        if pid is not None:
            with contextlib.suppress(ProcessLookupError):
                os.kill(pid, number)

    def kill(self, worker_id: str) -> None:
        """SIGKILL a worker; called on any thread."""
        self.signal(worker_id, signal.SIGKILL)

    @property
    def output(self) -> str:
        """What the workers wrote past their sessions."""
        return self._log.read_text(errors="replace") if self._log.exists() else ""

    async def close(self) -> None:
        """End all of them."""
        self._replace = False
        self._hub = None
        kill(marked(self._mark))
        while self._following:
            await asyncio.wait(self._following)
