"""Runs as they stand."""

from __future__ import annotations

from typing import Final

from engine.errors import InvalidCursor
from engine.model import Page, Run, RunFilter
from engine.operations import values
from engine.operations.runs import readable_options_of
from engine.store.interface import Reader, Row
from engine.store.statements import runs as statements
from engine.store.statements import views

MAX_LIMIT: Final = 200

_BEFORE_ALL: Final = 2**62


def one(sql: Reader, run_id: str) -> Run | None:
    """Return a run, or None."""
    row = sql.one(views.ONE, {"id": run_id})
    return None if row is None else run_of(sql, row, big_values=True)


def page(sql: Reader, which: RunFilter) -> Page[Run]:
    """List runs, newest first. InvalidCursor."""
    limit = max(1, min(which.limit, MAX_LIMIT))
    parent = None
    if which.parent is not None:
        found = sql.one(statements.NUM_OF, {"id": which.parent})
        if found is None:
            return Page(items=[])
        parent = found[0]
    filters = {"job": which.job, "state": which.state, "tag": which.tag, "parent": parent}
    given = {name: value for name, value in filters.items() if value is not None}
    statement = views.LISTINGS["job" in given, "state" in given, "tag" in given, "parent" in given]
    rows = sql.all(statement, {**given, "before": _position(which.cursor), "limit": limit + 1})
    shown = rows[:limit]
    following = str(shown[-1][0]) if len(rows) > limit else None
    return Page(items=[run_of(sql, row, big_values=False) for row in shown], next=following)


def _position(cursor: str | None) -> int:
    if cursor is None:
        return _BEFORE_ALL
    if not (cursor.isascii() and cursor.isdigit() and len(cursor) < 19):  # noqa: PLR2004 - digits of 2**62
        raise InvalidCursor(f"{cursor!r} is not a cursor.", where="cursor")
    return int(cursor)


def run_of(sql: Reader, row: Row, *, big_values: bool) -> Run:
    """Read a run from its row. Without ``big_values``, those beyond the limit of the journal are left out."""
    (
        num, id_, job, state, pin, code, queue, lane, priority, token, worker, crashes, cancel_requested, payload,
        payload_blob, result, result_blob, failed_step, options_data, parent, parent_step, replayed_from, created_at,
        started_at, finished_at, due_at, max_duration,
    ) = row  # fmt: skip
    del num
    options = readable_options_of(options_data)
    payload = _value(sql, payload, payload_blob, big_values=big_values)
    result = _value(sql, result, result_blob, big_values=big_values)
    return Run(
        id=id_,
        job=job,
        state=state,
        payload=payload,
        output=result if state == "completed" else None,
        error=None if state == "completed" else result,
        created_at=created_at,
        started_at=started_at,
        finished_at=finished_at,
        attempt=token,
        queue=queue,
        concurrency_key=lane or None,
        priority=priority,
        tags=tuple(options.tags),
        metadata=options.metadata,
        idempotency_key=options.idempotency_key,
        parent=parent,
        parent_step=parent_step,
        replayed_from=replayed_from,
        code=code,
        version=pin or None,
        due_at=due_at,
        max_duration=max_duration,
        failed_step=failed_step,
        crashes=crashes,
        cancel_requested=bool(cancel_requested),
        worker=worker,
    )


def _value(sql: Reader, inline: bytes | None, blob: int | None, *, big_values: bool) -> bytes | None:
    if blob is None:
        return inline
    return values.load(sql, None, blob) if big_values else values.load_small(sql, blob)
