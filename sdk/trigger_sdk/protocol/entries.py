"""Journal entries: the append-only record of a run's steps.

An entry is written once and never changed. ``seq`` orders all entries of a run (it grows, with gaps); ``at`` is the
commit's clock and drives the body's clock on replay. Both are given by the engine.

Kinds, and which fields they use beside ``step``, ``name``, ``op``, ``started_at``, ``issued_after``, ``line``:

====================== ============= ======================================================================
kind                   written by    meaning and fields
====================== ============= ======================================================================
step_completed         worker        a task returned: ``value`` = encoded result, ``attempt`` = which one did
step_failed            worker        a task gave up: ``value`` = encoded exception, ``attempt``
step_attempt_failed    worker        an attempt failed and another follows at ``due_at``: ``value``, ``attempt``
step_canceled          worker        a task was cancelled by its body
value_recorded         worker        a recorded call: ``value``
record_failed          worker        a recorded call raised: ``value`` = encoded exception
wait_started           worker        a wait is registered: ``due_at`` (sleep, timer, or time-out of an event wait);
                                     ``value`` = encoded WaitSpec for event, child, trigger, send
wait_completed         engine        the wait ended well. event: ``value`` = the event's payload, ``name`` = its id,
                                     ``issued_after`` = its ``seq``; child: ``value`` = its output, ``name`` = its run
                                     id; trigger: ``name`` = the run id; send: ``name`` = the event id; sleep, timer:
                                     nothing
wait_failed            engine        the child run failed: ``value`` = encoded exception; ``name`` = its run id, and for
                                     a run or event that could not be started: ``value`` = encoded problem
wait_timed_out         engine        an event did not come before ``due_at``
wait_canceled          worker        the body gave up the wait
cancel_requested       engine        somebody asked that the run be cancelled; ``step`` is empty, ``attempt`` tells the
                                     request after a resumption from the one before
====================== ============= ======================================================================
"""

from __future__ import annotations

from typing import Final, Literal

import msgspec

EntryKind = Literal[
    "step_completed",
    "step_failed",
    "step_attempt_failed",
    "step_canceled",
    "value_recorded",
    "record_failed",
    "wait_started",
    "wait_completed",
    "wait_failed",
    "wait_timed_out",
    "wait_canceled",
    "cancel_requested",
]

DELIVERED_KINDS: Final[frozenset[str]] = frozenset(
    (
        "step_completed",
        "step_failed",
        "step_canceled",
        "wait_completed",
        "wait_failed",
        "wait_timed_out",
        "cancel_requested",
    )
)
"""The kinds that a body learns of, one at a time, in the order of ``seq``."""


class Entry(msgspec.Struct, array_like=True, frozen=True, kw_only=True):
    """One journal entry; see the table in the module's docstring for which fields a kind uses.

    Attributes:
        kind: what happened.
        step: the step's id: branch and position, such as ``3`` or ``2.1.4``.
        name: the task's, job's, event's or recorded function's name.
        op: the step's kind (:data:`trigger_sdk.protocol.states.StepKind`).
        value: an encoded value (see :mod:`trigger_sdk.protocol.values`), or None.
        attempt: which execution of the task this is about, from 1.
        started_at: when the step's current attempt began, in seconds since the epoch.
        due_at: when a wait ends or a retry begins, in seconds since the epoch.
        issued_after: ``seq`` of the last entry the body had learned of when it asked for the step.
        line: source place of the call, ``jobs/a.py:12``, relative to the project.
        seq: order within the run; 0 until committed.
        at: time of the commit, in seconds since the epoch; 0 until committed.
    """

    kind: EntryKind
    step: str = ""
    name: str = ""
    op: str = ""
    value: bytes | None = None
    attempt: int = 0
    started_at: float | None = None
    due_at: float | None = None
    issued_after: int = 0
    line: str = ""
    seq: int = 0
    at: float = 0.0


class RunOptions(msgspec.Struct, frozen=True, kw_only=True, omit_defaults=True):
    """How a run is to be started.

    Attributes:
        idempotency_key: a second start with the same job and key returns the first run.
        idempotency_ttl: seconds for which the key holds; None is for ever.
        delay: seconds to wait before the run is queued.
        ttl: seconds in the queue after which the run expires unstarted.
        priority: higher goes first.
        queue: overrides the job's queue.
        concurrency_key: divides the queue's limit; each key has the queue's limit of its own.
        tags: labels to find runs by, at most 10 of 128 characters.
        metadata: anything JSON-like to keep with the run.
        max_duration: seconds a run may take in all before it ends as ``timed_out``.
        version: the code version to run on; None is the current one.
    """

    idempotency_key: str | None = None
    idempotency_ttl: float | None = None
    delay: float | None = None
    ttl: float | None = None
    priority: int = 0
    queue: str | None = None
    concurrency_key: str | None = None
    tags: list[str] = []
    metadata: dict[str, object] = {}
    max_duration: float | None = None
    version: str | None = None


class EventWait(msgspec.Struct, frozen=True, kw_only=True, tag="event"):
    """Wait for an event.

    Attributes:
        name: the event's name.
        filter: key path (``user.id``) to the accepted values (a list); all keys must match. A list in the payload
            matches when any of its members is accepted.
        after: ``seq`` of the last event that this run received from a wait with the same name and filter; 0 for none.
    """

    name: str
    filter: dict[str, list[object]] = {}
    after: int = 0


class StartRun(msgspec.Struct, frozen=True, kw_only=True, tag="run"):
    """Start another run. Used by steps of kind ``child`` (waits for its end) and ``trigger`` (does not)."""

    job: str
    payload: bytes
    options: RunOptions = RunOptions()


class SendEvent(msgspec.Struct, frozen=True, kw_only=True, tag="send"):
    """Send an event; ``payload`` is an encoded value."""

    name: str
    payload: bytes
    id: str | None = None


WaitSpec = EventWait | StartRun | SendEvent
"""What ``wait_started.value`` holds, msgpack encoded by :func:`encode_spec`, for steps that need more than a time."""

_encode = msgspec.msgpack.Encoder().encode
_decode = msgspec.msgpack.Decoder(WaitSpec).decode


def encode_spec(spec: WaitSpec) -> bytes:
    """Return the bytes to put into a ``wait_started`` entry."""
    return _encode(spec)


def decode_spec(data: bytes) -> WaitSpec:
    """Read what :func:`encode_spec` wrote. Raises msgspec.ValidationError for anything else."""
    spec: WaitSpec = _decode(data)
    return spec
