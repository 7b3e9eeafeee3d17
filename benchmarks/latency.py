"""From ``job.trigger()`` in a script to the first line of the job's body."""

from __future__ import annotations

import os
import time
from collections.abc import Iterator

from benchmarks.figures import Figure, percentile
from benchmarks.project.jobs.load import first_line
from benchmarks.setting import Setting


def measure(setting: Setting) -> Iterator[Figure]:
    """Start runs one after the other with the SDK's own client, each when the one before is completed.

    The body returns the time of its first line, read from the clock of the machine that the client reads before it
    calls ``trigger``. Nothing else is asked of the server meanwhile.
    """
    with setting.dev_server("latency") as server:
        os.environ["TRIGGER_API_URL"] = server.url
        try:
            for number in range(min(setting.scale.latency_runs, 50)):
                first_line.trigger(number).result()
            limit = setting.limits.sample()
            seconds = [_latency(number) for number in range(setting.scale.latency_runs)]
        finally:
            del os.environ["TRIGGER_API_URL"]
    samples = tuple(one * 1000 for one in seconds)
    p50 = percentile(samples, 0.5)
    yield Figure(metric="start_latency_p50_ms", value=p50, unit="ms", samples=samples, repeated=False)
    p99 = percentile(samples, 0.99)
    yield Figure(metric="start_latency_p99_ms", value=p99, unit="ms", samples=samples, repeated=False)
    ratio = p50 / 1000 / limit.sum_s
    yield Figure.of("start_latency_p50_ratio_to_limits", [ratio], "ratio")


def _latency(number: int) -> float:
    began = time.time()
    first_line_at = first_line.trigger(number).result()
    return float(first_line_at) - began
