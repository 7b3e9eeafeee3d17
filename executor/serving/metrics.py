"""Counts what happens, and shows it as Prometheus reads it (text format 0.0.4)."""

from __future__ import annotations

import os
import resource
import time
from bisect import bisect_left
from collections import defaultdict
from collections.abc import Callable, Iterable, Sequence
from contextlib import suppress
from dataclasses import dataclass
from pathlib import Path
from typing import Final

from starlette.types import ASGIApp, Message, Receive, Scope, Send

from executor.api.routes import ROUTE
from executor.watcher import RunEvent, WorkerEvent
from trigger_sdk.protocol.messages import LogLine
from trigger_sdk.protocol.states import FINAL_STATES
from trigger_sdk.protocol.version import VERSION

CONTENT: Final = b"text/plain; version=0.0.4; charset=utf-8"

BUCKETS: Final = (0.001, 0.0025, 0.005, 0.01, 0.025, 0.05, 0.1, 0.25, 0.5, 1.0, 2.5, 5.0, 10.0, 60.0)
"""Upper bounds of a request's seconds; ``?wait=`` holds requests for up to a minute."""

Labels = tuple[tuple[str, str], ...]
METHODS: Final = frozenset({"GET", "HEAD", "POST", "PUT", "PATCH", "DELETE", "OPTIONS"})


@dataclass(frozen=True, slots=True, kw_only=True)
class EnvironmentState:
    """What an environment looks like now: workers connected here, runs they hold, whether its store takes writes."""

    name: str
    workers: int
    held: int
    available: bool


class Metrics:
    """The counters of a server, in its memory: they begin anew with it, as Prometheus expects."""

    def __init__(self) -> None:
        self.requests: defaultdict[tuple[str, str, int], int] = defaultdict(int)
        self.seconds: dict[str, list[int]] = {}
        self.sums: defaultdict[str, float] = defaultdict(float)
        self.created: defaultdict[str, int] = defaultdict(int)
        self.ended: defaultdict[tuple[str, str], int] = defaultdict(int)
        self.began = time.time()

    def request(self, method: str, route: str, status: int, seconds: float) -> None:
        """Count a request."""
        known = method if method in METHODS else "other"  # whoever sends words of his own makes no new series
        self.requests[known, route, status] += 1
        counts = self.seconds.setdefault(route, [0] * (len(BUCKETS) + 1))
        counts[bisect_left(BUCKETS, seconds)] += 1
        self.sums[route] += seconds

    def show(self, states: Iterable[EnvironmentState], environment: str) -> str:
        """Return the text: of an environment, or of the whole server when it is empty."""
        lines: list[str] = []
        if not environment:
            self._show_server(lines)
        seen = [state for state in states if environment in ("", state.name)]
        gauges: dict[str, tuple[str, Callable[[EnvironmentState], float]]] = {
            "trigger_workers_connected": ("Workers that are connected.", lambda state: state.workers),
            "trigger_runs_held": ("Runs that connected workers hold.", lambda state: state.held),
            "trigger_store_available": ("1 when the store takes writes.", lambda state: float(state.available)),
        }
        for name, (about, value) in gauges.items():
            rows = [((("environment", state.name),), value(state)) for state in seen]
            _family(lines, name, "gauge", about, rows)
        created = [((("environment", name),), n) for name, n in self.created.items() if environment in ("", name)]
        _family(lines, "trigger_runs_created_total", "counter", "Runs that were created.", created)
        ended = [
            ((("environment", name), ("state", state)), count)
            for (name, state), count in self.ended.items()
            if environment in ("", name)
        ]
        _family(lines, "trigger_runs_ended_total", "counter", "Runs that ended, by how.", ended)
        return "\n".join(lines) + "\n"

    def _show_server(self, lines: list[str]) -> None:
        _family(lines, "trigger_build_info", "gauge", "The release.", [((("version", VERSION),), 1)])
        rows = [
            ((("method", method), ("route", route), ("status", str(status))), count)
            for (method, route, status), count in self.requests.items()
        ]
        _family(lines, "trigger_http_requests_total", "counter", "Requests that were answered.", rows)
        name = "trigger_http_request_seconds"
        lines += [f"# HELP {name} Seconds from a request to the end of its answer.", f"# TYPE {name} histogram"]
        for route, counts in self.seconds.items():
            total = 0
            for bound, count in zip([*map(str, BUCKETS), "+Inf"], counts, strict=True):
                total += count
                lines.append(_sample(f"{name}_bucket", (("route", route), ("le", bound)), total))
            lines.append(_sample(f"{name}_sum", (("route", route),), self.sums[route]))
            lines.append(_sample(f"{name}_count", (("route", route),), total))
        usage = resource.getrusage(resource.RUSAGE_SELF)
        _family(lines, "process_start_time_seconds", "gauge", "When the server started.", [((), self.began)])
        cpu = usage.ru_utime + usage.ru_stime
        _family(lines, "process_cpu_seconds_total", "counter", "Processor time used.", [((), cpu)])
        with suppress(OSError, ValueError, IndexError):  # no /proc
            resident = int(Path("/proc/self/statm").read_text().split()[1]) * os.sysconf("SC_PAGE_SIZE")
            _family(lines, "process_resident_memory_bytes", "gauge", "Memory in use.", [((), resident)])
            files = sum(1 for _ in Path("/proc/self/fd").iterdir())
            _family(lines, "process_open_fds", "gauge", "Open files.", [((), files)])


class RunCounter:
    """A watcher that counts the runs of an environment."""

    def __init__(self, metrics: Metrics, environment: str) -> None:
        self._metrics = metrics
        self._environment = environment

    def lines(self, lines: Sequence[LogLine]) -> None:
        """Do nothing."""

    def run_event(self, event: RunEvent) -> None:
        """Count a run that was created or ended."""
        if event.news == "created":
            self._metrics.created[self._environment] += 1
        elif event.news in FINAL_STATES:
            self._metrics.ended[self._environment, event.news] += 1

    def worker_event(self, event: WorkerEvent) -> None:
        """Do nothing: those that are connected are counted when somebody asks."""


class Measured:
    """An ASGI application around another that counts its requests."""

    def __init__(self, app: ASGIApp, metrics: Metrics) -> None:
        self._app = app
        self._metrics = metrics

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Serve, and count what was answered."""
        if scope["type"] != "http":
            await self._app(scope, receive, send)
            return
        began = time.monotonic()
        status = 0

        async def noting(message: Message) -> None:
            nonlocal status
            if message["type"] == "http.response.start":
                status = message["status"]
            await send(message)

        try:
            await self._app(scope, receive, noting)
        finally:
            # What came to no route is one series, whatever its path: a scan of paths makes no new ones.
            self._metrics.request(scope["method"], scope.get(ROUTE, "none"), status, time.monotonic() - began)


def _family(lines: list[str], name: str, kind: str, about: str, rows: Iterable[tuple[Labels, float]]) -> None:
    lines += [f"# HELP {name} {about}", f"# TYPE {name} {kind}"]
    lines += [_sample(name, labels, value) for labels, value in rows]


def _sample(name: str, labels: Labels, value: float) -> str:
    shown = ",".join(f'{label}="{_escaped(text)}"' for label, text in labels)
    number = str(int(value)) if float(value).is_integer() else repr(value)
    return f"{name}{{{shown}}} {number}" if shown else f"{name} {number}"


def _escaped(text: str) -> str:
    return text.replace("\\", "\\\\").replace('"', '\\"').replace("\n", "\\n")
