"""Workers' sessions and the leases they hold: opening, keeping, leaving, ending and losing them."""

from __future__ import annotations

import json
from collections.abc import Sequence

from engine.board import Session
from engine.errors import LeaseLost, SessionUnknown
from engine.model import EndState
from engine.operations import ending, journal, probation, queueing, values
from engine.operations.appending import leased
from engine.store.statements import journal as entry_statements
from engine.store.statements import peers, runs, sessions, waits
from engine.transaction import Arrived, RunRow, Transaction
from trigger_sdk.protocol.messages import HeldRun
from trigger_sdk.protocol.problem import Problem
from trigger_sdk.protocol.states import FINAL_STATES
from trigger_sdk.protocol.values import encode_problem


def open_session(
    tx: Transaction, worker: str, code: str, jobs: Sequence[str], capacity: int, held: Sequence[HeldRun]
) -> list[str]:
    """Open or reopen a session. Held runs whose lease stands are kept; the other runs it had are released."""
    before = tx.board.sessions.get(worker)
    lease_until = tx.at + tx.settings.lease_ttl_s
    session = Session(
        worker=worker,
        num=tx.sql.take(1) if before is None else before.num,
        code=code,
        jobs=frozenset(jobs),
        capacity=capacity,
        draining=before is not None and before.draining,
        executor=tx.board.me,
        held=0 if before is None else before.held,
        suspect=None if before is None else before.suspect,
        suspect_until=0.0 if before is None else before.suspect_until,
    )
    tx.sql.write(
        sessions.SAVE,
        {
            "worker": worker,
            "num": session.num,
            "code": code,
            "jobs": json.dumps(sorted(session.jobs)),
            "capacity": capacity,
            "draining": int(session.draining),
            "lease_until": lease_until,
            "executor": tx.board.me,
        },
    )
    tx.reshaped = True
    tx.note_due("rescuer", lease_until)
    tx.board.sessions[worker] = session
    kept = _keep(tx, worker, held)
    tx.board.mark_all_ready(tx.sql)
    return kept


def _keep(tx: Transaction, worker: str, held: Sequence[HeldRun]) -> list[str]:
    claims = {one.run: one for one in held}
    kept: list[str] = []
    for row in tx.sql.all(runs.ROWS_OF_WORKER, {"worker": worker}):
        run = RunRow(*row)
        claim = claims.get(run.id)
        if claim is None or claim.token != run.token:
            release(tx, run)
            continue
        kept.append(run.id)
        missed = journal.delivered_after(tx.sql, run.num, claim.seen)
        if missed:
            tx.news.append(Arrived(worker, run.id, run.token, missed))
    return kept


def beat(tx: Transaction, worker: str) -> None:
    """Extend a session's lease; SessionUnknown."""
    _session(tx, worker)
    tx.sql.write(sessions.BEAT, {"by_worker": worker, "lease_until": tx.at + tx.settings.lease_ttl_s})


def drain(tx: Transaction, worker: str) -> None:
    """Assign nothing more to a session; SessionUnknown. Its code's jobs may go to others now."""
    session = _session(tx, worker)
    if not session.draining:
        tx.reshaped = True
        tx.sql.write(sessions.DRAIN, {"by_worker": worker})
        session.draining = True
        tx.board.mark_all_ready(tx.sql)


def _session(tx: Transaction, worker: str) -> Session:
    session = tx.board.sessions.get(worker)
    if session is None or session.executor != tx.board.me:
        raise SessionUnknown(f"There is no session of worker {worker}.")
    return session


def close_session(tx: Transaction, worker: str, *, crashed: bool) -> None:
    """Release the runs of a session and forget it; nothing happens when there is none, or it went elsewhere."""
    session = tx.board.sessions.get(worker)
    if session is None or session.executor != tx.board.me:
        return
    _close(tx, session, crashed=crashed)


def bury(tx: Transaction, executor: str) -> None:
    """Close the sessions of an engine that is gone; its workers may come back to another, and nobody is blamed."""
    tx.sql.write(peers.BURY, {"by_name": executor})
    tx.sql.write(peers.DROP_MAIL, {"by_executor": executor})
    for session in list(tx.board.sessions.values()):
        if session.executor == executor:
            _close(tx, session, crashed=False)
    tx.board.others -= {executor}
    tx.reshaped = True


def _close(tx: Transaction, session: Session, *, crashed: bool) -> None:
    worker = session.worker
    del tx.board.sessions[worker]
    tx.reshaped = True
    tx.sql.write(sessions.DELETE, {"by_worker": worker})
    held = [RunRow(*row) for row in tx.sql.all(runs.ROWS_OF_WORKER, {"worker": worker})]
    stuck = [run for run in held if not _made_progress(tx, run)] if crashed else []
    blamed = probation.blamed(tx, session, stuck)
    for run in held:
        tx.lose(run)
        if run.num in blamed:
            _count_crash(tx, run)
        else:
            release(tx, run)
    tx.board.mark_all_ready(tx.sql)


def _made_progress(tx: Transaction, run: RunRow) -> bool:
    return tx.sql.one(entry_statements.ANY_AFTER, {"run": run.num, "seq": run.assigned_seq}) is not None


def _count_crash(tx: Transaction, run: RunRow) -> None:
    """Take a run from a worker that it may have taken down: to its end when that was once too often."""
    crashes = run.crashes + 1
    tx.sql.write(runs.SET_CRASHES, {"by_num": run.num, "crashes": crashes})
    if crashes < tx.settings.max_crashes:
        queueing.leave_worker(tx, run)
        queueing.enqueue(tx, run)
        return
    problem = Problem(
        code="run-crashed",
        message=f"The worker died {crashes} times while it had run {run.id} of job {run.job}, without progress.",
        hint="Look for what ends the process (memory, a native library, os._exit), then resume the run.",
    )
    ending.end(tx, run, "crashed", encode_problem(problem), told=True)


def release(tx: Transaction, run: RunRow) -> None:
    """Take a run from its worker, back to the queue."""
    if run.crashes and _made_progress(tx, run):
        tx.sql.write(runs.SET_CRASHES, {"by_num": run.num, "crashes": 0})
    queueing.leave_worker(tx, run)
    queueing.enqueue(tx, run)


def suspend(tx: Transaction, run_id: str, token: int, seen: int, wake_at: float | None) -> bool:
    """Let a run leave its worker; False when it has something to learn of, or nothing would bring it back."""
    row = tx.sql.one(runs.ROW_BY_ID, {"id": run_id})
    if row is not None and row[3] in ("waiting", "queued") and row[7] == token:
        return True  # said before; the answer was lost
    run = leased(tx, run_id, token)
    if tx.sql.one(entry_statements.ANY_DELIVERED_AFTER, {"run": run.num, "seq": seen}) is not None:
        return False
    if wake_at is None and tx.sql.one(waits.ANY_OF_RUN, {"run": run.num}) is None:
        return False
    if run.crashes:
        tx.sql.write(runs.SET_CRASHES, {"by_num": run.num, "crashes": 0})
    tx.sql.write(runs.SUSPEND, {"by_num": run.num, "due_at": wake_at})
    tx.note_due("promoter", wake_at)
    queueing.leave_worker(tx, run)
    return True


def finish(tx: Transaction, run_id: str, token: int, state: EndState, value: bytes | None, failed_step: str) -> None:
    """End a run as its worker says. LeaseLost; a repeated end is acknowledged again."""
    values.check_size(value, "The result")
    row = tx.sql.one(runs.ROW_BY_ID, {"id": run_id})
    if row is not None and row[3] in FINAL_STATES and (row[3], row[7]) == (state, token):
        return
    if row is None or row[3] != "running" or row[7] != token:
        raise LeaseLost(f"The lease {token} of run {run_id} is over.")
    ending.end(tx, RunRow(*row), state, value, failed_step, told=True)
