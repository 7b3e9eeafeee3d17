"""What an operation works on: the database, the time, and what is to be told after the commit."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass, field
from typing import NamedTuple, TypeVar

from engine.board import Board, ReadyKey
from engine.ids import Ids
from engine.model import Assignment, Settings
from engine.store.interface import Writer
from trigger_sdk.protocol.entries import Entry
from trigger_sdk.protocol.states import RunState

T = TypeVar("T")


class RunRow(NamedTuple):
    """The part of a run that operations decide by; columns of ``statements.runs``."""

    num: int
    id: str
    job: str
    state: RunState
    pin: str
    queue: str
    lane: str
    token: int
    worker: str | None
    crashes: int
    assigned_seq: int
    started_at: float | None
    deadline: float | None


class WaitRow(NamedTuple):
    """An open wait; the columns of ``waits``."""

    run: int
    step: str
    name: str
    op: str
    line: str
    issued_after: int
    started_at: float
    due_at: float | None
    spec: bytes | None
    child: int | None


@dataclass(frozen=True, slots=True)
class NewRun:
    """News: a run was created."""

    run_id: str
    job: str


@dataclass(frozen=True, slots=True)
class Ended:
    """News: a run ended that no session held."""

    run_id: str
    token: int


@dataclass(frozen=True, slots=True)
class Assigned:
    """News: a run was given to a session."""

    worker: str
    assignment: Assignment


@dataclass(frozen=True, slots=True)
class Arrived:
    """News: entries for a run that a session holds."""

    worker: str
    run_id: str
    token: int
    entries: list[Entry]


@dataclass(frozen=True, slots=True)
class Lost:
    """News: a session's right to a run is over."""

    worker: str
    run_id: str
    token: int


@dataclass(frozen=True, slots=True)
class Posted:
    """No news here: they went to another engine, whose session they are for."""


News = NewRun | Ended | Assigned | Arrived | Lost | Posted


@dataclass(slots=True)
class Transaction:
    """One transaction of the writer thread, shared by the operations of a group.

    Attributes:
        sql: the database.
        at: the commit's clock, in seconds since the epoch.
        board: the writer's memory.
        ids: makes ids.
        settings: the engine's.
        news: what the listener is told after the commit, in order.
        ended: ids of the runs that ended.
        due: role name to the earliest time that was written for it.
        lanes: (queue, lane) that may have free slots now.
        fresh: keys of the runs that became ready in this transaction.
        reshaped: True when something changed that all engines on the database keep in memory.
        heard: how much of the news came from other engines, before the first operation.
        local: True when it runs beside transactions of other engines, and must not decide about what they write.
        more: True when runs are left that could be assigned in another transaction.
    """

    sql: Writer
    at: float
    board: Board
    ids: Ids
    settings: Settings
    news: list[News] = field(default_factory=list)
    ended: list[str] = field(default_factory=list)
    due: dict[str, float] = field(default_factory=dict)
    lanes: set[tuple[str, str]] = field(default_factory=set)
    fresh: set[ReadyKey] = field(default_factory=set)
    reshaped: bool = False
    heard: int = 0
    local: bool = False
    more: bool = False

    def note_due(self, role: str, at: float | None) -> None:
        """Tell a role that there is something to do at a time."""
        if at is not None and at < self.due.get(role, float("inf")):
            self.due[role] = at

    def make_ready(self, job: str, pin: str) -> None:
        """A run can start: look for it before the commit, here or elsewhere."""
        self.board.ready.add((job, pin))
        self.fresh.add((job, pin))

    def lose(self, run: RunRow) -> None:
        """Tell the run's worker that its lease is over."""
        if run.worker is not None:
            self.news.append(Lost(run.worker, run.id, run.token))


Operation = Callable[[Transaction], T]
"""Reads, decides, raises EngineError before anything is written, writes, and returns what the caller gets."""
