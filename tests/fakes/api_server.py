"""The HTTP API in memory, for the command line's tests: real HTTP on loopback, runs that the test makes up."""

from __future__ import annotations

import json
import threading
from dataclasses import dataclass, field
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from typing import Any, Self
from urllib.parse import parse_qs, unquote, urlsplit

FINAL = {"completed", "failed", "canceled", "expired", "timed_out", "crashed"}

Json = dict[str, Any]


@dataclass
class ApiState:
    """What the server knows, and what it was asked.

    Attributes:
        runs: run by id, oldest first.
        steps: steps by run id.
        logs: lines of output by run id.
        jobs: manifests; starting a run of another job is refused.
        script: states that a run takes, one per look at it, until one is left.
        refusals: answers by "METHOD path": (status, problem).
        requests: (method, path with query, body) in order.
    """

    runs: dict[str, Json] = field(default_factory=dict)
    steps: dict[str, list[Json]] = field(default_factory=dict)
    logs: dict[str, list[Json]] = field(default_factory=dict)
    jobs: list[Json] = field(default_factory=list)
    script: dict[str, list[Json]] = field(default_factory=dict)
    refusals: dict[str, tuple[int, Json]] = field(default_factory=dict)
    requests: list[tuple[str, str, Any]] = field(default_factory=list)

    def answer(self, method: str, target: str, body: Any) -> tuple[int, Json]:
        """Return status and body for a request."""
        self.requests.append((method, target, body))
        parts = urlsplit(target)
        if f"{method} {parts.path}" in self.refusals:
            status, problem = self.refusals[f"{method} {parts.path}"]
            return status, {"error": problem}
        query = {key: values[0] for key, values in parse_qs(parts.query).items()}
        path = [unquote(part) for part in parts.path.split("/")[1:]]
        if path[:3] == ["api", "v1", "runs"] and len(path) > 3:
            return self._of_run(method, path[3], path[4:]) if path[3] in self.runs else _missing("There is no such run")
        return self._general(method, path, query, body)

    def _general(self, method: str, path: list[str], query: dict[str, str], body: Any) -> tuple[int, Json]:
        match method, path:
            case "GET", ["api", "v1", "jobs"]:
                return 200, {"jobs": self.jobs}
            case "POST", ["api", "v1", "jobs", job, "runs"]:
                return self._start(job, body)
            case "POST", ["api", "v1", "events"]:
                return 201, {"id": body.get("id") or "evt_1", "matched": 2}
            case "GET", ["api", "v1", "runs"]:
                return 200, self._page(query)
        return _missing("no such path")

    def _start(self, job: str, body: Json) -> tuple[int, Json]:
        if job not in {manifest["id"] for manifest in self.jobs}:
            return 404, {"error": {"code": "unknown-job", "message": f"There is no job {job!r}", "hint": "try another"}}
        run_id = f"run_{len(self.runs) + 1:026d}"
        self.runs[run_id] = make_run(run_id, job=job, payload=body["payload"])
        self.script.setdefault(run_id, self.script.pop("next", []))
        return 201, {"id": run_id, "existing": False}

    def _page(self, query: dict[str, str]) -> Json:
        wanted = [
            run
            for run in reversed(self.runs.values())
            if query.get("job") in (None, run["job"]) and query.get("state") in (None, run["state"])
        ]
        first = int(query.get("cursor", "0"))
        last = first + min(int(query.get("limit", "50")), 200)
        return {"runs": wanted[first:last], "next": str(last) if last < len(wanted) else None}

    def _of_run(self, method: str, run_id: str, rest: list[str]) -> tuple[int, Json]:
        run = self.runs[run_id]
        if method == "POST":
            return self._act(run, rest[0])
        match rest:
            case []:
                if self.script.get(run_id):
                    run.update(self.script[run_id].pop(0))
                return 200, run
            case ["steps"]:
                return 200, {"steps": self.steps.get(run_id, [])}
            case ["logs"]:
                return 200, {"logs": self.logs.get(run_id, [])}
        return _missing("no such path")

    def _act(self, run: Json, action: str) -> tuple[int, Json]:
        if action == "replay":
            return 201, {"id": run["id"] + "r"}
        if action == "cancel" and run["state"] in FINAL:
            return 409, {"error": {"code": "run-final", "message": f"{run['id']} is {run['state']} already"}}
        run["state"] = "canceled" if action == "cancel" else "queued"
        return 200, run


def _missing(message: str) -> tuple[int, Json]:
    return 404, {"error": {"code": "run-not-found", "message": message}}


def make_run(run_id: str, **fields: Any) -> Json:
    """Return a run as the API tells it; ``fields`` replace the usual ones."""
    return {
        "id": run_id,
        "job": "hello",
        "state": "queued",
        "payload": None,
        "output": None,
        "error": None,
        "created_at": "2026-11-24T11:02:03.120000Z",
        "started_at": None,
        "finished_at": None,
        "attempt": 0,
        "tags": [],
        "metadata": {},
        "parent": None,
        "version": None,
    } | fields


class FakeApi:
    """The server. Use as a context manager; ``url`` is where it listens, ``state`` what it answers from."""

    def __init__(self) -> None:
        self.state = ApiState()
        state = self.state

        class Handler(BaseHTTPRequestHandler):
            """One connection."""

            protocol_version = "HTTP/1.1"

            def do_GET(self) -> None:
                """Answer a GET."""
                self._reply()

            def do_POST(self) -> None:
                """Answer a POST."""
                self._reply()

            def _reply(self) -> None:
                length = int(self.headers.get("Content-Length") or 0)
                body = json.loads(self.rfile.read(length)) if length else None
                status, answer = state.answer(self.command, self.path, body)
                data = json.dumps(answer).encode()
                self.send_response(status)
                self.send_header("Content-Type", "application/json")
                self.send_header("Content-Length", str(len(data)))
                self.end_headers()
                self.wfile.write(data)

            def log_message(self, format: str, *args: Any) -> None:
                """Say nothing."""

        self._server = ThreadingHTTPServer(("127.0.0.1", 0), Handler)
        self._server.daemon_threads = True
        self._thread = threading.Thread(target=self._server.serve_forever, kwargs={"poll_interval": 0.01}, daemon=True)

    @property
    def url(self) -> str:
        """Return the address."""
        return f"http://127.0.0.1:{self._server.server_address[1]}"

    def __enter__(self) -> Self:
        self._thread.start()
        return self

    def __exit__(self, *exc: object) -> None:
        self._server.shutdown()
        self._server.server_close()
        self._thread.join()
