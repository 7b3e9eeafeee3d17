"""A worker's entries."""

from __future__ import annotations

from collections.abc import Sequence

from engine.errors import InvalidEntry, JournalConflict, LeaseLost
from engine.model import Appended
from engine.operations import ending, journal, probation, registration, values, waits
from engine.store.schema import KIND_NUMBERS
from engine.store.statements import journal as statements
from engine.store.statements import runs
from engine.store.statements import waits as wait_statements
from engine.transaction import RunRow, Transaction, WaitRow
from trigger_sdk.protocol.entries import Entry, WaitSpec

_PLAIN = frozenset(
    ("step_completed", "step_failed", "step_attempt_failed", "step_canceled", "value_recorded", "record_failed")
)
"""The kinds that are only written down."""

_BRIEF_ENTRIES = 8
_BRIEF_BYTES = 16 * 1024


def is_plain(entries: Sequence[Entry]) -> bool:
    """Return whether entries are only written down: they concern nothing but their run, which one worker holds."""
    return all(entry.kind in _PLAIN for entry in entries)


def is_brief(entries: Sequence[Entry]) -> bool:
    """Return whether it takes some microseconds to keep entries: they are few, small and only written down."""
    return (
        len(entries) <= _BRIEF_ENTRIES
        and is_plain(entries)
        and sum(len(entry.value or b"") for entry in entries) <= _BRIEF_BYTES
    )


def leased(tx: Transaction, run_id: str, token: int) -> RunRow:
    """Return a run that is leased with this token; LeaseLost."""
    row = tx.sql.one(runs.ROW_BY_ID, {"id": run_id})
    run = None if row is None else RunRow(*row)
    if run is None or run.state != "running" or run.token != token:
        raise LeaseLost(f"The lease {token} of run {run_id} is over.")
    return run


def append(tx: Transaction, run_id: str, token: int, entries: Sequence[Entry]) -> Appended:
    """Commit entries of the lease's holder. LeaseLost, InvalidEntry, ValueOverLimit, JournalConflict."""
    run = leased(tx, run_id, token)
    specs = _check(entries)
    if not entries:
        return Appended(first=0, at=tx.at)
    first, new = journal.insert(tx, run.num, entries)
    if new != len(entries):
        return _again(tx, run, entries, first)
    if run.crashes:
        probation.end(tx, run.worker, run.num)
    for entry, spec in specs:
        if entry.kind == "wait_started":
            registration.begin(tx, run, entry, spec)
        else:
            row = tx.sql.one(wait_statements.ONE, {"run": run.num, "step": entry.step})
            if row is not None:
                wait = WaitRow(*row)
                waits.close(tx, wait)
                ending.abandon(tx, wait)
    return Appended(first=first, at=tx.at)


def _check(entries: Sequence[Entry]) -> list[tuple[Entry, WaitSpec | None]]:
    """Check everything before anything is written; return the entries that begin or end waits."""
    waiting: list[tuple[Entry, WaitSpec | None]] = []
    for entry in entries:
        if entry.value is not None:
            values.check_size(entry.value, f"The value of step {entry.step} ({entry.name})")
        if entry.kind in _PLAIN:
            continue
        if entry.kind == "wait_started":
            waiting.append((entry, registration.spec_of(entry)))
        elif entry.kind == "wait_canceled":
            waiting.append((entry, None))
        else:
            raise InvalidEntry(f"A worker cannot write {entry.kind} (step {entry.step}).")
    return waiting


def _again(tx: Transaction, run: RunRow, entries: Sequence[Entry], first: int) -> Appended:
    """Acknowledge entries that were committed before, in the same place; JournalConflict when only some were."""
    tx.sql.write(statements.WITHDRAW_FROM, {"by_run": run.num, "by_seq": first})
    tx.sql.write(statements.WITHDRAW_BLOBS_FROM, {"by_run": run.num, "by_id": first})
    places = [
        tx.sql.one(
            statements.ENTRY_PLACE,
            {"run": run.num, "step": e.step, "kind": KIND_NUMBERS[e.kind], "attempt": e.attempt},
        )
        for e in entries
    ]
    before = places[0]
    if before is None or any(p is None or p[0] != before[0] + index for index, p in enumerate(places)):
        known = ", ".join(f"{e.step} {e.kind}" for e, p in zip(entries, places, strict=True) if p is not None)
        raise JournalConflict(f"Run {run.id} has some of these entries already: {known}.")
    return Appended(first=before[0], at=before[1])
