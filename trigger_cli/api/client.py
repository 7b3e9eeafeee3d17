"""The HTTP API as the command line calls it: one connection, JSON both ways, problems as exceptions.

Written on `http.client`: importing httpx costs more time than all that a short command does.
"""

from __future__ import annotations

import http.client
import json
from collections.abc import Iterator, Mapping
from typing import Any
from urllib.parse import quote, urlencode

from trigger_cli.api.address import Address
from trigger_cli.api.credentials import Credentials
from trigger_cli.errors import NotATriggerServer, Refusal, ServerFailure, ServerUnreachable, UsageProblem
from trigger_sdk.protocol.problem import Problem
from trigger_sdk.protocol.version import VERSION

_TIMEOUT_S = 30.0
_PAGE = 200
_UNAVAILABLE = 503

Json = dict[str, Any]
"""A JSON object."""


class Api:
    """The server's HTTP API.

    All methods raise ServerUnreachable (nothing listens), NotATriggerServer (something else answers), Refusal (the
    server said no; carries its problem) and ServerFailure (the server failed).
    """

    def __init__(self, address: Address, credentials: Credentials | None = None) -> None:
        self.address = address
        self._shown = _headers_of(credentials or Credentials())
        make = http.client.HTTPSConnection if address.secure else http.client.HTTPConnection
        self._connection = make(address.host, address.port, timeout=_TIMEOUT_S)

    def close(self) -> None:
        """Close the connection."""
        self._connection.close()

    def trigger(self, job: str, payload: object, options: Mapping[str, object]) -> Json:
        """Start a run; returns ``{"id", "existing"}``."""
        return self._call("POST", f"/api/v1/jobs/{quote(job, safe='')}/runs", {"payload": payload, "options": options})

    def send_event(self, name: str, payload: object, event_id: str | None) -> Json:
        """Send an event; returns ``{"id", "matched"}``."""
        body = {"name": name, "payload": payload} | ({} if event_id is None else {"id": event_id})
        return self._call("POST", "/api/v1/events", body)

    def run(self, run_id: str, *, wait: float | None = None) -> Json:
        """Return a run; with ``wait``, answered when it is final or after that many seconds."""
        query = "" if wait is None else f"?wait={wait:.3f}"
        return self._call("GET", f"/api/v1/runs/{quote(run_id, safe='')}{query}", timeout=_TIMEOUT_S + (wait or 0))

    def steps(self, run_id: str) -> list[Json]:
        """Return a run's steps."""
        return _rows(self._call("GET", f"/api/v1/runs/{quote(run_id, safe='')}/steps"), "steps")

    def logs(self, run_id: str) -> list[Json]:
        """Return a run's lines of output."""
        return _rows(self._call("GET", f"/api/v1/runs/{quote(run_id, safe='')}/logs"), "logs")

    def runs(
        self, *, job: str | None = None, state: str | None = None, tag: str | None = None, limit: int
    ) -> Iterator[Json]:
        """Yield up to ``limit`` runs, newest first, asking for pages as they are needed."""
        cursor: str | None = None
        while limit > 0:
            wanted = {"job": job, "state": state, "tag": tag, "limit": min(limit, _PAGE), "cursor": cursor}
            page = self._call("GET", "/api/v1/runs?" + urlencode({k: v for k, v in wanted.items() if v is not None}))
            rows = _rows(page, "runs")
            yield from rows[:limit]
            limit -= len(rows)
            cursor = page.get("next")
            if cursor is None or not rows:
                return

    def act(self, run_id: str, action: str) -> Json:
        """Do ``cancel``, ``resume`` or ``replay`` to a run; returns the run, for ``replay`` the new one's id."""
        return self._call("POST", f"/api/v1/runs/{quote(run_id, safe='')}/{action}", {})

    def jobs(self) -> list[Json]:
        """Return the manifests of the jobs."""
        return _rows(self._call("GET", "/api/v1/jobs"), "jobs")

    def create_key(self, purpose: str, environment: str | None, note: str) -> Json:
        """Make an API key; returns ``{"key", "about"}``."""
        return self._call("POST", "/api/v1/keys", {"purpose": purpose, "environment": environment, "note": note})

    def keys(self) -> list[Json]:
        """Return the API keys."""
        return _rows(self._call("GET", "/api/v1/keys"), "keys")

    def revoke_key(self, id: str) -> Json:
        """Revoke an API key; returns it."""
        return self._call("POST", f"/api/v1/keys/{quote(id, safe='')}/revoke", {})

    def health(self) -> Json:
        """Return the server's health."""
        return self._call("GET", "/healthz")

    def _call(self, method: str, path: str, body: object = None, *, timeout: float = _TIMEOUT_S) -> Json:
        data = None if body is None else json.dumps(body).encode()
        headers = {"Accept": "application/json", "User-Agent": f"trigger-cli/{VERSION}"} | self._shown
        if data is not None:
            headers["Content-Type"] = "application/json"
        status, text = self._exchange(method, self.address.prefix + path, data, headers, timeout)
        answer = self._decode(text)
        if status < http.client.BAD_REQUEST:
            return answer
        problem = _problem(answer, status)
        if status >= http.client.INTERNAL_SERVER_ERROR and status != _UNAVAILABLE:
            raise ServerFailure(problem, status=status)
        raise Refusal(problem, status=status)

    def _exchange(
        self, method: str, target: str, data: bytes | None, headers: dict[str, str], timeout: float
    ) -> tuple[int, bytes]:
        """Send a request and read the answer; a kept connection that the server has closed is opened anew, once."""
        kept = self._connection.sock is not None
        try:
            self._connection.timeout = timeout
            if self._connection.sock is not None:
                self._connection.sock.settimeout(timeout)
            self._connection.request(method, target, body=data, headers=headers)
            response = self._connection.getresponse()
            return response.status, response.read()
        except (http.client.RemoteDisconnected, BrokenPipeError, ConnectionResetError) as error:
            self._connection.close()
            # What changes something is not sent twice: the first may have arrived.
            if kept and method == "GET":
                return self._exchange(method, target, data, headers, timeout)
            raise self._unreachable(error) from error
        except http.client.HTTPException as error:
            self._connection.close()
            raise self._not_ours(f"{type(error).__name__}: {error}") from error
        except OSError as error:
            self._connection.close()
            raise self._unreachable(error) from error

    def _unreachable(self, error: Exception) -> ServerUnreachable:
        reason = getattr(error, "strerror", None) or str(error) or type(error).__name__
        return ServerUnreachable(f"No server answers at {self.address.url} ({self.address.origin})", detail=reason)

    def _not_ours(self, detail: str) -> NotATriggerServer:
        return NotATriggerServer(f"What answers at {self.address.url} is not a trigger server", detail=detail)

    def _decode(self, text: bytes) -> Json:
        try:
            answer = json.loads(text)
        except ValueError:
            raise self._not_ours(text[:200].decode(errors="replace")) from None
        if not isinstance(answer, dict):
            raise self._not_ours(text[:200].decode(errors="replace"))
        return answer


def _headers_of(credentials: Credentials) -> dict[str, str]:
    """Return the headers that show a key. UsageProblem when it holds what no header can."""
    headers = {"Authorization": f"Bearer {credentials.key}" if credentials.key else "",
               "Trigger-Environment": credentials.environment}  # fmt: skip
    for value in headers.values():
        if not value.isascii() or not value.isprintable():
            raise UsageProblem("the API key or the environment has characters that neither can have")
    return {name: value for name, value in headers.items() if value}


def _rows(answer: Json, key: str) -> list[Json]:
    rows = answer.get(key)
    return rows if isinstance(rows, list) else []


def _problem(answer: Json, status: int) -> Problem:
    """Read the server's problem; the fields of a payload that does not fit become lines of detail."""
    body = answer.get("error")
    if not isinstance(body, dict):
        return Problem(code="refused", message=f"The server answered {status}")
    problem = Problem.from_dict(body)
    fields = [field for field in body.get("fields") or () if isinstance(field, dict)]
    if not fields or (len(fields) == 1 and fields[0].get("path") == problem.where):
        return problem
    lines = [f"{field.get('path') or 'payload'}: {field.get('reason', '')}" for field in fields]
    return Problem(
        code=problem.code,
        message=problem.message,
        detail="\n".join([*([problem.detail] if problem.detail else []), *lines]),
        hint=problem.hint,
        where=problem.where,
    )
