"""Runs that may have taken their worker down: kept apart, so that what they do is not blamed on their neighbours.

When a worker dies, nobody knows which of its runs it was. All that had made no progress are counted once or twice; from
then on they are *suspected*, and a worker gets at most one of them at a time, on probation. It ends when the run makes
progress, leaves, or has lived for a while; then the next one gets its turn. A worker that dies counts against the run
on probation, so that the run that kills workers is found and the others are not ended with it.
"""

from __future__ import annotations

from collections.abc import Sequence

from engine.board import Session
from engine.transaction import RunRow, Transaction


def begin(tx: Transaction, session: Session, run: int) -> None:
    """A session got a suspected run."""
    session.suspect = run
    session.suspect_until = tx.at + tx.settings.probation_s
    tx.note_due("rescuer", session.suspect_until)


def end(tx: Transaction, worker: str | None, run: int) -> None:
    """A run made progress, or left its worker: the next suspected one may go there."""
    session = tx.board.sessions.get(worker or "")
    if session is not None and session.suspect == run:
        session.suspect = None
        tx.board.mark_all_ready(tx.sql)


def end_overdue(tx: Transaction) -> float | None:
    """End the probations that have lasted long enough; return when the next one has, or None."""
    for session in tx.board.sessions.values():
        if session.suspect is not None and session.suspect_until <= tx.at:
            session.suspect = None
            tx.board.mark_all_ready(tx.sql)
    return min((s.suspect_until for s in tx.board.sessions.values() if s.suspect is not None), default=None)


def blamed(tx: Transaction, session: Session, stuck: Sequence[RunRow]) -> set[int]:
    """Return the runs to count a crash of ``session`` against, of those that it had and that made no progress."""
    suspected = {run.num for run in stuck if run.crashes >= tx.settings.suspect_crashes}
    if session.suspect in suspected:
        suspected -= {session.suspect}
        return {run.num for run in stuck} - suspected
    return {run.num for run in stuck}
