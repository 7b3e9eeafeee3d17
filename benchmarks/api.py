"""A client of the HTTP API that costs as little as it can: one connection that stays open. One thread at a time."""

from __future__ import annotations

import http.client
import json
import socket
import time
from typing import Any, Final
from urllib.parse import urlsplit

from benchmarks.figures import BenchmarkFailed

LOOK_S: Final = 0.01
"""Seconds between two looks at something that is to happen."""

_TIMEOUT_S: Final = 90
_LONGEST_POLL_S: Final = 60

_KEPT_ALIVE_S: Final = 2.0
"""An idle connection is given up after this: the server hangs up after five seconds."""


class Api:
    """Talks to one dev server."""

    def __init__(self, url: str) -> None:
        parts = urlsplit(url)
        self._connection = http.client.HTTPConnection(parts.hostname or "", parts.port, timeout=_TIMEOUT_S)
        self._used_at = 0.0

    def close(self) -> None:
        """Hang up."""
        self._connection.close()

    def call(self, method: str, path: str, body: object = None) -> Any:
        """Return the answer to a request below ``/api/v1``. Raises BenchmarkFailed when it is a refusal."""
        data = None if body is None else json.dumps(body).encode()
        connection = self._connection
        if time.monotonic() - self._used_at > _KEPT_ALIVE_S:
            connection.close()
            connection.connect()
            # Headers and body are two writes: without this the second waits for an acknowledgement of the first.
            connection.sock.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
        connection.request(method, f"/api/v1{path}", body=data, headers={"Content-Type": "application/json"})
        response = connection.getresponse()
        answer = response.read()
        self._used_at = time.monotonic()
        if response.status >= http.client.BAD_REQUEST:
            raise BenchmarkFailed(f"{method} {path}: {response.status} {answer.decode(errors='replace')}")
        return json.loads(answer)

    def start(self, job: str, payload: object) -> str:
        """Start a run with a request of its own; return its id."""
        return str(self.call("POST", f"/jobs/{job}/runs", {"payload": payload})["id"])

    def start_many(self, job: str, payloads: list[Any], batch: int) -> list[str]:
        """Start runs with as many requests to the batch endpoint as it takes; return their ids."""
        ids: list[str] = []
        for begin in range(0, len(payloads), batch):
            runs = [{"job": job, "payload": payload} for payload in payloads[begin : begin + batch]]
            ids += [run["id"] for run in self.call("POST", "/runs/batch", {"runs": runs})["runs"]]
        return ids

    def send_event(self, name: str, payload: object) -> int:
        """Send an event; return how many waits it ended."""
        return int(self.call("POST", "/events", {"name": name, "payload": payload})["matched"])

    def steps(self, run_id: str) -> list[dict[str, Any]]:
        """Return the steps of a run."""
        return list(self.call("GET", f"/runs/{run_id}/steps")["steps"])

    def output(self, run_id: str) -> Any:
        """Wait until a run is completed and return its output."""
        run = self.call("GET", f"/runs/{run_id}?wait={_LONGEST_POLL_S}")
        if run["state"] != "completed":
            raise BenchmarkFailed(f"run {run_id} is {run['state']}: {run['error']}")
        return run["output"]

    def any_run(self, job: str, *states: str) -> bool:
        """Return whether there is a run of a job in one of the states."""
        return any(self.call("GET", f"/runs?job={job}&state={state}&limit=1")["runs"] for state in states)

    def wait_until_none(self, job: str, *states: str, timeout: float = 120.0) -> None:
        """Return when no run of a job is in one of the states. Raises BenchmarkFailed when one failed meanwhile."""
        deadline = time.monotonic() + timeout
        while self.any_run(job, *states):
            if time.monotonic() > deadline:
                raise BenchmarkFailed(f"runs of {job} are still {' or '.join(states)} after {timeout:g} s")
            time.sleep(LOOK_S)
        if self.any_run(job, "failed", "crashed", "canceled"):
            raise BenchmarkFailed(f"runs of {job} failed")
