"""Run states, step states and step kinds: the closed lists of words."""

from __future__ import annotations

from typing import Final, Literal

RunState = Literal[
    "delayed", "queued", "running", "waiting", "completed", "failed", "canceled", "expired", "timed_out", "crashed"
]
RUN_STATES: Final[tuple[RunState, ...]] = (
    "delayed", "queued", "running", "waiting", "completed", "failed", "canceled", "expired", "timed_out", "crashed",
)  # fmt: skip
FINAL_STATES: Final[frozenset[RunState]] = frozenset(
    ("completed", "failed", "canceled", "expired", "timed_out", "crashed")
)

StepKind = Literal["task", "record", "sleep", "timer", "event", "child", "trigger", "send"]
"""What a step does.

``task`` a task call · ``record`` a recorded value · ``sleep`` an SDK sleep · ``timer`` a timer of the body's loop
(asyncio.sleep, timeout, wait_for) · ``event`` wait_for_event · ``child`` trigger_and_wait · ``trigger`` a run
started without waiting · ``send`` an event sent.
"""

StepState = Literal["running", "retrying", "waiting", "completed", "failed", "canceled"]
