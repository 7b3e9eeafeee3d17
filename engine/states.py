"""The legal moves of a run, in one table.

::

    delayed ──► queued ──► running ──► completed, failed, canceled, timed_out, crashed
                  ▲ │        │ ▲ │
                  │ │        │ └─┘ (released: back to queued)
                  │ └─► expired, canceled, timed_out, failed (it cannot be read)
                  └── waiting ◄── running
    failed, crashed, timed_out ──► queued (resumed)
"""

from __future__ import annotations

from typing import Final

from engine.errors import IllegalMove
from trigger_sdk.protocol.states import RunState

INITIAL: Final[frozenset[RunState]] = frozenset(("delayed", "queued"))
"""The states in which a run is created."""

MOVES: Final[dict[RunState, frozenset[RunState]]] = {
    "delayed": frozenset(("queued", "canceled")),
    "queued": frozenset(("running", "canceled", "expired", "timed_out", "failed")),
    "running": frozenset(("queued", "waiting", "completed", "failed", "canceled", "timed_out", "crashed")),
    "waiting": frozenset(("queued", "timed_out")),
    "completed": frozenset(),
    "failed": frozenset(("queued",)),
    "canceled": frozenset(),
    "expired": frozenset(),
    "timed_out": frozenset(("queued",)),
    "crashed": frozenset(("queued",)),
}
"""From each state, where a run can go."""

RESUMABLE: Final[frozenset[RunState]] = frozenset(("failed", "timed_out", "crashed"))
"""The ends from which a run can be resumed."""


def check_move(run_id: str, source: RunState, target: RunState) -> None:
    """Raise IllegalMove when a run cannot go from ``source`` to ``target``."""
    if target not in MOVES[source]:
        raise IllegalMove(f"Run {run_id} is {source} and cannot become {target}.")
