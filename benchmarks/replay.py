"""A run with a long journal: what one more step costs, and how long it takes until it goes on in another process."""

from __future__ import annotations

import time
from collections.abc import Iterator
from itertools import pairwise
from statistics import median

from benchmarks.dev_server import DevServer
from benchmarks.figures import Figure
from benchmarks.recovery import began_at
from benchmarks.setting import Setting

_JOB = "history"


def measure(setting: Setting) -> Iterator[Figure]:
    """Complete many steps and wait; then resume the run in a new worker, again and again."""
    scale = setting.scale
    with setting.dev_server("replay") as server:
        server.api.output(server.api.start("steps", {"steps": scale.stretch}))  # warms both processes up
        run_id = server.api.start(_JOB, {"steps": scale.history_steps, "rounds": scale.kills, "key": "replay"})
        server.api.wait_until_none(_JOB, "queued", "running")
        yield Figure.of("step_cost_growth_ratio", [_growth(server, run_id, scale.stretch)], "ratio")
        samples = [_resume(server, run_id, number) for number in range(scale.kills)]
        assert len(server.api.output(run_id)) == scale.kills
    yield Figure.of("replay_5000_steps_s", samples, "s")


def _growth(server: DevServer, run_id: str, stretch: int) -> float:
    """Return what one of the last steps of the journal took, as a part of what one of the first did, by their medians.

    A median leaves out the moments in which the machine did something else.
    """
    times = [began_at(step) for step in server.api.steps(run_id) if step["kind"] == "task"]
    took = [later - earlier for earlier, later in pairwise(times)]
    return median(took[-stretch:]) / median(took[:stretch])


def _resume(server: DevServer, run_id: str, number: int) -> float:
    """Send the event to a new worker that is ready; return the seconds until the step that follows is executed.

    The run is in no process then: its journal is read, sent and replayed.
    """
    server.kill_worker()
    server.wait_ready()
    sent_at = time.time()
    assert server.api.send_event("bench.go", {"key": "replay"}) == 1
    while len(marks := [step for step in server.api.steps(run_id) if step["name"].endswith("mark")]) <= number:
        time.sleep(0.1)
    server.api.wait_until_none(_JOB, "queued", "running")
    return began_at(marks[number]) - sent_at
