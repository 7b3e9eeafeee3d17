"""The journal and the values beside it."""

from __future__ import annotations

from typing import Final

from sqlalchemy import ColumnElement, bindparam, delete, func, insert, literal_column, select

from engine.store.interface import Statement, insert_new
from engine.store.schema import KIND_NUMBERS, blobs, journal, journal_superseded
from trigger_sdk.protocol.entries import DELIVERED_KINDS
from trigger_sdk.protocol.limits import BIG_VALUE_BYTES

_DELIVERED: list[ColumnElement[int]] = [literal_column(str(KIND_NUMBERS[kind])) for kind in sorted(DELIVERED_KINDS)]

_ENTRY = (
    journal.c.seq, journal.c.kind, journal.c.step, journal.c.attempt, journal.c.at, journal.c.name, journal.c.op,
    journal.c.value, journal.c.blob, journal.c.started_at, journal.c.due_at, journal.c.issued_after, journal.c.line,
)  # fmt: skip
"""The columns that :func:`engine.operations.journal.entry_of` reads, in its order."""

_RUN = journal.c.run == bindparam("run")

INSERT: Final = insert_new(journal)
"""Append; an entry with the same run, step, kind and attempt stays as it is."""

ENTRIES: Final = Statement(select(*_ENTRY).where(_RUN).order_by(journal.c.seq))
ENTRY: Final = Statement(select(*_ENTRY).where(journal.c.seq == bindparam("seq")))
ENTRIES_OF_STEP: Final = Statement(
    select(*_ENTRY).where(_RUN, journal.c.step == bindparam("step")).order_by(journal.c.seq)
)
ENTRY_PLACE: Final = Statement(
    select(journal.c.seq, journal.c.at).where(
        _RUN,
        journal.c.step == bindparam("step"),
        journal.c.kind == bindparam("kind"),
        journal.c.attempt == bindparam("attempt"),
    )
)
DELIVERED_AFTER: Final = Statement(
    select(*_ENTRY)
    .where(_RUN, journal.c.seq > bindparam("seq"), journal.c.kind.in_(_DELIVERED))
    .order_by(journal.c.seq)
)
ANY_DELIVERED_AFTER: Final = Statement(
    select(journal.c.seq).where(_RUN, journal.c.seq > bindparam("seq"), journal.c.kind.in_(_DELIVERED)).limit(1)
)
ANY_AFTER: Final = Statement(select(journal.c.seq).where(_RUN, journal.c.seq > bindparam("seq")).limit(1))
LAST_CANCEL: Final = Statement(
    select(func.max(journal.c.attempt)).where(
        _RUN,
        journal.c.step == literal_column("''"),
        journal.c.kind == literal_column(str(KIND_NUMBERS["cancel_requested"])),
    )
)
"""The greatest ``attempt`` of a run's requests to cancel; null when there is none."""

EVENT_OF_ENTRY: Final = Statement(
    select(journal.c.event).where(journal.c.seq == bindparam("seq"), _RUN, journal.c.event.is_not(None))
)
WITHDRAW_FROM: Final = Statement(
    delete(journal).where(journal.c.run == bindparam("by_run"), journal.c.seq >= bindparam("by_seq"))
)
"""Take back what this transaction inserted: nothing else has such numbers."""

WITHDRAW_BLOBS_FROM: Final = Statement(
    delete(blobs).where(blobs.c.run == bindparam("by_run"), blobs.c.id >= bindparam("by_id"))
)

SUPERSEDE: Final = Statement(
    insert(journal_superseded).from_select(
        [c.name for c in journal_superseded.c],
        select(*journal.c, bindparam("at").label("superseded_at")).where(journal.c.seq == bindparam("by_seq")),
    )
)
DELETE_ENTRY: Final = Statement(delete(journal).where(journal.c.seq == bindparam("by_seq")))
DELETE_RUN: Final = Statement(delete(journal).where(journal.c.run == bindparam("by_num")))
DELETE_SUPERSEDED: Final = Statement(delete(journal_superseded).where(journal_superseded.c.run == bindparam("by_num")))

INSERT_BLOB: Final = Statement(insert(blobs))
BLOB: Final = Statement(select(blobs.c.data).where(blobs.c.id == bindparam("id")))
SMALL_BLOB: Final = Statement(
    select(blobs.c.data).where(
        blobs.c.id == bindparam("id"), func.length(blobs.c.data) <= literal_column(str(BIG_VALUE_BYTES))
    )
)
DELETE_BLOBS: Final = Statement(delete(blobs).where(blobs.c.run == bindparam("by_num")))
DELETE_BLOB: Final = Statement(delete(blobs).where(blobs.c.id == bindparam("by_id")))
