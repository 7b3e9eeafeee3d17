"""Serves stand-ins for the outside world over real HTTP, so that effects can be counted.

A service is an object; its public methods are its actions: ``POST /payment/charge`` calls ``payment.charge(request)``.
What an action returns is the answer, and counts as one *effect* unless it is ``Unchanged``. The same
``Idempotency-Key`` is carried out once and answered alike ever after, as Stripe does.

    GET  /effects               every effect, in order, and how many there are of each kind
    GET  /requests              every request, whatever came of it
    POST /control/fail_next     {"service": "payment", "action": "charge", "status": 503, "times": 2}
                                {"service": "payment", "lose_answer": true}     the effect happens, nobody hears of it
    POST /control/slow_next     {"service": "payment", "seconds": 2}            the effect happens, the answer is late
    GET, PUT /files/NAME        files, for services that have some

Every request is a line in a file, and the services are rebuilt from it, so that nothing is forgotten over a restart.
"""

import argparse
import json
import os
import re
import signal
import sys
import threading
import time
from collections import Counter
from collections.abc import Mapping
from dataclasses import dataclass
from datetime import UTC, datetime
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path
from typing import Any

Json = dict[str, Any]
DEFAULT_PORT = 8735


class Unchanged(dict[str, Any]):
    """An answer that is no effect: nothing was to be done, or something was only looked up."""


class Refusal(Exception):
    """A service says no: an HTTP status, and a code for programs."""

    def __init__(self, status: int, code: str, message: str) -> None:
        super().__init__(message)
        self.status = status
        self.answer: Json = {"error": {"code": code, "message": message}}


@dataclass(kw_only=True)
class Fault:
    """What is to happen to the next requests of a service, or of one of its actions."""

    service: str
    action: str = ""
    times: int = 1
    status: int = 0
    lose_answer: bool = False
    seconds: float = 0.0


@dataclass(frozen=True, kw_only=True)
class Outcome:
    """How a request went: done, unchanged, refused, replayed (an earlier answer), rejected (malformed) or failed."""

    outcome: str
    status: int
    answer: Json


class World:
    """All services, what became of every request, and the faults to come."""

    def __init__(self, services: Mapping[str, object], journal: Path) -> None:
        self._services = services
        self._journal = journal
        self._lock = threading.Lock()
        self._faults: list[Fault] = []
        self._answers: dict[tuple[str, str, str], tuple[Json, Outcome]] = {}
        self.requests: list[Json] = []
        self._recall()

    @property
    def effects(self) -> list[Json]:
        """Every effect, in order."""
        return [request for request in self.requests if request["outcome"] == "done"]

    def expect(self, fault: Fault) -> None:
        """Let a fault happen to requests to come."""
        if fault.service not in self._services:
            raise Refusal(404, "unknown_service", f"no service {fault.service!r}: {', '.join(self._services)}")
        with self._lock:
            self._faults.append(fault)

    def take_fault(self, service: str, action: str) -> Fault | None:
        """Return the fault that is to happen to this request."""
        with self._lock:
            for fault in self._faults:
                if fault.service == service and fault.action in ("", action):
                    fault.times -= 1
                    if fault.times <= 0:
                        self._faults.remove(fault)
                    return fault
        return None

    def perform(self, service: str, action: str, request: Json, key: str, fault: Fault | None) -> Outcome:
        """Carry a request out: once, if it has a key."""
        with self._lock:
            if fault and fault.status:
                message = f"{service} cannot {action} now"
                outcome = Outcome(outcome="failed", status=fault.status, answer={"error": {"message": message}})
            elif key and (service, action, key) in self._answers:
                outcome = self._repeated(service, action, request, key)
            else:
                outcome = self._act(service, action, request)
            self._remember(service, action, request, key, outcome)
        return outcome

    def _repeated(self, service: str, action: str, request: Json, key: str) -> Outcome:
        asked, answered = self._answers[service, action, key]
        if asked != request:
            answer = {"error": {"code": "idempotency_error", "message": f"{key} was used for another request"}}
            return Outcome(outcome="rejected", status=400, answer=answer)
        return Outcome(outcome="replayed", status=answered.status, answer=answered.answer)

    def _act(self, service: str, action: str, request: Json) -> Outcome:
        target = self._services.get(service)
        act = None if action.startswith("_") else getattr(type(target), action, None)
        if not callable(act):
            answer = {"error": {"code": "unknown_action", "message": f"there is no {service}/{action}"}}
            return Outcome(outcome="rejected", status=404, answer=answer)
        try:
            answer = act(target, request)
        except Refusal as refusal:
            return Outcome(outcome="refused", status=refusal.status, answer=refusal.answer)
        except (KeyError, TypeError, ValueError) as error:
            answer = {"error": {"code": "bad_request", "message": f"{type(error).__name__}: {error}"}}
            return Outcome(outcome="rejected", status=400, answer=answer)
        return Outcome(outcome="unchanged" if isinstance(answer, Unchanged) else "done", status=200, answer=answer)

    def _remember(self, service: str, action: str, request: Json, key: str, outcome: Outcome) -> None:
        line = {
            "n": len(self.requests) + 1,
            "at": datetime.now(UTC).isoformat(),
            "service": service,
            "action": action,
            "key": key,
            "outcome": outcome.outcome,
            "status": outcome.status,
            "request": request,
            "answer": outcome.answer,
        }
        with self._journal.open("a") as file:
            file.write(json.dumps(line) + "\n")
        self._keep(line)

    def _keep(self, line: Json) -> None:
        self.requests.append(line)
        if line["key"] and line["outcome"] in ("done", "unchanged", "refused"):
            outcome = Outcome(outcome=line["outcome"], status=line["status"], answer=line["answer"])
            self._answers[line["service"], line["action"], line["key"]] = (line["request"], outcome)

    def _recall(self) -> None:
        """Rebuild everything from the journal. A last line that was cut off is dropped: nobody had an answer to it."""
        if not self._journal.exists():
            self._journal.parent.mkdir(parents=True, exist_ok=True)
            (self._journal.parent / ".gitignore").write_text("*\n")
            return
        whole, newline, _ = self._journal.read_text().rpartition("\n")
        self._journal.write_text(whole + newline)
        for text in whole.splitlines():
            line = json.loads(text)
            if line["outcome"] in ("done", "unchanged"):
                self._act(line["service"], line["action"], line["request"])
            self._keep(line)


class Handler(BaseHTTPRequestHandler):
    """Turns HTTP into calls of the world. Made by :func:`serve`, which sets the attributes."""

    protocol_version = "HTTP/1.1"
    world: World
    files: Path | None = None

    def do_GET(self) -> None:
        if self.path == "/effects":
            effects = self.world.effects
            kinds = Counter(f"{effect['service']}.{effect['action']}" for effect in effects)
            self._answer(200, {"effects": effects, "counts": dict(sorted(kinds.items()))})
        elif self.path == "/requests":
            self._answer(200, {"requests": self.world.requests})
        elif self.path == "/healthz":
            self._answer(200, {"status": "ok"})
        elif (file := self._file()) and file.is_file():
            self._send(200, file.read_bytes(), "application/octet-stream")
        else:
            self._not_found()

    def do_PUT(self) -> None:
        content = self._content()
        file = self._file()
        if file is None:
            self._not_found()
            return
        file.parent.mkdir(parents=True, exist_ok=True)
        file.write_bytes(content)
        self._answer(200, {"name": file.name, "bytes": len(content)})

    def do_POST(self) -> None:
        content = self._content()
        service, _, action = self.path.strip("/").partition("/")
        try:
            request = json.loads(content or b"{}")
            if not isinstance(request, dict):
                self._answer(400, {"error": {"code": "bad_request", "message": "send a JSON object"}})
            elif service == "control":
                self._control(action, request)
            else:
                self._perform(service, action, request)
        except Refusal as refusal:
            self._answer(refusal.status, refusal.answer)
        except (ValueError, TypeError) as error:
            self._answer(400, {"error": {"code": "bad_request", "message": str(error)}})

    def _control(self, action: str, request: Json) -> None:
        if action not in ("fail_next", "slow_next"):
            raise Refusal(404, "unknown_action", f"there is no control/{action}")
        fault = Fault(**request)
        if action == "fail_next" and not fault.lose_answer and not fault.status:
            fault.status = 503
        self.world.expect(fault)
        self._answer(200, {"expected": action})

    def _perform(self, service: str, action: str, request: Json) -> None:
        fault = self.world.take_fault(service, action)
        key = self.headers.get("Idempotency-Key", "")
        outcome = self.world.perform(service, action, request, key, fault)
        values = " ".join(f"{name}={value!r}" for name, value in request.items())
        print(f"{outcome.outcome:9} {outcome.status} {service}.{action} {values}", flush=True)
        if fault and fault.seconds:
            time.sleep(fault.seconds)
        if fault and fault.lose_answer:
            self.close_connection = True
            return
        extra = {"Idempotent-Replayed": "true"} if outcome.outcome == "replayed" else {}
        self._answer(outcome.status, outcome.answer, extra)

    def _file(self) -> Path | None:
        name = self.path.removeprefix("/files/")
        if self.files is None or name == self.path or not re.fullmatch(r"[\w-][\w.-]*", name):
            return None
        return self.files / name

    def _content(self) -> bytes:
        return self.rfile.read(int(self.headers.get("Content-Length", 0)))

    def _not_found(self) -> None:
        self._answer(404, {"error": {"code": "not_found", "message": f"nothing at {self.path}"}})

    def _answer(self, status: int, answer: Mapping[str, Any], extra: Mapping[str, str] | None = None) -> None:
        self._send(status, json.dumps(answer).encode(), "application/json", extra or {})

    def _send(self, status: int, content: bytes, kind: str, extra: Mapping[str, str] | None = None) -> None:
        self.send_response(status)
        for name, value in {"Content-Type": kind, "Content-Length": str(len(content)), **(extra or {})}.items():
            self.send_header(name, value)
        self.end_headers()
        self.wfile.write(content)

    def log_message(self, format: str, *args: object) -> None:
        """Say nothing: what was done is printed instead."""


class Server(ThreadingHTTPServer):
    """One thread for each connection; a client that hangs up early is no news."""

    daemon_threads = True
    request_queue_size = 128  # with the default of 5, the sixth connection at a time waits for a second
    world: World

    def handle_error(self, request: Any, client_address: Any) -> None:
        if not isinstance(sys.exception(), ConnectionError):
            super().handle_error(request, client_address)


def make_server(services: Mapping[str, object], *, port: int, journal: Path, files: Path | None = None) -> Server:
    """Return a server that is bound to ``port`` (0: any free one) and not yet serving."""
    world = World(services, journal)
    server = Server(("127.0.0.1", port), type("BoundHandler", (Handler,), {"world": world, "files": files}))
    server.world = world
    return server


def serve(services: Mapping[str, object], *, files: Path | None = None) -> None:
    """Serve until interrupted: what ``python -m services`` does."""
    parser = argparse.ArgumentParser(prog="python -m services", description="Local stand-ins for the outside world.")
    port = int(os.environ.get("SERVICES_PORT", DEFAULT_PORT))
    parser.add_argument("--port", type=int, default=port, help=f"default {DEFAULT_PORT}, or SERVICES_PORT; 0: any")
    parser.add_argument("--journal", type=Path, default=Path(".services/requests.jsonl"), help="what was asked for")
    parser.add_argument("--fresh", action="store_true", help="forget what was done before")
    options = parser.parse_args()
    if options.fresh:
        options.journal.unlink(missing_ok=True)
    try:
        server = make_server(services, port=options.port, journal=options.journal, files=files)
    except OSError as error:
        sys.exit(f"cannot listen on port {options.port}: {error.strerror}; name another: --port 0, and SERVICES_URL")
    signal.signal(signal.SIGTERM, signal.default_int_handler)
    print(f"{', '.join(services)} on http://127.0.0.1:{server.server_port}", flush=True)
    try:
        server.serve_forever()
    except KeyboardInterrupt:
        server.server_close()
