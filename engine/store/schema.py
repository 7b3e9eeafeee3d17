"""The tables, the same for every database.

One counter numbers runs (``num``), journal entries and events (``seq``): it grows with time, so that "since the run was
created" is a comparison. Times are seconds since the epoch. Values are encoded values; those that are big are rows of
``blobs``, and the column beside them holds the blob's number.
"""

from __future__ import annotations

from typing import Final

from sqlalchemy import (
    Column,
    ColumnElement,
    Float,
    Index,
    Integer,
    LargeBinary,
    MetaData,
    SmallInteger,
    Table,
    Text,
    UniqueConstraint,
    literal_column,
)
from sqlalchemy.types import BigInteger

REVISIONS: Final[tuple[str, ...]] = ("0001", "0002")
"""The schema's versions, oldest first, as in ``migrations/versions``. Known here so that Alembic stays unimported."""

KIND_NUMBERS: Final[dict[str, int]] = {
    "step_completed": 1,
    "step_failed": 2,
    "step_attempt_failed": 3,
    "step_canceled": 4,
    "value_recorded": 5,
    "wait_started": 6,
    "wait_completed": 7,
    "wait_failed": 8,
    "wait_timed_out": 9,
    "wait_canceled": 10,
    "cancel_requested": 11,
    "record_failed": 12,
}
"""How ``journal.kind`` is stored: it stands in the index of every entry, where words would double the size."""

KIND_WORDS: Final[dict[int, str]] = {number: word for word, number in KIND_NUMBERS.items()}

metadata = MetaData()

_Key = BigInteger().with_variant(Integer, "sqlite")
"""SQLite's row number must be declared INTEGER."""


def state_is(state: str) -> ColumnElement[bool]:
    """Compare ``runs.state`` with a constant that stands in the SQL: partial indexes are used for nothing else."""
    return runs.c.state == literal_column(f"'{state}'")


runs = Table(
    "runs",
    metadata,
    Column("num", _Key, primary_key=True, autoincrement=False),
    Column("id", Text, nullable=False, unique=True),
    Column("job", Text, nullable=False),
    Column("state", Text, nullable=False),
    Column("pin", Text, nullable=False, server_default="", comment="code version it is bound to, or empty"),
    Column("code", Text, comment="code version it last ran on"),
    Column("queue", Text, nullable=False),
    Column("lane", Text, nullable=False, server_default="", comment="concurrency key, or empty"),
    Column("priority", Integer, nullable=False, server_default="0"),
    Column("parked", SmallInteger, nullable=False, server_default="0", comment="1: its lane was full when looked at"),
    Column("token", Integer, nullable=False, server_default="0", comment="fencing token; number of attempts"),
    Column("worker", Text, comment="the session that holds it, when running"),
    Column("assigned_seq", _Key, nullable=False, server_default="0", comment="the counter at its last assignment"),
    Column("crashes", Integer, nullable=False, server_default="0"),
    Column("cancel_requested", SmallInteger, nullable=False, server_default="0"),
    Column("payload", LargeBinary),
    Column("payload_blob", _Key),
    Column("result", LargeBinary, comment="output when completed, else error"),
    Column("result_blob", _Key),
    Column("failed_step", Text, nullable=False, server_default=""),
    Column("options", LargeBinary, comment="msgpack of RunOptions, when not all default"),
    Column("parent", _Key),
    Column("parent_step", Text),
    Column("replayed_from", Text),
    Column("created_at", Float, nullable=False),
    Column("started_at", Float),
    Column("finished_at", Float),
    Column("due_at", Float, comment="delayed: when to queue; queued: when to expire; waiting: when to come back"),
    Column("max_duration", Float),
    Column("deadline", Float, comment="when it ends as timed_out"),
)
Index("runs_ready", runs.c.job, runs.c.pin, runs.c.priority.desc(), runs.c.num,
      sqlite_where=state_is("queued") & (runs.c.parked == literal_column("0")),
      postgresql_where=state_is("queued") & (runs.c.parked == literal_column("0")))  # fmt: skip
Index("runs_parked", runs.c.queue, runs.c.lane, runs.c.priority.desc(), runs.c.num,
      sqlite_where=state_is("queued") & (runs.c.parked == literal_column("1")),
      postgresql_where=state_is("queued") & (runs.c.parked == literal_column("1")))  # fmt: skip
Index("runs_going", runs.c.queue, runs.c.lane, runs.c.state,
      sqlite_where=state_is("running"), postgresql_where=state_is("running"))  # fmt: skip
Index("runs_held", runs.c.worker,
      sqlite_where=runs.c.worker.is_not(None), postgresql_where=runs.c.worker.is_not(None))  # fmt: skip
Index("runs_due", runs.c.state, runs.c.due_at,
      sqlite_where=runs.c.due_at.is_not(None), postgresql_where=runs.c.due_at.is_not(None))  # fmt: skip
Index("runs_deadline", runs.c.deadline,
      sqlite_where=runs.c.deadline.is_not(None), postgresql_where=runs.c.deadline.is_not(None))  # fmt: skip
Index("runs_finished", runs.c.finished_at,
      sqlite_where=runs.c.finished_at.is_not(None), postgresql_where=runs.c.finished_at.is_not(None))  # fmt: skip
Index("runs_parent", runs.c.parent, runs.c.parent_step, unique=True,
      sqlite_where=runs.c.parent.is_not(None), postgresql_where=runs.c.parent.is_not(None))  # fmt: skip
Index("runs_by_job", runs.c.job, runs.c.num)
Index("runs_by_state", runs.c.state, runs.c.num)


def _journal_columns() -> list[Column[object]]:
    return [
        Column("seq", _Key, primary_key=True, autoincrement=False),
        Column("run", _Key, nullable=False),
        Column("step", Text, nullable=False),
        Column("kind", SmallInteger, nullable=False),
        Column("attempt", Integer, nullable=False),
        Column("at", Float, nullable=False),
        Column("name", Text, nullable=False),
        Column("op", Text, nullable=False),
        Column("value", LargeBinary),
        Column("blob", _Key),
        Column("started_at", Float),
        Column("due_at", Float),
        Column("issued_after", _Key, nullable=False),
        Column("line", Text, nullable=False),
        Column("event", _Key, comment="the event that ended the wait"),
    ]


journal = Table(
    "journal", metadata, *_journal_columns(), UniqueConstraint("run", "step", "kind", "attempt", name="journal_once")
)
journal_superseded = Table(
    "journal_superseded", metadata, *_journal_columns(), Column("superseded_at", Float, nullable=False)
)
Index("journal_superseded_run", journal_superseded.c.run)

blobs = Table(
    "blobs",
    metadata,
    Column("id", _Key, primary_key=True, autoincrement=False),
    Column("run", _Key, nullable=False, comment="the run it belongs to; 0 for events"),
    Column("data", LargeBinary, nullable=False),
)
Index("blobs_run", blobs.c.run)

waits = Table(
    "waits",
    metadata,
    Column("run", _Key, primary_key=True, autoincrement=False),
    Column("step", Text, primary_key=True),
    Column("name", Text, nullable=False),
    Column("op", Text, nullable=False),
    Column("line", Text, nullable=False),
    Column("issued_after", _Key, nullable=False),
    Column("started_at", Float, nullable=False),
    Column("due_at", Float),
    Column("spec", LargeBinary, comment="the EventWait of an event wait"),
    Column("child", _Key, comment="the run whose end it waits for"),
    sqlite_with_rowid=False,
)
Index("waits_due", waits.c.due_at,
      sqlite_where=waits.c.due_at.is_not(None), postgresql_where=waits.c.due_at.is_not(None))  # fmt: skip
Index("waits_child", waits.c.child,
      sqlite_where=waits.c.child.is_not(None), postgresql_where=waits.c.child.is_not(None))  # fmt: skip

wait_keys = Table(
    "wait_keys",
    metadata,
    Column("name", Text, primary_key=True, comment="the event's name"),
    Column("path", Text, primary_key=True, comment="the first key of the filter, or empty"),
    Column("value", Text, primary_key=True, comment="one accepted value, canonical JSON, or empty"),
    Column("run", _Key, primary_key=True, autoincrement=False),
    Column("step", Text, primary_key=True),
    sqlite_with_rowid=False,
)

events = Table(
    "events",
    metadata,
    Column("seq", _Key, primary_key=True, autoincrement=False),
    Column("id", Text, nullable=False, unique=True),
    Column("name", Text, nullable=False),
    Column("payload", LargeBinary),
    Column("payload_blob", _Key),
    Column("at", Float, nullable=False),
)
Index("events_name", events.c.name, events.c.seq)
Index("events_at", events.c.at)

event_paths = Table(
    "event_paths",
    metadata,
    Column("name", Text, primary_key=True),
    Column("path", Text, primary_key=True, comment="a first key that some filter for these events had"),
    sqlite_with_rowid=False,
)

event_keys = Table(
    "event_keys",
    metadata,
    Column("name", Text, primary_key=True),
    Column("path", Text, primary_key=True),
    Column("value", Text, primary_key=True, comment="a value at the path, canonical JSON"),
    Column("seq", _Key, primary_key=True, autoincrement=False),
    sqlite_with_rowid=False,
)
Index("event_keys_seq", event_keys.c.seq)

idempotency = Table(
    "idempotency",
    metadata,
    Column("job", Text, primary_key=True),
    Column("key", Text, primary_key=True),
    Column("run", _Key, nullable=False),
    Column("expires_at", Float),
    sqlite_with_rowid=False,
)

run_tags = Table(
    "run_tags",
    metadata,
    Column("tag", Text, primary_key=True),
    Column("run", _Key, primary_key=True, autoincrement=False),
    sqlite_with_rowid=False,
)

sessions = Table(
    "sessions",
    metadata,
    Column("worker", Text, primary_key=True),
    Column("num", _Key, nullable=False, comment="the counter when it was opened: the newest is the greatest"),
    Column("code", Text, nullable=False),
    Column("jobs", Text, nullable=False, comment="JSON list of job ids"),
    Column("capacity", Integer, nullable=False),
    Column("draining", SmallInteger, nullable=False),
    Column("lease_until", Float, nullable=False),
    Column("executor", Text, nullable=False, server_default="", comment="where it is connected; empty on SQLite"),
)

codes = Table(
    "codes",
    metadata,
    Column("code", Text, primary_key=True),
    Column("num", _Key, nullable=False, comment="the counter when it was last declared"),
    Column("manifest", LargeBinary, nullable=False, comment="msgpack of list[JobManifest]"),
)

queues = Table(
    "queues",
    metadata,
    Column("name", Text, primary_key=True),
    Column("concurrency", Integer, comment="runs at once, for each lane; null is without limit"),
)

logs = Table(
    "logs",
    metadata,
    Column("num", _Key, primary_key=True, autoincrement=False),
    Column("run", _Key, nullable=False),
    Column("step", Text, nullable=False),
    Column("ordinal", Integer, nullable=False),
    Column("at", Float, nullable=False),
    Column("level", Integer, nullable=False),
    Column("logger", Text, nullable=False),
    Column("text", Text, nullable=False),
    Column("stream", Text, nullable=False),
)
Index("logs_run", logs.c.run, logs.c.num)
Index("logs_once", logs.c.run, logs.c.ordinal, unique=True,
      sqlite_where=logs.c.ordinal > literal_column("0"),
      postgresql_where=logs.c.ordinal > literal_column("0"))  # fmt: skip

counter_floor = Table(
    "counter_floor",
    metadata,
    Column("one", SmallInteger, primary_key=True, autoincrement=False),
    Column("num", _Key, nullable=False, comment="numbers up to this one were given out, though their rows may be gone"),
)

# --- several engines on one database; empty on SQLite ---

executors = Table(
    "executors",
    metadata,
    Column("name", Text, primary_key=True),
    Column("mark", _Key, nullable=False, comment="number of its last transaction"),
    Column("seen_at", Float, nullable=False, comment="its last transaction, by the database's clock"),
)

mail = Table(
    "mail",
    metadata,
    Column("executor", Text, primary_key=True, comment="whose session it is for"),
    Column("num", _Key, primary_key=True, autoincrement=False),
    Column("kind", Text, nullable=False, comment="arrived or lost"),
    Column("worker", Text, nullable=False),
    Column("run", _Key, nullable=False),
    Column("token", Integer, nullable=False),
    Column("seq", _Key, comment="the entry that arrived"),
    sqlite_with_rowid=False,
)

pulse = Table(
    "pulse",
    metadata,
    Column("one", SmallInteger, primary_key=True, autoincrement=False),
    Column("board", _Key, nullable=False, comment="grows when sessions, limits, jobs, paths or executors change"),
    Column("news", _Key, nullable=False, comment="grows with each transaction that has something for others"),
)
