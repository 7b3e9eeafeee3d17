"""What the writer thread remembers between transactions, so that it need not ask the database each time.

All of it can be read from the database again, and is after a transaction was undone. Its size goes with the sessions
and what they hold, with jobs, queues and event names, not with the runs.
"""

from __future__ import annotations

import json
from dataclasses import dataclass, field

import msgspec

from engine.model import KnownJob
from engine.store.interface import Reader
from engine.store.statements import events, peers, runs, sessions
from trigger_sdk.protocol.manifest import JobManifest

ReadyKey = tuple[str, str]
"""Job and pinned code version (or empty): what decides which sessions can take a run."""

decode_manifest = msgspec.msgpack.Decoder(list[JobManifest]).decode
encode_manifest = msgspec.msgpack.Encoder().encode


@dataclass(slots=True)
class Session:
    """A worker's session.

    Attributes:
        worker: its id.
        num: orders sessions by age.
        code: the code version it loaded.
        jobs: ids of the jobs it takes.
        capacity: the most runs it holds.
        draining: True when it gets nothing new.
        executor: the engine it is connected to.
        held: how many runs it has.
        suspect: number of the run it has on probation, or None. Not kept in the database.
        suspect_until: when that run has proved itself.
    """

    worker: str
    num: int
    code: str
    jobs: frozenset[str]
    capacity: int
    draining: bool
    executor: str = ""
    held: int = 0
    suspect: int | None = None
    suspect_until: float = 0.0

    @property
    def room(self) -> int:
        """How many runs more it takes."""
        return self.capacity - self.held


@dataclass(slots=True)
class LogSpace:
    """How much of a run's output is kept.

    Attributes:
        used: characters, each line counted with its row.
        last: number of the last line that is kept, or None.
        told: the greatest ordinal among the body's lines that were told since no more are kept.
    """

    used: int
    last: int | None
    told: int = 0


@dataclass(slots=True)
class Board:
    """The writer thread's memory.

    Attributes:
        me: the name of this engine among those on the database.
        version: of what is common to all engines, as it was read.
        chief: whether this engine does what one of all does; set by the loop.
        others: the other engines on the database.
        told: role name to the due time that was last told to the others.
        look: whether something was read or changed since the assignment last looked for runs to start.
        sessions: by worker id, also those of the others.
        ready: keys of which there may be runs to start; checked and removed by the assignment.
        limits: runs at once for each lane of a queue; a queue without limit may be absent.
        jobs: the jobs of the newest code version; replaced, never changed, so that other threads can read it.
        log_spaces: by run number, of runs that workers hold.
    """

    me: str = ""
    version: int = 0
    chief: bool = True
    others: frozenset[str] = frozenset()
    told: dict[str, float] = field(default_factory=dict)
    look: bool = True
    sessions: dict[str, Session] = field(default_factory=dict)
    ready: set[ReadyKey] = field(default_factory=set)
    limits: dict[str, int | None] = field(default_factory=dict)
    jobs: dict[str, KnownJob] = field(default_factory=dict)
    log_spaces: dict[int, LogSpace] = field(default_factory=dict)
    _paths: dict[str, set[str]] = field(default_factory=dict)

    def load(self, sql: Reader) -> None:
        """Read everything from the database; what stands in memory only is kept as far as it still holds."""
        before = self.sessions
        held: dict[str, int] = dict(sql.all(runs.HELD_COUNTS, {}))
        self.sessions = {
            worker: Session(
                worker, num, code, frozenset(json.loads(jobs)), capacity, bool(draining), executor, held.get(worker, 0)
            )
            for worker, num, code, jobs, capacity, draining, _, executor in sql.all(sessions.ALL, {})
        }
        self.others = frozenset(name for (name,) in sql.all(peers.EXECUTORS, {})) - {self.me}
        if self.others:
            self._keep_suspects(sql, before)
        self.ready = _ready_keys(sql)
        self.look = True
        self.limits = dict(sql.all(sessions.QUEUES, {}))
        newest = sql.one(sessions.NEWEST_CODE, {})
        self.jobs = {} if newest is None else known_jobs(newest[0], decode_manifest(newest[1]))
        self.log_spaces = {}
        self._paths = {}

    def _keep_suspects(self, sql: Reader, before: dict[str, Session]) -> None:
        """Another engine changed something: runs on probation stay so while their session has them."""
        for old in before.values():
            session = self.sessions.get(old.worker)
            if session is None or old.suspect is None or session.executor != self.me:
                continue
            row = sql.one(runs.WORKER_OF, {"num": old.suspect})
            if row is not None and row[0] == old.worker:
                session.suspect, session.suspect_until = old.suspect, old.suspect_until

    @property
    def mine(self) -> list[Session]:
        """The sessions that are connected to this engine."""
        return [session for session in self.sessions.values() if session.executor == self.me]

    def paths(self, sql: Reader, name: str) -> set[str]:
        """Return the first keys of all filters that waited for events of this name."""
        known = self._paths.get(name)
        if known is None:
            known = self._paths[name] = {path for (path,) in sql.all(events.PATHS, {"name": name})}
        return known

    def takers(self, key: ReadyKey) -> list[Session]:
        """Return my sessions that may take runs of a key: of the newest code that declares the job (or the pinned)."""
        job, pin = key
        able = [s for s in self.sessions.values() if not s.draining and job in s.jobs and pin in ("", s.code)]
        if not able:
            return able
        newest = max(able, key=lambda s: s.num).code
        return [s for s in able if s.code == newest and s.executor == self.me]

    def mark_all_ready(self, sql: Reader) -> None:
        """Look at every queued run again: a session came or changed."""
        self.ready |= _ready_keys(sql)
        self.look = True


def _ready_keys(sql: Reader) -> set[ReadyKey]:
    return {(job, pin) for job, pin in sql.all(runs.READY_KEYS, {})}


def known_jobs(code: str, manifest: list[JobManifest]) -> dict[str, KnownJob]:
    """Return the jobs of a code version by id."""
    return {job.id: KnownJob(code=code, manifest=job) for job in sorted(manifest, key=lambda job: job.id)}
