"""Beginning waits: timers, events, child runs, and the steps that end as soon as they begin."""

from __future__ import annotations

import msgspec

from engine.errors import EngineError, InvalidEntry
from engine.model import RunRequest
from engine.operations import ending, events, queueing, runs, values, waits
from engine.store.statements import runs as run_statements
from engine.transaction import RunRow, Transaction, WaitRow
from trigger_sdk.protocol.entries import Entry, EventWait, SendEvent, StartRun, WaitSpec, decode_spec, encode_spec
from trigger_sdk.protocol.problem import Problem
from trigger_sdk.protocol.states import FINAL_STATES
from trigger_sdk.protocol.values import encode_json, encode_problem

_SPEC_OF_OP: dict[str, type | None] = {
    "sleep": None,
    "timer": None,
    "event": EventWait,
    "child": StartRun,
    "trigger": StartRun,
    "send": SendEvent,
}


def spec_of(entry: Entry) -> WaitSpec | None:
    """Read what a wait is for; InvalidEntry when entry and specification do not fit."""
    if entry.op not in _SPEC_OF_OP:
        raise InvalidEntry(f"Step {entry.step} begins a wait of the unknown kind {entry.op!r}.")
    expected = _SPEC_OF_OP[entry.op]
    if expected is None:
        if entry.due_at is None:
            raise InvalidEntry(f"Step {entry.step} is a {entry.op} without an end.")
        return None
    try:
        spec = decode_spec(entry.value or b"")
    except msgspec.DecodeError as error:
        raise InvalidEntry(f"Step {entry.step} begins a wait that cannot be read: {error}.") from error
    if not isinstance(spec, expected):
        raise InvalidEntry(f"Step {entry.step} is a {entry.op} but its specification is not.")
    if isinstance(spec, SendEvent):
        events.check(spec.payload)
    elif isinstance(spec, StartRun):
        values.check_size(spec.payload, f"The payload of step {entry.step}")
    return spec


def begin(tx: Transaction, run: RunRow, entry: Entry, spec: WaitSpec | None) -> None:
    """Do what a ``wait_started`` entry asks for. It was checked with :func:`spec_of`."""
    wait = WaitRow(
        run=run.num,
        step=entry.step,
        name=entry.name,
        op=entry.op,
        line=entry.line,
        issued_after=entry.issued_after,
        started_at=entry.started_at if entry.started_at is not None else tx.at,
        due_at=entry.due_at,
        spec=None,
        child=None,
    )
    if spec is None:
        waits.open_wait(tx, wait)
    elif isinstance(spec, EventWait):
        _await_event(tx, wait, spec)
    elif isinstance(spec, StartRun):
        _start_run(tx, run, wait, spec)
    else:
        _send(tx, wait, spec)


def _await_event(tx: Transaction, wait: WaitRow, spec: EventWait) -> None:
    sent = events.find_sent(tx, spec, wait.run)
    if sent is None:
        waits.open_wait(tx, wait._replace(spec=encode_spec(spec)))
    else:
        waits.complete(tx, wait, "wait_completed", sent.payload, name=sent.id, event=sent.seq, is_open=False)


def _start_run(tx: Transaction, run: RunRow, wait: WaitRow, spec: StartRun) -> None:
    row = tx.sql.one(run_statements.CHILD_OF, {"parent": run.num, "step": wait.step})
    if row is None:
        request = RunRequest(job=spec.job, payload=spec.payload, options=spec.options)
        refusal = _refusal(tx, request)
        if refusal is not None:
            waits.complete(tx, wait, "wait_failed", encode_problem(refusal), name="", is_open=False)
            return
        created, _ = runs.create(tx, request, parent=run.num, parent_step=wait.step)
        child = queueing.find(tx, created.run_id)
    else:
        child = RunRow(*row)
    if wait.op == "trigger":
        waits.complete(tx, wait, "wait_completed", encode_json(child.id), name=child.id, is_open=False)
    elif child.state in FINAL_STATES:
        result = tx.sql.one(run_statements.RESULT_OF, {"num": child.num}) or (None, None)
        ending.tell(tx, wait, child, child.state, values.load(tx.sql, result[0], result[1]), is_open=False)
    else:
        waits.open_wait(tx, wait._replace(child=child.num))


def _refusal(tx: Transaction, request: RunRequest) -> Problem | None:
    """Return why a run cannot be started, or None."""
    try:
        runs.check(request)
    except EngineError as error:
        return error.problem
    if request.job in tx.board.jobs:
        return None
    return Problem(
        code="unknown-job",
        message=f"There is no job {request.job!r}.",
        detail=f"Known jobs: {', '.join(sorted(tx.board.jobs)) or 'none'}.",
        hint="Check the job's id; a job must be in the project's `dirs` to be known.",
    )


def _send(tx: Transaction, wait: WaitRow, spec: SendEvent) -> None:
    sent = events.send(tx, spec.name, spec.payload, spec.id)
    waits.complete(tx, wait, "wait_completed", encode_json(sent.id), name=sent.id, is_open=False)
