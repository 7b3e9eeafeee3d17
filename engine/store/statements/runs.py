"""Runs: creation, moves, and what roles look for."""

from __future__ import annotations

from typing import Any, Final

from sqlalchemy import Select, bindparam, delete, func, insert, literal_column, select, update

from engine.store.interface import Statement, insert_new, upsert
from engine.store.schema import idempotency, run_tags, runs, state_is

_ROW = (
    runs.c.num, runs.c.id, runs.c.job, runs.c.state, runs.c.pin, runs.c.queue, runs.c.lane, runs.c.token,
    runs.c.worker, runs.c.crashes, runs.c.assigned_seq, runs.c.started_at, runs.c.deadline,
)  # fmt: skip
"""The columns of :class:`engine.transaction.RunRow`, in its order."""

_NUM = runs.c.num == bindparam("by_num")

INSERT: Final = Statement(
    insert(runs), "num", "id", "job", "state", "pin", "queue", "lane", "priority", "payload", "payload_blob",
    "options", "parent", "parent_step", "replayed_from", "created_at", "due_at", "max_duration",
)  # fmt: skip

ROW_BY_ID: Final = Statement(select(*_ROW).where(runs.c.id == bindparam("id")))
ROW_BY_NUM: Final = Statement(select(*_ROW).where(runs.c.num == bindparam("num")))
ROWS_OF_WORKER: Final = Statement(select(*_ROW).where(runs.c.worker == bindparam("worker")).order_by(runs.c.num))
CHILD_OF: Final = Statement(
    select(*_ROW).where(runs.c.parent == bindparam("parent"), runs.c.parent_step == bindparam("step"))
)
ID_OF: Final = Statement(select(runs.c.id).where(runs.c.num == bindparam("num")))
NUM_OF: Final = Statement(select(runs.c.num).where(runs.c.id == bindparam("id")))
WORKER_OF: Final = Statement(select(runs.c.worker).where(runs.c.num == bindparam("num")))
RESULT_OF: Final = Statement(select(runs.c.result, runs.c.result_blob).where(runs.c.num == bindparam("num")))
RECIPE_OF: Final = Statement(
    select(runs.c.job, runs.c.payload, runs.c.payload_blob, runs.c.options, runs.c.pin, runs.c.failed_step).where(
        runs.c.num == bindparam("num")
    )
)
"""What a replay or a resumption of a run starts from."""

ENQUEUE: Final = Statement(update(runs).where(_NUM).values(state="queued", worker=None, parked=0), "due_at")
"""To ``queued``, from any state; ``due_at`` is when it expires."""

ASSIGN: Final = Statement(
    update(runs).where(_NUM).values(state="running", due_at=None, parked=0),
    "worker", "token", "code", "started_at", "deadline", "assigned_seq",
)  # fmt: skip
SUSPEND: Final = Statement(update(runs).where(_NUM).values(state="waiting", worker=None), "due_at")
END: Final = Statement(
    update(runs).where(_NUM).values(worker=None, due_at=None, deadline=None, parked=0),
    "state", "result", "result_blob", "failed_step", "finished_at",
)  # fmt: skip
RESUME: Final = Statement(
    update(runs).where(_NUM).values(
        state="queued", worker=None, parked=0, due_at=None, deadline=None, finished_at=None,
        result=None, result_blob=None, failed_step="", crashes=0, cancel_requested=0,
    )
)  # fmt: skip
REQUEST_CANCEL: Final = Statement(
    update(runs).where(_NUM, runs.c.cancel_requested == literal_column("0")).values(cancel_requested=1)
)
"""Changes nothing when it was requested already."""

SET_CRASHES: Final = Statement(update(runs).where(_NUM), "crashes")
UNLINK_CHILD: Final = Statement(update(runs).where(_NUM).values(parent_step=None))
"""Free the parent's step for another child; a null does not count in the unique index."""

PARK: Final = Statement(update(runs).where(_NUM).values(parked=1))


def _ready(*columns: Any) -> Select[Any]:
    return select(*columns).where(
        state_is("queued"),
        runs.c.parked == literal_column("0"),
        runs.c.job == bindparam("job"),
        runs.c.pin == bindparam("pin"),
        runs.c.crashes < bindparam("crashes"),
    )


READY: Final = Statement(
    _ready(
        runs.c.num, runs.c.id, runs.c.job, runs.c.pin, runs.c.queue, runs.c.lane, runs.c.priority, runs.c.token,
        runs.c.payload, runs.c.payload_blob, runs.c.options, runs.c.parent, runs.c.created_at, runs.c.started_at,
        runs.c.max_duration, runs.c.deadline, runs.c.crashes,
    )
    .order_by(runs.c.priority.desc(), runs.c.num)
    .limit(bindparam("limit"))
    .with_for_update(skip_locked=True)
)  # fmt: skip
"""The first runs of a job that can start and crashed less often than ``crashes``.

Columns of :class:`engine.operations.assignment.ReadyRun`.
"""

READY_KEYS: Final = Statement(select(runs.c.job, runs.c.pin).where(state_is("queued")).distinct())

GOING_IN_LANE: Final = Statement(
    select(func.count()).select_from(runs).where(
        state_is("running"), runs.c.queue == bindparam("queue"), runs.c.lane == bindparam("lane")
    )
)  # fmt: skip
_PARKED = (state_is("queued"), runs.c.parked == literal_column("1"), runs.c.queue == bindparam("queue"))
PARKED_IN_LANE: Final = Statement(
    select(runs.c.num, runs.c.job, runs.c.pin)
    .where(*_PARKED, runs.c.lane == bindparam("lane"))
    .order_by(runs.c.priority.desc(), runs.c.num)
    .limit(bindparam("limit"))
)
UNPARK: Final = Statement(update(runs).where(_NUM).values(parked=0))
UNPARK_QUEUE: Final = Statement(update(runs).where(*_PARKED).values(parked=0))
HELD_COUNTS: Final = Statement(
    select(runs.c.worker, func.count()).where(runs.c.worker.is_not(None)).group_by(runs.c.worker)
)


def _due(state: str) -> Statement:
    query = select(*_ROW).where(state_is(state), runs.c.due_at.is_not(None), runs.c.due_at <= bindparam("now"))
    return Statement(query.order_by(runs.c.due_at).limit(bindparam("limit")))


def _next_due(state: str) -> Statement:
    return Statement(select(func.min(runs.c.due_at)).where(state_is(state), runs.c.due_at.is_not(None)))


DELAYED_DUE: Final = _due("delayed")
QUEUED_DUE: Final = _due("queued")
WAITING_DUE: Final = _due("waiting")
DELAYED_NEXT: Final = _next_due("delayed")
QUEUED_NEXT: Final = _next_due("queued")
WAITING_NEXT: Final = _next_due("waiting")
OVERDUE: Final = Statement(
    select(*_ROW).where(runs.c.deadline <= bindparam("now")).order_by(runs.c.deadline).limit(bindparam("limit"))
)
NEXT_DEADLINE: Final = Statement(select(func.min(runs.c.deadline)).where(runs.c.deadline.is_not(None)))
FINISHED_BEFORE: Final = Statement(
    select(runs.c.num, runs.c.job, runs.c.options)
    .where(runs.c.finished_at <= bindparam("time"))
    .order_by(runs.c.finished_at)
    .limit(bindparam("limit"))
)
FIRST_FINISHED: Final = Statement(select(func.min(runs.c.finished_at)).where(runs.c.finished_at.is_not(None)))
DELETE: Final = Statement(delete(runs).where(_NUM))

# --- idempotency keys and tags ---

KEY_HOLDER: Final = Statement(
    select(runs.c.id, runs.c.num, idempotency.c.expires_at)
    .join(runs, runs.c.num == idempotency.c.run)
    .where(idempotency.c.job == bindparam("job"), idempotency.c.key == bindparam("key"))
)
SET_KEY: Final = upsert(idempotency, "job", "key")
DELETE_KEY: Final = Statement(
    delete(idempotency).where(
        idempotency.c.job == bindparam("by_job"),
        idempotency.c.key == bindparam("by_key"),
        idempotency.c.run == bindparam("by_num"),
    )
)
INSERT_TAG: Final = insert_new(run_tags)
DELETE_TAG: Final = Statement(
    delete(run_tags).where(run_tags.c.tag == bindparam("by_tag"), run_tags.c.run == bindparam("by_num"))
)
