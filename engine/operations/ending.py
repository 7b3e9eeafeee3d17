"""The end of runs and the request to cancel them, with what it means for waits, parents and children."""

from __future__ import annotations

from engine.errors import RunFinal
from engine.operations import journal, queueing, values, waits
from engine.states import check_move
from engine.store.statements import journal as entry_statements
from engine.store.statements import runs
from engine.store.statements import waits as wait_statements
from engine.transaction import Ended, RunRow, Transaction, WaitRow
from trigger_sdk.protocol.entries import Entry
from trigger_sdk.protocol.problem import Problem
from trigger_sdk.protocol.states import FINAL_STATES, RunState
from trigger_sdk.protocol.values import encode_problem

_CASCADING: frozenset[RunState] = frozenset(("canceled", "timed_out", "crashed"))
"""The ends of a parent after which the children it waited for are asked to end too."""


def end(
    tx: Transaction, run: RunRow, state: RunState, value: bytes | None, failed_step: str = "", *, told: bool = False
) -> None:
    """End a run: its waits are closed, whoever waits for it learns of it, what it held is free.

    ``told``: its worker ends it and need not hear that the lease is over.
    """
    check_move(run.id, run.state, state)
    result, blob = values.store(tx, run.num, value, values.RUN_INLINE_BYTES)
    tx.sql.write(
        runs.END,
        {
            "by_num": run.num,
            "state": state,
            "result": result,
            "result_blob": blob,
            "failed_step": failed_step,
            "finished_at": tx.at,
        },
    )
    if run.state == "running":
        queueing.leave_worker(tx, run)
        if run.worker is not None and not told:
            tx.lose(run)
    else:
        tx.news.append(Ended(run.id, run.token))
        if run.state == "queued":
            tx.lanes.add((run.queue, run.lane))
    tx.ended.append(run.id)
    if tx.settings.retention_s is not None:
        tx.note_due("pruner", tx.at + tx.settings.retention_s)
    open_waits = waits.close_all(tx, run.num)
    for row in tx.sql.all(wait_statements.FOR_CHILD, {"child": run.num}):
        tell(tx, WaitRow(*row), run, state, value)
    if state in _CASCADING:
        for wait in open_waits:
            abandon(tx, wait)


def tell(
    tx: Transaction, wait: WaitRow, child: RunRow, state: RunState, value: bytes | None, *, is_open: bool = True
) -> None:
    """End the wait for a child that ended."""
    if state == "completed":
        waits.complete(tx, wait, "wait_completed", value, name=child.id, is_open=is_open)
        return
    if state != "failed" or value is None:
        value = encode_problem(
            Problem(
                code=f"child-{state.replace('_', '-')}",
                message=f"Run {child.id} of job {child.job} {_PAST[state]}.",
                hint=f"See `trigger runs show {child.id}`.",
            )
        )
    waits.complete(tx, wait, "wait_failed", value, name=child.id, is_open=is_open)


_PAST: dict[str, str] = {
    "failed": "failed",
    "canceled": "was canceled",
    "expired": "expired before it started",
    "timed_out": "took longer than its max_duration",
    "crashed": "crashed its worker again and again",
}


def abandon(tx: Transaction, wait: WaitRow) -> None:
    """Ask the child of a closed wait to cancel, if this step started it and no other run waits for it."""
    if wait.child is None or tx.sql.one(wait_statements.FOR_CHILD, {"child": wait.child}) is not None:
        return
    row = tx.sql.one(runs.CHILD_OF, {"parent": wait.run, "step": wait.step})
    child = None if row is None else RunRow(*row)
    if child is not None and child.state not in FINAL_STATES:
        request_cancel(tx, child)


def cancel(tx: Transaction, run_id: str) -> None:
    """Ask that a run be cancelled; asking again changes nothing. RunNotFound, RunFinal."""
    run = queueing.find(tx, run_id)
    if run.state == "canceled":
        return
    if run.state in FINAL_STATES:
        raise RunFinal(f"Run {run_id} is {run.state} already and cannot be cancelled.")
    request_cancel(tx, run)


def request_cancel(tx: Transaction, run: RunRow) -> None:
    """Cancel a run that never started; let a body that did start learn of the request, so that it can clean up."""
    asked = not tx.sql.run(runs.REQUEST_CANCEL, {"by_num": run.num})
    if run.token == 0:
        problem = Problem(
            code="run-canceled",
            message=f"Run {run.id} was canceled before it started.",
            hint="Replay it to run it after all.",
        )
        end(tx, run, "canceled", encode_problem(problem))
        return
    if asked:
        return
    # A run that was resumed may hold an earlier request: a kind of entry is kept once for each ``attempt``.
    row = tx.sql.one(entry_statements.LAST_CANCEL, {"run": run.num})
    before = None if row is None else row[0]
    journal.deliver(tx, run, Entry(kind="cancel_requested", attempt=0 if before is None else before + 1))
