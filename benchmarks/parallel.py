"""Many runs of a few steps, started together by a client."""

from __future__ import annotations

import time
from collections.abc import Callable, Iterator
from concurrent.futures import ThreadPoolExecutor
from typing import Final

from benchmarks.api import Api
from benchmarks.dev_server import DevServer
from benchmarks.figures import Figure
from benchmarks.scale import Scale
from benchmarks.setting import Setting

_CLIENTS: Final = 4
"""Connections over which single requests go at once."""

_UNFINISHED: Final = ("queued", "running", "waiting")


def measure(setting: Setting) -> Iterator[Figure]:
    """Time from the first request to the moment when the client sees that no run is unfinished.

    The main figures start the runs with the batch endpoint, some at once; the others with one request for each run.
    """
    scale = setting.scale
    batches: list[float] = []
    singles: list[float] = []
    ratios: list[float] = []
    with setting.dev_server("parallel") as server:
        _time(server, scale, _start_in_batches)
        for _ in range(scale.repetitions):
            limit = setting.limits.sample()
            seconds = _time(server, scale, _start_in_batches)
            batches.append(scale.parallel_runs / seconds)
            ratios.append(seconds / (scale.parallel_runs * scale.parallel_steps) / limit.sum_s)
            singles.append(scale.parallel_runs / _time(server, scale, _start_one_by_one))
    steps = scale.parallel_steps
    yield Figure.of("steps_parallel_per_s", [rate * steps for rate in batches], "1/s")
    yield Figure.of("runs_parallel_per_s", batches, "1/s")
    yield Figure.of("steps_parallel_ratio_to_limits", ratios, "ratio")
    yield Figure.of("steps_parallel_single_requests_per_s", [rate * steps for rate in singles], "1/s")
    yield Figure.of("runs_parallel_single_requests_per_s", singles, "1/s")


def _time(server: DevServer, scale: Scale, start: Callable[[DevServer, Scale], list[str]]) -> float:
    """Return the seconds until all runs are completed."""
    began = time.perf_counter()
    ids = start(server, scale)
    server.api.output(ids[-1])
    server.api.wait_until_none("steps", *_UNFINISHED)
    seconds = time.perf_counter() - began
    assert len(set(ids)) == scale.parallel_runs
    return seconds


def _start_in_batches(server: DevServer, scale: Scale) -> list[str]:
    payloads = [{"steps": scale.parallel_steps}] * scale.parallel_runs
    return server.api.start_many("steps", payloads, scale.batch)


def _start_one_by_one(server: DevServer, scale: Scale) -> list[str]:
    def start(count: int) -> list[str]:
        api = Api(server.url)
        try:
            return [api.start("steps", {"steps": scale.parallel_steps}) for _ in range(count)]
        finally:
            api.close()

    shares = [scale.parallel_runs // _CLIENTS + (one < scale.parallel_runs % _CLIENTS) for one in range(_CLIENTS)]
    with ThreadPoolExecutor(_CLIENTS) as clients:
        return [run_id for ids in clients.map(start, shares) for run_id in ids]
