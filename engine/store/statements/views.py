"""Runs as they are shown."""

from __future__ import annotations

from typing import Final

from sqlalchemy import Select, and_, bindparam, select

from engine.store.interface import Statement
from engine.store.schema import run_tags, runs, waits

_parents = runs.alias("parents")

_COLUMNS = (
    runs.c.num, runs.c.id, runs.c.job, runs.c.state, runs.c.pin, runs.c.code, runs.c.queue, runs.c.lane,
    runs.c.priority, runs.c.token, runs.c.worker, runs.c.crashes, runs.c.cancel_requested, runs.c.payload,
    runs.c.payload_blob, runs.c.result, runs.c.result_blob, runs.c.failed_step, runs.c.options, _parents.c.id,
    runs.c.parent_step, runs.c.replayed_from, runs.c.created_at, runs.c.started_at, runs.c.finished_at,
    runs.c.due_at, runs.c.max_duration,
)  # fmt: skip
"""Read by :func:`engine.views.runs.run_of`, in this order."""


def _runs() -> Select[tuple[object, ...]]:
    return select(*_COLUMNS).select_from(runs.outerjoin(_parents, _parents.c.num == runs.c.parent))


ONE: Final = Statement(_runs().where(runs.c.id == bindparam("id")))

CHILDREN: Final = Statement(select(runs.c.parent_step, runs.c.id).where(runs.c.parent == bindparam("run")))
"""The runs that a run's steps started."""

AWAITED: Final = Statement(
    select(waits.c.step, runs.c.id).join(runs, runs.c.num == waits.c.child).where(waits.c.run == bindparam("run"))
)
"""The runs that a run's steps wait for, also those that it did not start itself."""


def listing(*, job: bool, state: bool, tag: bool, parent: bool) -> Statement:
    """Return the statement that lists runs before a number, newest first, with the given filters."""
    query = _runs().where(runs.c.num < bindparam("before"))
    if job:
        query = query.where(runs.c.job == bindparam("job"))
    if state:
        query = query.where(runs.c.state == bindparam("state"))
    if parent:
        query = query.where(runs.c.parent == bindparam("parent"))
    if tag:
        query = query.join(run_tags, and_(run_tags.c.run == runs.c.num, run_tags.c.tag == bindparam("tag")))
    return Statement(query.order_by(runs.c.num.desc()).limit(bindparam("limit")))


LISTINGS: Final = {
    (job, state, tag, parent): listing(job=job, state=state, tag=tag, parent=parent)
    for job in (False, True)
    for state in (False, True)
    for tag in (False, True)
    for parent in (False, True)
}
"""By which of job, state, tag and parent are given."""
