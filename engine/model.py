"""The values the engine takes and gives: requests, answers and what it shows of runs. All are frozen.

Times are seconds since the epoch (UTC), durations are seconds, encoded values are the bytes of
:mod:`trigger_sdk.protocol.values`.
"""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import Generic, Literal, TypeVar

from trigger_sdk.protocol.entries import Entry, RunOptions
from trigger_sdk.protocol.manifest import JobManifest
from trigger_sdk.protocol.states import RunState, StepKind, StepState

T = TypeVar("T")

Durability = Literal["normal", "full"]
"""When a commit counts. ``normal``: it survives any crash of the process, and a loss of power may take the last
moments. ``full``: it is on the disk before it is acknowledged."""

EndState = Literal["completed", "failed", "canceled", "timed_out"]
"""The states in which a worker can end a run."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Settings:
    """What may differ from one engine to the next.

    Attributes:
        durability: see :data:`Durability`.
        lease_ttl_s: seconds after a session's last sign of life until its runs go to others.
        max_crashes: how often in a row a run may take its worker down without progress before it ends ``crashed``.
        suspect_crashes: after so many, a run is suspected: no worker has two such runs, until one has proved itself.
        probation_s: seconds that a suspected run must live to prove itself, unless it makes progress before.
        retention_s: seconds that a finished run and its journal are kept; None keeps them for ever.
        log_limit: characters of output that are kept of one run, each line counted with 64 more.
        group_limit: the most operations in one commit.
        outside_limit: waiting operations above which calls from outside are refused (``store-busy``).
    """

    durability: Durability = "normal"
    lease_ttl_s: float = 15.0
    max_crashes: int = 10
    suspect_crashes: int = 2
    probation_s: float = 60.0
    retention_s: float | None = 7 * 24 * 3600.0
    log_limit: int = 16 * 1024 * 1024
    group_limit: int = 512
    outside_limit: int = 20_000


@dataclass(frozen=True, slots=True, kw_only=True)
class RunRequest:
    """One run to create.

    Attributes:
        job: the job's id.
        payload: encoded value.
        options: how to start it.
        code: the code version it must run on; None (and no ``options.version``) is whatever is newest.
    """

    job: str
    payload: bytes
    options: RunOptions = field(default_factory=RunOptions)
    code: str | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class Created:
    """Answer to the creation of a run. ``existing``: the idempotency key had one, and this is its id."""

    run_id: str
    existing: bool = False


@dataclass(frozen=True, slots=True, kw_only=True)
class Appended:
    """Entries are committed: they have ``seq`` first, first + 1, ... and the commit's clock ``at``."""

    first: int
    at: float


@dataclass(frozen=True, slots=True, kw_only=True)
class Sent:
    """An event is committed. ``matched``: the waits it ended. ``existing``: an event with this id was there already."""

    id: str
    matched: int
    existing: bool = False


@dataclass(frozen=True, slots=True, kw_only=True)
class Assignment:
    """A run given to a session: what ``Start`` needs, and the whole journal, big values included.

    Attributes:
        run: the run's id.
        token: the lease's fencing token; it grows with each assignment.
        job: the job's id.
        payload: encoded value.
        attempt: which execution by a worker this is, from 1.
        created_at: when the run was created.
        began_at: when the first attempt began.
        log_ordinal: how many of the body's lines of output are kept already.
        parent: id of the run that started it, or empty.
        idempotency_key: the key it was started with, or empty.
        tags: its labels.
        metadata: what was given to keep with it.
        deadline: when it ends as ``timed_out``, or None.
        journal: its entries in the order of ``seq``.
    """

    run: str
    token: int
    job: str
    payload: bytes
    attempt: int
    created_at: float
    began_at: float
    log_ordinal: int = 0
    parent: str = ""
    idempotency_key: str = ""
    tags: tuple[str, ...] = ()
    metadata: dict[str, object] = field(default_factory=dict)
    deadline: float | None = None
    journal: list[Entry] = field(default_factory=list)


@dataclass(frozen=True, slots=True, kw_only=True)
class Run:
    """A run as it stands.

    Attributes:
        id: ``run_`` and 26 characters that sort by time of creation.
        job: the job's id.
        state: where it is in its life.
        payload: encoded value; None when it is big and the run is part of a list.
        output: encoded result of a completed run, else None (also when it is big and the run is part of a list).
        error: encoded exception or problem of a run that ended otherwise, else None.
        created_at: when it was created.
        started_at: when its first attempt began, or None.
        finished_at: when it ended, or None.
        attempt: how many executions by a worker began.
        queue: the queue it belongs to.
        concurrency_key: what divides the queue's limit, or None.
        priority: higher goes first.
        tags: its labels.
        metadata: what was given to keep with it.
        idempotency_key: the key it was started with, or None.
        parent: id of the run that started it, or None.
        parent_step: the step of the parent that started it, or None.
        replayed_from: id of the run it repeats, or None.
        code: the code version it last ran on, or None.
        version: the code version it is bound to, or None.
        due_at: when a delayed run is queued, or the deadline of its state's timer, or None.
        max_duration: seconds it may take from ``started_at``, or None.
        failed_step: the step its error came from, or empty.
        crashes: crashes in a row without progress.
        cancel_requested: True when somebody asked that it be cancelled.
        worker: the session that holds it, or None.
    """

    id: str
    job: str
    state: RunState
    payload: bytes | None
    output: bytes | None
    error: bytes | None
    created_at: float
    started_at: float | None
    finished_at: float | None
    attempt: int
    queue: str
    concurrency_key: str | None
    priority: int
    tags: tuple[str, ...]
    metadata: dict[str, object]
    idempotency_key: str | None
    parent: str | None
    parent_step: str | None
    replayed_from: str | None
    code: str | None
    version: str | None
    due_at: float | None
    max_duration: float | None
    failed_step: str
    crashes: int
    cancel_requested: bool
    worker: str | None


@dataclass(frozen=True, slots=True, kw_only=True)
class RunFilter:
    """Which runs to list, newest first.

    Attributes:
        job: only this job's, or None.
        state: only those in this state, or None.
        tag: only those with this label, or None.
        parent: only those started by this run (its id), or None.
        limit: the most to return, 1 to 200.
        cursor: ``Page.next`` of the page before, or None for the first.
    """

    job: str | None = None
    state: RunState | None = None
    tag: str | None = None
    parent: str | None = None
    limit: int = 50
    cursor: str | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class Page(Generic[T]):
    """Part of a list; ``next`` is the cursor of the following part, or None at the end."""

    items: list[T]
    next: str | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class Step:
    """A step of a run, made from its entries.

    Attributes:
        id: branch and position, such as ``3`` or ``2.1.4``.
        name: the task's, job's, event's or recorded function's name.
        kind: what the step does.
        state: how far it is.
        started_at: when its first attempt or its wait began, or None when unknown.
        finished_at: when it ended, or None.
        attempts: executions of a task so far, counting one in flight.
        output: encoded result, or None.
        error: encoded exception of the end or of the last attempt, or None.
        line: source place of the call, relative to the project, or empty.
        due_at: when a wait ends or a retry begins, or None.
        child: id of the run that a ``child`` or ``trigger`` step started, or None.
    """

    id: str
    name: str
    kind: StepKind
    state: StepState
    started_at: float | None
    finished_at: float | None
    attempts: int
    output: bytes | None
    error: bytes | None
    line: str
    due_at: float | None
    child: str | None


@dataclass(frozen=True, slots=True, kw_only=True)
class KnownJob:
    """A job that workers declared, with the version of the code that declares it."""

    code: str
    manifest: JobManifest
