"""Writing and reading journal entries."""

from __future__ import annotations

from collections.abc import Sequence

from engine.operations import queueing, values
from engine.store.interface import Reader, Row
from engine.store.schema import KIND_NUMBERS, KIND_WORDS
from engine.store.statements import journal
from engine.transaction import Arrived, RunRow, Transaction
from trigger_sdk.protocol.entries import Entry
from trigger_sdk.protocol.limits import BIG_VALUE_BYTES


def insert(tx: Transaction, run: int, entries: Sequence[Entry], event: int | None = None) -> tuple[int, int]:
    """Insert entries that are not there yet; return the ``seq`` of the first and how many were new."""
    first = tx.sql.take(len(entries))
    rows = [
        {
            "seq": seq,
            "run": run,
            "step": entry.step,
            "kind": KIND_NUMBERS[entry.kind],
            "attempt": entry.attempt,
            "at": tx.at,
            "name": entry.name,
            "op": entry.op,
            "value": entry.value,
            "blob": None,
            "started_at": entry.started_at,
            "due_at": entry.due_at,
            "issued_after": entry.issued_after,
            "line": entry.line,
            "event": event,
        }
        for seq, entry in enumerate(entries, first)
    ]
    for row, entry in zip(rows, entries, strict=True):
        if entry.value is not None and len(entry.value) > BIG_VALUE_BYTES:
            row["value"], row["blob"] = values.store(tx, run, entry.value)
    return first, tx.sql.run_many(journal.INSERT, rows)


def deliver(tx: Transaction, run: RunRow, entry: Entry, event: int | None = None) -> None:
    """Write an entry of the engine's and let the run learn of it: at once when it runs, by waking it when it waits.

    ``event`` is the ``seq`` of the event that it is about.
    """
    first, new = insert(tx, run.num, [entry], event)
    if not new:
        return
    if run.state == "running" and run.worker is not None:
        tx.news.append(Arrived(run.worker, run.id, run.token, [stamped(entry, first, tx.at)]))
    elif run.state == "waiting":
        queueing.enqueue(tx, run)


def stamped(entry: Entry, seq: int, at: float) -> Entry:
    """Return the entry with what the commit gave it."""
    return Entry(
        kind=entry.kind,
        step=entry.step,
        name=entry.name,
        op=entry.op,
        value=entry.value,
        attempt=entry.attempt,
        started_at=entry.started_at,
        due_at=entry.due_at,
        issued_after=entry.issued_after,
        line=entry.line,
        seq=seq,
        at=at,
    )


def entry_of(sql: Reader, row: Row) -> Entry:
    """Read an entry from its row, big value included."""
    seq, kind, step, attempt, at, name, op, value, blob, started_at, due_at, issued_after, line = row
    return Entry(
        kind=KIND_WORDS[kind],  # type: ignore[arg-type]  # the table holds the kinds
        step=step,
        name=name,
        op=op,
        value=value if blob is None else values.load(sql, value, blob),
        attempt=attempt,
        started_at=started_at,
        due_at=due_at,
        issued_after=issued_after,
        line=line,
        seq=seq,
        at=at,
    )


def entries(sql: Reader, run: int) -> list[Entry]:
    """Return the journal of a run."""
    return [entry_of(sql, row) for row in sql.all(journal.ENTRIES, {"run": run})]


def delivered_after(sql: Reader, run: int, seq: int) -> list[Entry]:
    """Return what a body is to learn of above ``seq``."""
    return [entry_of(sql, row) for row in sql.all(journal.DELIVERED_AFTER, {"run": run, "seq": seq})]
