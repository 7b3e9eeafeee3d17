"""Putting runs into the queue and taking them from their workers."""

from __future__ import annotations

from engine.errors import RunNotFound
from engine.operations import probation
from engine.states import check_move
from engine.store.statements import runs
from engine.transaction import RunRow, Transaction


def find(tx: Transaction, run_id: str) -> RunRow:
    """Return a run by id; RunNotFound."""
    row = tx.sql.one(runs.ROW_BY_ID, {"id": run_id})
    if row is None:
        raise RunNotFound(f"There is no run {run_id}.")
    return RunRow(*row)


def get(tx: Transaction, num: int) -> RunRow | None:
    """Return a run by number, or None when it was pruned."""
    row = tx.sql.one(runs.ROW_BY_NUM, {"num": num})
    return None if row is None else RunRow(*row)


def enqueue(tx: Transaction, run: RunRow, expires_at: float | None = None) -> None:
    """Move a run to ``queued``; it goes before those that were created later."""
    check_move(run.id, run.state, "queued")
    tx.sql.write(runs.ENQUEUE, {"by_num": run.num, "due_at": expires_at})
    tx.make_ready(run.job, run.pin)
    tx.note_due("expirer", expires_at)


def leave_worker(tx: Transaction, run: RunRow) -> None:
    """Free what a running run held: its place in the session and in its lane."""
    tx.board.log_spaces.pop(run.num, None)
    session = tx.board.sessions.get(run.worker or "")
    if session is not None:
        session.held -= 1
        probation.end(tx, run.worker, run.num)
    tx.lanes.add((run.queue, run.lane))
