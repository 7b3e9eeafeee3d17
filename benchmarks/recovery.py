"""From the SIGKILL of a worker to the next step of the run it had."""

from __future__ import annotations

import time
from collections.abc import Iterator
from datetime import datetime
from typing import Final

from benchmarks.api import LOOK_S
from benchmarks.dev_server import DevServer
from benchmarks.figures import BenchmarkFailed, Figure
from benchmarks.setting import Setting

_STEPS: Final = 80
_STEPS_BEFORE: Final = 20
"""Completed when the worker is killed; those that are left take longer than the kill."""

_UNEVENTFUL_S: Final = 3.5
"""How long a worker has to serve until the supervisor takes the next crash for a first one, and restarts at once."""


def measure(setting: Setting) -> Iterator[Figure]:
    """Kill the worker in the middle of a run, again and again; a step is executing each time."""
    samples: list[float] = []
    with setting.dev_server("recovery") as server:
        for _ in range(setting.scale.kills):
            time.sleep(_UNEVENTFUL_S)
            samples.append(_recover(server))
            server.wait_ready()
    yield Figure.of("recovery_to_next_step_s", samples, "s")


def _recover(server: DevServer) -> float:
    """Return the seconds from the kill to the beginning of the first step after it."""
    run_id = server.api.start("resting", {"steps": _STEPS})
    while sum(step["state"] == "completed" for step in server.api.steps(run_id)) < _STEPS_BEFORE:
        time.sleep(LOOK_S)
    killed_at = server.kill_worker()
    server.api.output(run_id)
    later = [began for step in server.api.steps(run_id) if (began := began_at(step)) > killed_at]
    if not later:
        raise BenchmarkFailed("the run ended before its worker was killed")
    return min(later) - killed_at


def began_at(step: dict[str, str]) -> float:
    """Return when a step's last attempt began, in seconds since the epoch."""
    return datetime.fromisoformat(step["started_at"]).timestamp()
