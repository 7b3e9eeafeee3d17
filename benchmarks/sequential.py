"""One run with many trivial steps, one after the other."""

from __future__ import annotations

import time
from collections.abc import Iterator

from benchmarks.figures import Figure
from benchmarks.setting import Setting


def measure(setting: Setting) -> Iterator[Figure]:
    """Time from the request that starts the run to the answer that it is completed, beside the limits each time."""
    count = setting.scale.sequential_steps
    rates: list[float] = []
    ratios: list[float] = []
    stack_ratios: list[float] = []
    with setting.dev_server("sequential") as server:
        server.api.output(server.api.start("steps", {"steps": count}))  # the first run warms both processes up
        for _ in range(setting.scale.repetitions):
            before = setting.limits.sample()
            began = time.perf_counter()
            output = server.api.output(server.api.start("steps", {"steps": count}))
            per_step = (time.perf_counter() - began) / count
            after = setting.limits.sample()
            assert output == sum(range(count))
            rates.append(1 / per_step)
            ratios.append(2 * per_step / (before.sum_s + after.sum_s))
            stack_ratios.append(2 * per_step / (before.stack_sum_s + after.stack_sum_s))
    yield Figure.of("steps_sequential_per_s", rates, "1/s")
    yield Figure.of("steps_sequential_ratio_to_limits", ratios, "ratio")
    yield Figure.of("steps_sequential_ratio_to_stack_limits", stack_ratios, "ratio")
