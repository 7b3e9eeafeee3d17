"""The stand-in services of a template (`python -m services`) as a test drives them: faults, effects, a restart."""

from __future__ import annotations

import re
import shutil
import subprocess
import sys
import uuid
from collections import Counter
from pathlib import Path
from typing import Any

import httpx

from tests.fakes.processes import environment, kill, marked, until

Json = dict[str, Any]


class ServicesProcess:
    """A project's services as a child process, on a port of their own that they keep over restarts.

    Attributes:
        project: the project's folder.
        url: where they listen; known when they are started.
    """

    def __init__(self, project: Path) -> None:
        self.project = project
        self.url = ""
        self._log = project.parent / f"{project.name}.services.log"
        self._mark = uuid.uuid4().hex
        self._process: subprocess.Popen[bytes] | None = None
        self._http = httpx.Client(timeout=30, trust_env=False)

    def start(self) -> ServicesProcess:
        """Start them, and return when they answer."""
        port = self.url.rpartition(":")[2] or "0"
        before = len(self.output)
        with self._log.open("ab") as sink:
            self._process = subprocess.Popen(
                [sys.executable, "-m", "services", "--port", port],
                cwd=self.project,
                env=environment(self._mark),
                stdin=subprocess.DEVNULL,
                stdout=sink,
                stderr=subprocess.STDOUT,
                start_new_session=True,
            )
        self.url = until(lambda: self._listening(before), "the services listen")
        return self

    def _listening(self, before: int) -> str | None:
        assert self._process is not None
        assert self._process.poll() is None, self.output
        found = re.search(r"on (http://\S+)\n", self.output[before:])
        return found[1] if found else None

    @property
    def output(self) -> str:
        """Everything printed so far."""
        return self._log.read_text() if self._log.exists() else ""

    def kill(self) -> None:
        """SIGKILL them."""
        kill(marked(self._mark))
        if self._process is not None:
            self._process.wait()

    def forget(self) -> None:
        """Start them anew on the same port, with nothing done and no faults to come."""
        self.kill()
        shutil.rmtree(self.project / ".services")
        self.start()

    def close(self) -> None:
        """End them."""
        self.kill()
        self._http.close()

    def get(self, path: str) -> httpx.Response:
        """Send a GET request."""
        return self._http.get(self.url + path)

    def put(self, path: str, content: bytes) -> httpx.Response:
        """Send a PUT request."""
        return self._http.put(self.url + path, content=content)

    def post(self, path: str, key: str = "", **request: Any) -> httpx.Response:
        """Send a request to a service."""
        return self._http.post(self.url + path, json=request, headers={"Idempotency-Key": key} if key else {})

    def fail_next(self, service: str, action: str = "", **how: Any) -> None:
        """Let the next request fail: ``status``, ``times``, or ``lose_answer``."""
        assert self.post("/control/fail_next", service=service, action=action, **how).is_success

    def slow_next(self, service: str, action: str = "", *, seconds: float) -> None:
        """Let the next request be carried out at once and answered late."""
        assert self.post("/control/slow_next", service=service, action=action, seconds=seconds).is_success

    def effects(self) -> list[Json]:
        """Return every effect, in order."""
        return list(self.get("/effects").json()["effects"])

    def effect_names(self) -> list[str]:
        """Return what was done, in order: ``payment.charge``."""
        return [f"{effect['service']}.{effect['action']}" for effect in self.effects()]

    def counts(self) -> Counter[str]:
        """Return how often each thing was done."""
        return Counter(self.effect_names())

    def requests(self, service: str = "", action: str = "") -> list[Json]:
        """Return every request, or those of a service or one of its actions, whatever came of them."""
        return [
            request
            for request in self.get("/requests").json()["requests"]
            if service in ("", request["service"]) and action in ("", request["action"])
        ]
