"""A small client of the HTTP API, standard library only.

In sync code a call returns its result; where an asyncio loop runs it returns an awaitable and works in a thread.
"""

from __future__ import annotations

import http.client
import json
import time
from collections.abc import Callable
from dataclasses import replace
from http import HTTPStatus
from typing import Any, TypeVar
from urllib.parse import quote, urlsplit

import msgspec

from trigger_sdk._client.address import api_url
from trigger_sdk._codec import payload_to_plain
from trigger_sdk._declare.loops import in_running_loop
from trigger_sdk._declare.runs import RunHandle
from trigger_sdk.errors import ProblemError, RunFailed
from trigger_sdk.protocol.entries import RunOptions
from trigger_sdk.protocol.problem import Problem
from trigger_sdk.protocol.states import FINAL_STATES

T = TypeVar("T")

TIMEOUT_S = 30.0
"""Seconds without a byte from the server after which a call fails."""

LONGEST_POLL_S = 20.0


class Client:
    """Talks to one server.

    Args:
        url: the server's address, ``http://127.0.0.1:8734``.
        timeout: seconds without a byte from the server after which a call fails.
    """

    def __init__(self, url: str, *, timeout: float = TIMEOUT_S) -> None:
        self.url = url.rstrip("/")
        self._timeout = timeout

    @classmethod
    def default(cls) -> Client:
        """Return a client of the server that :func:`api_url` finds."""
        return cls(api_url())

    def trigger(self, job: str, payload: object, options: RunOptions) -> Any:
        """Start a run. Raises ProblemError with the server's problem, also when the payload does not fit."""
        body = {"payload": _plain(payload, job), "options": _options(options)}

        def call() -> RunHandle:
            answer = self._post(f"/api/v1/jobs/{quote(job, safe='')}/runs", body)
            return RunHandle(answer["id"], existing=bool(answer.get("existing")), client=self)

        return _dual(call)

    def batch_trigger(self, job: str, payloads: list[object], options: RunOptions) -> Any:
        """Start a run for each payload, all or none."""
        shared = _options(options)
        body = {"runs": [{"job": job, "payload": _plain(payload, job), "options": shared} for payload in payloads]}

        def call() -> list[RunHandle]:
            answer = self._post("/api/v1/runs/batch", body)
            return [RunHandle(run["id"], existing=bool(run.get("existing")), client=self) for run in answer["runs"]]

        return _dual(call)

    def send_event(self, name: str, payload: object = None, *, id: str | None = None) -> Any:
        """Send an event; returns its id."""
        body = {"name": name, "payload": payload_to_plain(payload, f"the payload of event {name}"), "id": id}
        return _dual(lambda: str(self._post("/api/v1/events", body)["id"]))

    def run(self, run_id: str) -> Any:
        """Return a run as the API shows it."""
        return _dual(lambda: self._get_run(run_id))

    def cancel(self, run_id: str) -> Any:
        """Ask that a run be cancelled."""
        return _dual(lambda: self._post(f"/api/v1/runs/{quote(run_id, safe='')}/cancel", {}))

    def result(self, run_id: str, *, timeout: float | None = None) -> Any:
        """Wait until a run is final and return its output; see :meth:`RunHandle.result`."""
        return _dual(lambda: self._result(run_id, timeout))

    def _result(self, run_id: str, timeout: float | None) -> Any:
        deadline = None if timeout is None else time.monotonic() + timeout
        while True:
            left = LONGEST_POLL_S if deadline is None else max(0.0, deadline - time.monotonic())
            run = self._get_run(run_id, wait=min(LONGEST_POLL_S, left))
            if run["state"] in FINAL_STATES:
                break
            if deadline is not None and time.monotonic() >= deadline:
                message = f"run {run_id} is still {run['state']} after {timeout:g} s"
                raise TimeoutError(message)
        if run["state"] == "completed":
            return run["output"]
        error = run.get("error") or {}
        message = f"run {run_id} of job {run['job']} ended as {run['state']}: {error.get('message', 'no reason given')}"
        hint = f"See its steps with `trigger runs show {run_id}`."
        raise RunFailed(
            Problem(
                code=f"run-{run['state'].replace('_', '-')}",
                message=message,
                detail=error.get("traceback", ""),
                hint=hint,
            ),
            run,
        )

    def _get_run(self, run_id: str, *, wait: float = 0.0) -> dict[str, Any]:
        query = f"?wait={wait:g}" if wait else ""
        return self._request("GET", f"/api/v1/runs/{quote(run_id, safe='')}{query}", None)

    def _post(self, path: str, body: object) -> dict[str, Any]:
        return self._request("POST", path, json.dumps(body, ensure_ascii=False).encode("utf-8", "surrogatepass"))

    def _request(self, method: str, path: str, body: bytes | None) -> dict[str, Any]:
        parts = urlsplit(self.url)
        kind = http.client.HTTPSConnection if parts.scheme == "https" else http.client.HTTPConnection
        connection = kind(parts.hostname or "127.0.0.1", parts.port, timeout=self._timeout)
        headers = {"Accept": "application/json"}
        if body is not None:
            headers["Content-Type"] = "application/json"
        try:
            connection.request(method, parts.path + path, body=body, headers=headers)
            response = connection.getresponse()
            content = response.read()
        except (OSError, http.client.HTTPException) as error:
            raise ProblemError(_unreachable(self.url, error)) from error
        finally:
            connection.close()
        try:
            answer = json.loads(content)
        except ValueError as error:
            message = f"{self.url} answered {response.status} with something that is not JSON"
            hint = "Is something else listening there? Set TRIGGER_API_URL to the server's address."
            raise ProblemError(Problem(code="not-our-server", message=message, hint=hint)) from error
        if response.status >= HTTPStatus.BAD_REQUEST:
            raise ProblemError(_problem(answer, response.status))
        return answer  # type: ignore[no-any-return]


def _problem(answer: Any, status: int) -> Problem:
    error = answer.get("error") if isinstance(answer, dict) else None
    if not isinstance(error, dict):
        return Problem(code="refused", message=f"the server answered {status}")
    fields = error.get("fields") or []
    detail = "\n".join(f"{field.get('path') or 'payload'}: {field.get('reason')}" for field in fields)
    problem = Problem.from_dict(error)
    return replace(problem, detail=detail or problem.detail)


def _unreachable(url: str, error: Exception) -> Problem:
    return Problem(
        code="server-unreachable",
        message=f"no answer from {url}: {error}",
        hint="Start the dev server with `trigger dev`, or set TRIGGER_API_URL to the server's address.",
    )


def _plain(payload: object, job: str) -> object:
    return payload_to_plain(payload, f"the payload of job {job}")


def _options(options: RunOptions) -> dict[str, Any]:
    return msgspec.to_builtins(options)  # type: ignore[no-any-return]


def _dual(call: Callable[[], T]) -> Any:
    if not in_running_loop():
        return call()
    import asyncio

    return asyncio.to_thread(call)
