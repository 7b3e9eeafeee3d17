"""A run's steps, made from its journal and from what is known to be in flight."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from typing import Final

from engine.model import Step
from engine.operations import journal
from engine.store.interface import Reader
from engine.store.statements import runs as run_statements
from engine.store.statements import views
from trigger_sdk.protocol.entries import Entry
from trigger_sdk.protocol.states import FINAL_STATES, StepKind, StepState
from trigger_sdk.protocol.values import to_json


@dataclass(frozen=True, slots=True, kw_only=True)
class InFlight:
    """News of a step's attempt that is going on."""

    token: int
    step: str
    name: str
    op: str
    attempt: int
    started_at: float


_STATE_AFTER: Final[dict[str, StepState]] = {
    "step_completed": "completed",
    "step_failed": "failed",
    "step_attempt_failed": "retrying",
    "step_canceled": "canceled",
    "value_recorded": "completed",
    "record_failed": "failed",
    "wait_started": "waiting",
    "wait_completed": "completed",
    "wait_failed": "failed",
    "wait_timed_out": "failed",
    "wait_canceled": "canceled",
}
"""What a step is after its last entry of this kind."""

_FAILURES: Final = frozenset(("step_failed", "step_attempt_failed", "wait_failed", "record_failed"))

_OP_OF_KIND: Final[dict[str, StepKind]] = {"value_recorded": "record", "record_failed": "record"}


def of_run(sql: Reader, run_id: str, in_flight: Iterable[InFlight]) -> list[Step]:
    """Return the steps of a run in the order of their first entries; those that have none yet come last."""
    row = sql.one(run_statements.ROW_BY_ID, {"id": run_id})
    if row is None:
        return []
    num, state, token = row[0], row[3], row[7]
    by_step: dict[str, list[Entry]] = {}
    for entry in journal.entries(sql, num):
        if entry.step:
            by_step.setdefault(entry.step, []).append(entry)
    children: dict[str, str] = dict(sql.all(views.CHILDREN, {"run": num}))
    children |= dict(sql.all(views.AWAITED, {"run": num}))
    going = {one.step: one for one in in_flight if state == "running" and one.token == token}
    ended = state in FINAL_STATES
    steps = [
        _step(step, entries, going.pop(step, None), children.get(step), run_ended=ended)
        for step, entries in by_step.items()
    ]
    steps += [_started(one) for one in sorted(going.values(), key=lambda one: one.started_at)]
    return steps


def _step(step: str, entries: Sequence[Entry], going: InFlight | None, child: str | None, *, run_ended: bool) -> Step:
    first, last = entries[0], entries[-1]
    state = _STATE_AFTER[last.kind]
    open_ = state in ("retrying", "waiting")
    attempts = max(entry.attempt for entry in entries)
    if state == "retrying" and going is not None and going.attempt > attempts:
        state, attempts = "running", going.attempt
    elif open_ and run_ended:
        state = "canceled"
    failed = [e for e in entries if e.kind in _FAILURES]
    return Step(
        id=step,
        name=first.name or first.op,
        kind=_kind(first),
        state=state,
        started_at=_started_at(entries),
        finished_at=None if open_ else last.at,
        attempts=attempts,
        output=last.value if last.kind in ("step_completed", "value_recorded", "wait_completed") else None,
        error=failed[-1].value if failed and state != "completed" else None,
        line=first.line,
        due_at=last.due_at if open_ and not run_ended else None,
        child=child or _named_child(last),
    )


def _kind(first: Entry) -> StepKind:
    known: StepKind = first.op or _OP_OF_KIND.get(first.kind, "task")  # type: ignore[assignment]  # op is a StepKind
    return known


def _started_at(entries: Sequence[Entry]) -> float | None:
    times = [entry.started_at for entry in entries if entry.started_at is not None]
    if times:
        return min(times)
    first = entries[0]
    return first.at if first.kind in ("wait_started", "value_recorded", "record_failed") else None


def _named_child(last: Entry) -> str | None:
    """Return the run that an ended step names: a failed child's id, or the value of a ``trigger``."""
    if last.kind == "wait_failed":
        return last.name or None
    if last.op == "trigger" and last.kind == "wait_completed" and last.value is not None:
        return str(to_json(last.value))
    return None


def _started(one: InFlight) -> Step:
    return Step(
        id=one.step,
        name=one.name,
        kind=one.op or "task",  # type: ignore[arg-type]  # op is a StepKind
        state="running",
        started_at=one.started_at,
        finished_at=None,
        attempts=one.attempt,
        output=None,
        error=None,
        line="",
        due_at=None,
        child=None,
    )
