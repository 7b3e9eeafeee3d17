"""`trigger dev` for a project folder, as a test drives it: start, kill any part of it, start again; and its API."""

from __future__ import annotations

import signal
import socket
import subprocess
import sys
import uuid
from collections.abc import Callable, Collection
from pathlib import Path
from typing import Any

import httpx

from tests.fakes.processes import environment, kill, marked, until
from trigger_sdk.protocol.states import FINAL_STATES

Json = dict[str, Any]

READY_S = 30.0
"""Seconds within which the server answers and its worker has loaded the project."""


def free_port() -> int:
    """Return a port of the loopback interface that nobody listens on."""
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        return int(probe.getsockname()[1])


class DevProcess:
    """`trigger dev` as a child process, on a port of its own that it keeps over restarts.

    Attributes:
        project: the project's folder.
        url: where it listens.
        log: the file that holds everything it printed, all starts together.
    """

    def __init__(self, project: Path, *, arguments: Collection[str] = (), **variables: str) -> None:
        self.project = project
        self.port = free_port()
        self.url = f"http://127.0.0.1:{self.port}"
        self.log = project.parent / f"{project.name}.dev.log"
        self._arguments = list(arguments)
        self._mark = uuid.uuid4().hex
        self._variables = variables
        self._process: subprocess.Popen[bytes] | None = None
        self._http = httpx.Client(base_url=self.url, timeout=70, trust_env=False)

    # --- the processes ------------------------------------------------------------------------------------------

    def start(self, *, ready: bool = True) -> DevProcess:
        """Start it; with ``ready``, return when a worker has loaded the project's jobs."""
        command = [sys.executable, "-P", "-m", "trigger_cli", "dev", "--port", str(self.port), *self._arguments]
        with self.log.open("ab") as sink:
            self._process = subprocess.Popen(
                command,
                cwd=self.project,
                env=environment(self._mark, **self._variables),
                stdin=subprocess.DEVNULL,
                stdout=sink,
                stderr=subprocess.STDOUT,
                start_new_session=True,
            )
        if ready:
            self.wait_ready()
        return self

    def wait_ready(self) -> None:
        """Wait until the server answers and a living worker is there with jobs."""
        try:
            until(self._is_ready, "trigger dev with a worker", timeout=READY_S)
        except AssertionError as error:
            error.add_note(self.output)
            raise

    def _is_ready(self) -> bool:
        assert self._process is not None
        assert self._process.poll() is None, f"trigger dev ended with {self._process.poll()}:\n{self.output}"
        if not self.worker_pids():
            return False
        try:
            return bool(self.jobs())
        except httpx.TransportError:
            return False

    @property
    def output(self) -> str:
        """Everything printed so far."""
        return self.log.read_text(errors="replace") if self.log.exists() else ""

    @property
    def pid(self) -> int:
        """Process id of the server."""
        assert self._process is not None, "it was never started"
        return self._process.pid

    def worker_pids(self) -> list[int]:
        """Return the ids of the living workers, oldest first; those of a killed server included."""
        return marked(self._mark, command="trigger_sdk.worker")

    def check_pids(self) -> list[int]:
        """Return the ids of the processes that check the project at the moment."""
        return marked(self._mark, command="devserver.checking.program")

    def kill_worker(self) -> list[int]:
        """SIGKILL every worker and return which they were."""
        pids = self.worker_pids()
        assert pids, f"there is no worker to kill:\n{self.output}"
        kill(pids)
        return pids

    def kill(self) -> None:
        """SIGKILL the server alone; its worker lives on until it notices."""
        assert self._process is not None, "it was never started"
        self._process.kill()
        self._process.wait()

    def kill_all(self) -> None:
        """SIGKILL server and workers together."""
        kill(marked(self._mark))
        if self._process is not None:
            self._process.wait()
        until(lambda: not marked(self._mark), "every process is gone")

    def stop(self) -> int:
        """Interrupt it as Ctrl-C does and return its exit code."""
        assert self._process is not None, "it was never started"
        if self._process.poll() is None:
            self._process.send_signal(signal.SIGINT)
        return self._process.wait(20)

    def restart(self) -> DevProcess:
        """Stop it if it still lives, and start it again."""
        self.stop()
        return self.start()

    def close(self) -> None:
        """End everything, politely first."""
        try:
            if self._process is not None:
                self.stop()
        finally:
            self.kill_all()
            self._http.close()

    # --- its API ------------------------------------------------------------------------------------------------

    def request(self, method: str, path: str, body: object = None) -> httpx.Response:
        """Send a request to ``/api/v1`` + ``path`` and return the answer, whatever it is."""
        return self._http.request(method, f"/api/v1{path}", json=body)

    def _json(self, method: str, path: str, body: object = None) -> Json:
        response = self.request(method, path, body)
        assert response.is_success, f"{method} {path}: {response.status_code} {response.text}\n{self.output}"
        answer: Json = response.json()
        return answer

    def jobs(self) -> list[Json]:
        """Return the manifests of the jobs."""
        return list(self._json("GET", "/jobs")["jobs"])

    def trigger(self, job: str, payload: object = None, **options: object) -> str:
        """Start a run and return its id."""
        return str(self._json("POST", f"/jobs/{job}/runs", {"payload": payload, "options": options})["id"])

    def send_event(self, name: str, payload: object = None, event_id: str | None = None) -> int:
        """Send an event and return how many waits it ended."""
        return int(self._json("POST", "/events", {"name": name, "payload": payload, "id": event_id})["matched"])

    def run(self, run_id: str) -> Json:
        """Return a run."""
        return self._json("GET", f"/runs/{run_id}")

    def steps(self, run_id: str) -> list[Json]:
        """Return a run's steps."""
        return list(self._json("GET", f"/runs/{run_id}/steps")["steps"])

    def logs(self, run_id: str) -> list[Json]:
        """Return a run's lines of output."""
        return list(self._json("GET", f"/runs/{run_id}/logs")["logs"])

    def command(self, run_id: str, verb: str) -> Json:
        """Cancel, resume or replay a run."""
        return self._json("POST", f"/runs/{run_id}/{verb}", {})

    def wait(self, run_id: str, *, states: Collection[str] = FINAL_STATES, timeout: float = 60.0) -> Json:
        """Wait until a run is in one of ``states`` and return it."""
        return self.wait_for(
            run_id, lambda run: run["state"] in states, f"{run_id} in {sorted(states)}", timeout=timeout
        )

    def wait_for(self, run_id: str, holds: Callable[[Json], bool], what: str, *, timeout: float = 60.0) -> Json:
        """Wait until something holds of a run and return the run."""

        def look() -> Json | None:
            run = self.run(run_id)
            return run if holds(run) else None

        try:
            return until(look, what, timeout=timeout)
        except AssertionError as error:
            error.add_note(f"{self.run(run_id)}\n{self.steps(run_id)}\n{self.output}")
            raise

    def wait_for_step(self, run_id: str, name: str, *, states: Collection[str] = ("waiting", "running")) -> Json:
        """Wait until a run has a step of that name (or, for waits, kind) in one of ``states`` and return the step."""

        def look() -> Json | None:
            return next(
                (
                    step
                    for step in self.steps(run_id)
                    if name in (step["name"], step["kind"]) and step["state"] in states
                ),
                None,
            )

        try:
            return until(look, f"step {name} of {run_id} in {states}")
        except AssertionError as error:
            error.add_note(f"{self.run(run_id)}\n{self.steps(run_id)}\n{self.output}")
            raise
