"""Giving runs to sessions, in the same transaction as what made them runnable.

A run that can start is looked for by job and code version, in the order of priority and age. One whose lane is full is
*parked*: it leaves that order until a slot of the lane is free, so that a long queue behind a limit costs nothing.
Parking too little or waking too much is corrected at the next look; how many runs go in a lane is counted, not kept.
"""

from __future__ import annotations

import logging
from heapq import merge
from typing import NamedTuple

import msgspec

from engine.board import Board, Session
from engine.model import Assignment
from engine.operations import ending, journal, probation, queueing, runs, values
from engine.store.statements import logs
from engine.store.statements import runs as statements
from engine.transaction import Assigned, Transaction
from trigger_sdk.protocol.problem import Problem
from trigger_sdk.protocol.values import encode_problem

_log = logging.getLogger("trigger.engine")

_CHUNK = 64
"""Runs of one job looked at in one query."""

_NEVER = 1 << 30
"""More crashes than a run can have."""

_PER_TRANSACTION = 256
"""Runs assigned in one transaction at most, so that commits stay short."""


class ReadyRun(NamedTuple):
    """A run that can start; columns of ``statements.runs.READY``."""

    num: int
    id: str
    job: str
    pin: str
    queue: str
    lane: str
    priority: int
    token: int
    payload: bytes | None
    payload_blob: int | None
    options: bytes | None
    parent: int | None
    created_at: float
    started_at: float | None
    max_duration: float | None
    deadline: float | None
    crashes: int


def assign(tx: Transaction) -> None:
    """Give runs to the sessions with room."""
    _unpark(tx)
    tx.board.look = False
    if not may_start(tx.board):
        return
    lanes = _Lanes(tx)
    left = _PER_TRANSACTION
    while left > 0:
        found, cut = _look(tx)
        dealt = _give(tx, found, lanes, left)
        left -= dealt
        if dealt == 0 or not cut:
            return
    tx.more = True


def may_start(board: Board) -> bool:
    """Return whether there may be runs that this engine's sessions can take."""
    return bool(board.ready) and any(session.room > 0 for session in board.mine)


def _look(tx: Transaction) -> tuple[list[ReadyRun], bool]:
    """Return candidates in the order in which they should start, and whether there may be more.

    A key leaves ``board.ready`` when all its runs are among the candidates.
    """
    lists: list[list[ReadyRun]] = []
    bound: tuple[int, int] | None = None
    for key in list(tx.board.ready):
        takers = tx.board.takers(key)
        limit = min(sum(session.room for session in takers if session.room > 0), _CHUNK)
        if not takers:
            tx.board.ready.discard(key)  # opening a session marks it again
        if limit == 0:
            continue
        # While every session has a suspected run on probation, the other suspected ones are not even looked at.
        all_kinds = any(session.room > 0 and session.suspect is None for session in takers)
        crashes = _NEVER if all_kinds else tx.settings.suspect_crashes
        which = {"job": key[0], "pin": key[1], "crashes": crashes, "limit": limit}
        rows = [ReadyRun(*row) for row in tx.sql.all(statements.READY, which)]
        if len(rows) < limit:
            if all_kinds:
                tx.board.ready.discard(key)
        else:
            # Of this job there may be more behind its last: nothing of another job may overtake those.
            bound = _rank(rows[-1]) if bound is None else min(bound, _rank(rows[-1]))
        lists.append(rows)
    found = list(merge(*lists, key=_rank))
    if bound is None:
        return found, False
    tx.board.ready.update((run.job, run.pin) for run in found if _rank(run) > bound)
    return [run for run in found if _rank(run) <= bound], True


def _rank(run: ReadyRun) -> tuple[int, int]:
    return (-run.priority, run.num)


def _give(tx: Transaction, found: list[ReadyRun], lanes: _Lanes, most: int) -> int:
    """Start or park candidates; return how many were dealt with. Keys of the others are ready still."""
    dealt = 0
    for run in found:
        key = (run.job, run.pin)
        if dealt >= most:
            tx.board.ready.add(key)
        elif not lanes.has_slot(run.queue, run.lane):
            tx.sql.write(statements.PARK, {"by_num": run.num})
            dealt += 1
        elif takers := _takers(tx, run):
            if _start(tx, run, max(takers, key=lambda session: session.room)):
                lanes.take(run.queue, run.lane)
            dealt += 1
        else:
            tx.board.ready.add(key)
    return dealt


def _takers(tx: Transaction, run: ReadyRun) -> list[Session]:
    """Return the sessions with room for a run: for a suspected one, those that have no other on probation."""
    suspected = run.crashes >= tx.settings.suspect_crashes
    return [
        session
        for session in tx.board.takers((run.job, run.pin))
        if session.room > 0 and not (suspected and session.suspect is not None)
    ]


class _Lanes:
    """How many slots of each lane are taken, counted once in a transaction."""

    def __init__(self, tx: Transaction) -> None:
        self._tx = tx
        self._going: dict[tuple[str, str], int] = {}

    def has_slot(self, queue: str, lane: str) -> bool:
        """Return whether one run more may go."""
        limit = self._tx.board.limits.get(queue)
        return limit is None or self.going(queue, lane) < limit

    def going(self, queue: str, lane: str) -> int:
        """Return how many runs of a lane are running."""
        if (queue, lane) not in self._going:
            row = self._tx.sql.one(statements.GOING_IN_LANE, {"queue": queue, "lane": lane})
            self._going[queue, lane] = 0 if row is None else row[0]
        return self._going[queue, lane]

    def take(self, queue: str, lane: str) -> None:
        """Count a run that starts."""
        if self._tx.board.limits.get(queue) is not None:
            self._going[queue, lane] = self.going(queue, lane) + 1


def _unpark(tx: Transaction) -> None:
    """Bring as many parked runs back into the order as their lane has slots."""
    for queue, lane in tx.lanes:
        limit = tx.board.limits.get(queue)
        if limit is None:
            continue
        row = tx.sql.one(statements.GOING_IN_LANE, {"queue": queue, "lane": lane})
        free = limit - (0 if row is None else row[0])
        if free <= 0:
            continue
        parked = tx.sql.all(statements.PARKED_IN_LANE, {"queue": queue, "lane": lane, "limit": free})
        for num, job, pin in parked:
            tx.sql.write(statements.UNPARK, {"by_num": num})
            tx.make_ready(job, pin)
    tx.lanes.clear()


def _start(tx: Transaction, run: ReadyRun, session: Session) -> bool:
    """Lease a run to a session. One that cannot be read ends here, so that it stands in nobody's way: False."""
    token = run.token + 1
    started_at = tx.at if run.started_at is None else run.started_at
    deadline = run.deadline
    if deadline is None and run.max_duration is not None:
        deadline = tx.at + run.max_duration  # a resumed run has none: it gets its time anew
    try:
        assignment = _assignment(tx, run, token, started_at, deadline)
    except (msgspec.MsgspecError, KeyError, UnicodeDecodeError) as error:
        _end_unreadable(tx, run, error)
        return False
    tx.note_due("expirer", deadline)
    tx.sql.write(
        statements.ASSIGN,
        {
            "by_num": run.num,
            "worker": session.worker,
            "token": token,
            "code": session.code,
            "started_at": started_at,
            "deadline": deadline,
            "assigned_seq": tx.sql.take(1),
        },
    )
    session.held += 1
    tx.board.log_spaces.pop(run.num, None)  # other engines may have kept lines of it since
    if run.crashes >= tx.settings.suspect_crashes:
        probation.begin(tx, session, run.num)
    tx.news.append(Assigned(session.worker, assignment))
    return True


def _end_unreadable(tx: Transaction, run: ReadyRun, error: Exception) -> None:
    _log.error("Run %s of job %s cannot be read", run.id, run.job, exc_info=error)
    problem = Problem(
        code="run-unreadable",
        message=f"What the database holds of run {run.id} of job {run.job} cannot be read: {error}.",
        hint="Did another version of trigger write it? Go back to that version, or start the run anew.",
    )
    row = queueing.get(tx, run.num)
    if row is not None:
        ending.end(tx, row, "failed", encode_problem(problem))
        # Who waited for it, or for its place in the lane, is runnable now; this transaction has looked already.
        _unpark(tx)
        tx.more = True


def _assignment(tx: Transaction, run: ReadyRun, token: int, began_at: float, deadline: float | None) -> Assignment:
    options = runs.options_of(run.options)
    parent = None if run.parent is None else tx.sql.one(statements.ID_OF, {"num": run.parent})
    again = run.token > 0
    last_line = tx.sql.one(logs.LAST_ORDINAL, {"run": run.num}) if again else None
    return Assignment(
        run=run.id,
        token=token,
        job=run.job,
        payload=values.load(tx.sql, run.payload, run.payload_blob) or b"",
        attempt=token,
        created_at=run.created_at,
        began_at=began_at,
        log_ordinal=0 if last_line is None else last_line[0] or 0,
        parent="" if parent is None else parent[0],
        idempotency_key=options.idempotency_key or "",
        tags=tuple(options.tags),
        metadata=options.metadata,
        deadline=deadline,
        journal=journal.entries(tx.sql, run.num) if again else [],
    )
