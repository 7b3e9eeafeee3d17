"""Open waits: what ends them, and closing them."""

from __future__ import annotations

from typing import Literal

from engine.operations import journal, queueing
from engine.operations.matching import first_key
from engine.store.statements import waits
from engine.transaction import Transaction, WaitRow
from trigger_sdk.protocol.entries import Entry, EventWait, decode_spec
from trigger_sdk.protocol.states import FINAL_STATES

EndKind = Literal["wait_completed", "wait_failed", "wait_timed_out"]


def open_wait(tx: Transaction, wait: WaitRow) -> None:
    """Keep a wait until something ends it."""
    tx.sql.write(waits.INSERT, wait._asdict())
    tx.note_due("timekeeper", wait.due_at)
    for name, path, value in _keys(wait):
        tx.sql.write(waits.INSERT_KEY, {"name": name, "path": path, "value": value, "run": wait.run, "step": wait.step})


def close(tx: Transaction, wait: WaitRow) -> None:
    """Forget a wait."""
    tx.sql.write(waits.DELETE, {"by_run": wait.run, "by_step": wait.step})
    for name, path, value in _keys(wait):
        tx.sql.write(
            waits.DELETE_KEY,
            {"by_name": name, "by_path": path, "by_value": value, "by_run": wait.run, "by_step": wait.step},
        )


def close_all(tx: Transaction, run: int) -> list[WaitRow]:
    """Forget the waits of a run; returns them."""
    open_waits = of_run(tx, run)
    for wait in open_waits:
        close(tx, wait)
    return open_waits


def of_run(tx: Transaction, run: int) -> list[WaitRow]:
    """Return the open waits of a run."""
    return [WaitRow(*row) for row in tx.sql.all(waits.OF_RUN, {"run": run})]


def complete(
    tx: Transaction,
    wait: WaitRow,
    kind: EndKind,
    value: bytes | None = None,
    *,
    name: str | None = None,
    event: int | None = None,
    is_open: bool = True,
) -> None:
    """End a wait: write the entry, and let the run learn of it.

    ``name`` replaces the wait's by the id of the event or run it is about; ``event`` is the ``seq`` of the event that
    ended it, by which the body asks for later ones; ``is_open`` is False for a wait
    that ends as soon as it begins and was never kept.
    """
    if is_open:
        close(tx, wait)
    run = queueing.get(tx, wait.run)
    if run is None or run.state in FINAL_STATES:
        return
    entry = Entry(
        kind=kind,
        step=wait.step,
        name=wait.name if name is None else name,
        op=wait.op,
        value=value,
        started_at=wait.started_at,
        issued_after=wait.issued_after if event is None else event,
        line=wait.line,
    )
    journal.deliver(tx, run, entry, event)


def _keys(wait: WaitRow) -> list[tuple[str, str, str]]:
    """Return under which (event name, path, value) an event wait is found."""
    if wait.spec is None:
        return []
    spec = decode_spec(wait.spec)
    if not isinstance(spec, EventWait):
        return []
    path, accepted = first_key(spec.filter)
    return [(spec.name, path, value) for value in accepted]
