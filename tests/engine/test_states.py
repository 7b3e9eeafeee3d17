"""The table of legal moves."""

from __future__ import annotations

import pytest

from engine.errors import IllegalMove
from engine.states import INITIAL, MOVES, RESUMABLE, check_move
from trigger_sdk.protocol.states import FINAL_STATES, RUN_STATES, RunState


def test_every_state_has_its_moves() -> None:
    """The table names every state, and only states."""
    assert set(MOVES) == set(RUN_STATES)
    assert set().union(*MOVES.values()) <= set(RUN_STATES)


def test_final_states_are_left_by_resuming_only() -> None:
    """From an end there is no way but back to the queue, for those that can be resumed."""
    for state in FINAL_STATES:
        assert MOVES[state] == (frozenset({"queued"}) if state in RESUMABLE else frozenset())


def test_every_state_is_reached() -> None:
    """Each state is where a run begins or where a move leads."""
    assert INITIAL | set().union(*MOVES.values()) == set(RUN_STATES)


@pytest.mark.parametrize("source", RUN_STATES)
@pytest.mark.parametrize("target", RUN_STATES)
def test_moves_outside_the_table_are_refused(source: RunState, target: RunState) -> None:
    """The check follows the table, and names the run."""
    if target in MOVES[source]:
        check_move("run_1", source, target)
    else:
        with pytest.raises(IllegalMove, match="run_1"):
            check_move("run_1", source, target)
