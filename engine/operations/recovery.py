"""Resuming runs that failed, and replaying any run as a new one."""

from __future__ import annotations

from collections.abc import Sequence

from msgspec.structs import replace

from engine.errors import RunNotFound, RunNotResumable
from engine.model import Created, RunRequest
from engine.operations import ending, journal, queueing, registration, runs, values
from engine.states import RESUMABLE, check_move
from engine.store.interface import Row
from engine.store.statements import journal as statements
from engine.store.statements import runs as run_statements
from engine.transaction import RunRow, Transaction
from trigger_sdk.protocol.entries import Entry
from trigger_sdk.protocol.states import FINAL_STATES

_FAILURES = frozenset(("step_failed", "record_failed", "wait_failed", "wait_timed_out"))
_ENDS = frozenset(("wait_completed", "wait_failed", "wait_timed_out", "wait_canceled"))
_GIVEN_UP = frozenset(("step_canceled", "wait_canceled", "cancel_requested"))


def resume(tx: Transaction, run_id: str) -> None:
    """Queue a run again that failed, crashed or timed out. RunNotFound, RunNotResumable.

    When the failed step is known, it and everything that followed from its failure leave the journal (they are kept in
    ``journal_superseded``): the step is executed anew, steps that were asked for before keep their results.
    """
    run = queueing.find(tx, run_id)
    if run.state not in RESUMABLE:
        raise RunNotResumable(f"Run {run_id} is {run.state} and cannot be resumed.")
    check_move(run.id, run.state, "queued")
    entries = journal.entries(tx.sql, run.num)
    outdated = _outdated(entries, failed_step=_recipe(tx, run)[5])
    for entry in entries:
        if entry.seq in outdated:
            _supersede(tx, run, entry)
    tx.sql.write(run_statements.RESUME, {"by_num": run.num})
    tx.make_ready(run.job, run.pin)
    _reopen(tx, run, [entry for entry in entries if entry.seq not in outdated])


def _outdated(entries: Sequence[Entry], failed_step: str) -> set[int]:
    """Return the ``seq`` of the entries that go."""
    failure = next((e.seq for e in entries if e.step == failed_step and e.kind in _FAILURES), None)
    if not failed_step or failure is None:
        return set()
    # When a step was asked for stands in what the worker wrote: an event's ``seq`` stands there in its wait's end.
    asked = {e.step for e in entries if e.kind not in _ENDS and e.issued_after >= failure}
    gone = (asked | {failed_step}) - {""}
    return {e.seq for e in entries if e.step in gone or (e.seq > failure and e.kind in _GIVEN_UP)}


def _supersede(tx: Transaction, run: RunRow, entry: Entry) -> None:
    tx.sql.write(statements.SUPERSEDE, {"by_seq": entry.seq, "at": tx.at})
    tx.sql.write(statements.DELETE_ENTRY, {"by_seq": entry.seq})
    if entry.kind != "wait_started":
        return
    row = tx.sql.one(run_statements.CHILD_OF, {"parent": run.num, "step": entry.step})
    if row is None:
        return
    child = RunRow(*row)
    tx.sql.write(run_statements.UNLINK_CHILD, {"by_num": child.num})
    if entry.op == "child" and child.state not in FINAL_STATES:
        ending.request_cancel(tx, child)


def _reopen(tx: Transaction, run: RunRow, entries: Sequence[Entry]) -> None:
    """Begin the waits again that were open when the run ended."""
    ended = {entry.step for entry in entries if entry.kind in _ENDS}
    again = run._replace(state="queued", worker=None)
    for entry in entries:
        if entry.kind == "wait_started" and entry.step not in ended:
            registration.begin(tx, again, entry, registration.spec_of(entry))


def _recipe(tx: Transaction, run: RunRow) -> Row:
    row = tx.sql.one(run_statements.RECIPE_OF, {"num": run.num})
    if row is None:
        raise RunNotFound(f"There is no run {run.id}.")
    return row


def replay(tx: Transaction, run_id: str) -> Created:
    """Create a run with the payload and the options of another, without its idempotency key and delay. RunNotFound."""
    run = queueing.find(tx, run_id)
    job, payload, blob, options, _, _ = _recipe(tx, run)
    request = RunRequest(
        job=job,
        payload=values.load(tx.sql, payload, blob) or b"",
        options=replace(runs.options_of(options), idempotency_key=None, idempotency_ttl=None, delay=None),
    )
    created, _ = runs.create(tx, request, replayed_from=run.id)
    return created
