"""Many runs that wait for an event: what they cost while they wait, and how long it takes to wake them all."""

from __future__ import annotations

import time
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from typing import Final

from benchmarks.api import Api
from benchmarks.dev_server import DevServer
from benchmarks.figures import Figure
from benchmarks.process import cpu_seconds, memory
from benchmarks.project.jobs.load import EVERYONE
from benchmarks.setting import Setting

_CLIENTS: Final = 4
_EVENT: Final = "bench.wake"
_JOB: Final = "waiting"


def measure(setting: Setting) -> Iterator[Figure]:
    """Let runs wait and leave the worker; look at both processes; wake all with one event, then once more with many."""
    scale = setting.scale
    with setting.dev_server("waiting") as server:
        before = memory(server.worker).rss, memory(server.pid).rss
        began = time.perf_counter()
        _fill(server, scale.waiting_runs)
        filled = time.perf_counter() - began
        yield Figure.of("waiting_10k_fill_s", [filled], "s")
        yield from _memory(server, before)
        yield Figure.of("waiting_10k_cpu_percent", [_cpu_percent(server, scale.idle_s)], "%")
        yield Figure.of("waiting_10k_wake_s", [_wake_with_one(server, scale.waiting_runs)], "s")
        _fill(server, scale.waiting_runs)
        yield Figure.of("waiting_10k_wake_by_single_events_s", [_wake_with_many(server, scale.waiting_runs)], "s")


def _fill(server: DevServer, count: int) -> None:
    """Start the runs and return when all wait, and none is in the worker."""
    server.api.start_many(_JOB, [{"number": number} for number in range(count)], 1000)
    server.api.wait_until_none(_JOB, "queued", "running")


def _memory(server: DevServer, before: tuple[float, float]) -> Iterator[Figure]:
    for name, pid, empty in (("worker", server.worker, before[0]), ("server", server.pid, before[1])):
        now = memory(pid)
        yield Figure.of(f"waiting_10k_{name}_mb", [now.rss], "MB")
        yield Figure.of(f"waiting_10k_{name}_pss_mb", [now.pss], "MB")
        yield Figure.of(f"waiting_10k_{name}_growth_mb", [now.rss - empty], "MB")


def _cpu_percent(server: DevServer, seconds: float) -> float:
    """Return the CPU time of server and worker together, as a part of one core's."""
    pids = (server.pid, server.worker)
    began, used = time.perf_counter(), sum(map(cpu_seconds, pids))
    time.sleep(seconds)
    used = sum(map(cpu_seconds, pids)) - used
    return 100 * used / (time.perf_counter() - began)


def _wake_with_one(server: DevServer, count: int) -> float:
    """Send one event that all wait for; return the seconds until all are completed."""
    began = time.perf_counter()
    assert server.api.send_event(_EVENT, {"number": EVERYONE}) == count
    server.api.wait_until_none(_JOB, "waiting", "queued", "running")
    return time.perf_counter() - began


def _wake_with_many(server: DevServer, count: int) -> float:
    """Send an event for each run, over a few connections; return the seconds until all are completed."""

    def send(first: int) -> int:
        api = Api(server.url)
        try:
            return sum(api.send_event(_EVENT, {"number": number}) for number in range(first, count, _CLIENTS))
        finally:
            api.close()

    began = time.perf_counter()
    with ThreadPoolExecutor(_CLIENTS) as clients:
        assert sum(clients.map(send, range(_CLIENTS))) == count
    server.api.wait_until_none(_JOB, "waiting", "queued", "running")
    return time.perf_counter() - began
