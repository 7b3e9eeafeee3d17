"""How much is measured: the sizes of the promises, and tiny ones that only show that everything runs."""

from __future__ import annotations

from dataclasses import dataclass

from benchmarks.check_plan import Size


@dataclass(frozen=True, slots=True, kw_only=True)
class Scale:
    """Sizes of the loads, and how often each is repeated.

    Attributes:
        repetitions: of the loads that take a second or two.
        roundtrips: WebSocket round trips in one sample of the limit.
        commits: SQLite commits in one sample of the limit.
        sequential_steps: of the one run.
        parallel_runs: started together, of ``parallel_steps`` each.
        parallel_steps: of each of them.
        batch: runs in one request to the batch endpoint.
        latency_runs: started one after the other.
        kills: of the worker.
        waiting_runs: that wait together.
        idle_s: for which the CPU is watched while they wait.
        history_steps: completed before a run is resumed.
        stretch: steps compared at the beginning and at the end of that run.
        checked: the project that is checked.
        checks: of it, of each kind that is measured.
        edits: of one file in an editor.
        bundled: what the project that is bundled depends on.
        bundles: of it, of each kind that is measured.
        pushed_bytes: of a blob that is pushed to a registry.
    """

    repetitions: int
    roundtrips: int
    commits: int
    sequential_steps: int
    parallel_runs: int
    parallel_steps: int
    batch: int
    latency_runs: int
    kills: int
    waiting_runs: int
    idle_s: float
    history_steps: int
    stretch: int
    checked: Size
    checks: int
    edits: int
    bundled: tuple[str, ...]
    bundles: int
    pushed_bytes: int


PROMISED = Scale(
    repetitions=5,
    roundtrips=3000,
    commits=5000,
    sequential_steps=1000,
    parallel_runs=1000,
    parallel_steps=5,
    batch=250,
    latency_runs=500,
    kills=3,
    waiting_runs=10_000,
    idle_s=5.0,
    history_steps=5000,
    stretch=500,
    checked=Size(packages=30, modules=25, functions=12, jobs=50),
    checks=3,
    edits=30,
    bundled=("httpx", "pydantic", "numpy", "pandas", "boto3"),
    bundles=3,
    pushed_bytes=50_000_000,
)
"""What the figures are defined by."""

TINY = Scale(
    repetitions=1,
    roundtrips=20,
    commits=20,
    sequential_steps=20,
    parallel_runs=10,
    parallel_steps=5,
    batch=5,
    latency_runs=5,
    kills=1,
    waiting_runs=20,
    idle_s=0.2,
    history_steps=40,
    stretch=10,
    checked=Size(packages=3, modules=4, functions=5, jobs=6),
    checks=1,
    edits=2,
    bundled=("httpx", "pydantic", "numpy", "pandas", "boto3"),
    bundles=1,
    pushed_bytes=200_000,
)
"""Enough to see that each figure can be measured; the values mean nothing."""
