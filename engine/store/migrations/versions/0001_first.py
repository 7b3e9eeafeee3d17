"""The first schema."""

from __future__ import annotations

from typing import Final

import sqlalchemy as sa
from alembic import op

revision = "0001"
down_revision = None

_KEY: Final = sa.BigInteger().with_variant(sa.Integer(), "sqlite")


def _index(
    name: str, table: str, columns: list[str | sa.TextClause], *, where: str | None = None, unique: bool = False
) -> None:
    """Create an index, partial where ``where`` says so."""
    condition = None if where is None else sa.text(where)
    op.create_index(name, table, columns, unique=unique, sqlite_where=condition, postgresql_where=condition)


def upgrade() -> None:
    """Go from an empty database to this revision."""
    _runs()
    _run_indexes()
    _journal()
    _logs()
    _waits_and_events()
    _workers()


def _runs() -> None:
    op.create_table(
        "runs",
        sa.Column("num", _KEY, autoincrement=False, nullable=False),
        sa.Column("id", sa.Text(), nullable=False),
        sa.Column("job", sa.Text(), nullable=False),
        sa.Column("state", sa.Text(), nullable=False),
        sa.Column("pin", sa.Text(), server_default="", nullable=False),
        sa.Column("code", sa.Text(), nullable=True),
        sa.Column("queue", sa.Text(), nullable=False),
        sa.Column("lane", sa.Text(), server_default="", nullable=False),
        sa.Column("priority", sa.Integer(), server_default="0", nullable=False),
        sa.Column("parked", sa.SmallInteger(), server_default="0", nullable=False),
        sa.Column("token", sa.Integer(), server_default="0", nullable=False),
        sa.Column("worker", sa.Text(), nullable=True),
        sa.Column("assigned_seq", _KEY, server_default="0", nullable=False),
        sa.Column("crashes", sa.Integer(), server_default="0", nullable=False),
        sa.Column("cancel_requested", sa.SmallInteger(), server_default="0", nullable=False),
        sa.Column("payload", sa.LargeBinary(), nullable=True),
        sa.Column("payload_blob", _KEY, nullable=True),
        sa.Column("result", sa.LargeBinary(), nullable=True),
        sa.Column("result_blob", _KEY, nullable=True),
        sa.Column("failed_step", sa.Text(), server_default="", nullable=False),
        sa.Column("options", sa.LargeBinary(), nullable=True),
        sa.Column("parent", _KEY, nullable=True),
        sa.Column("parent_step", sa.Text(), nullable=True),
        sa.Column("replayed_from", sa.Text(), nullable=True),
        sa.Column("created_at", sa.Float(), nullable=False),
        sa.Column("started_at", sa.Float(), nullable=True),
        sa.Column("finished_at", sa.Float(), nullable=True),
        sa.Column("due_at", sa.Float(), nullable=True),
        sa.Column("max_duration", sa.Float(), nullable=True),
        sa.Column("deadline", sa.Float(), nullable=True),
        sa.PrimaryKeyConstraint("num"),
        sa.UniqueConstraint("id"),
    )
    op.create_table(
        "run_tags",
        sa.Column("tag", sa.Text(), nullable=False),
        sa.Column("run", _KEY, autoincrement=False, nullable=False),
        sa.PrimaryKeyConstraint("tag", "run"),
        sqlite_with_rowid=False,
    )
    op.create_table(
        "idempotency",
        sa.Column("job", sa.Text(), nullable=False),
        sa.Column("key", sa.Text(), nullable=False),
        sa.Column("run", _KEY, nullable=False),
        sa.Column("expires_at", sa.Float(), nullable=True),
        sa.PrimaryKeyConstraint("job", "key"),
        sqlite_with_rowid=False,
    )


def _run_indexes() -> None:
    _index("runs_by_job", "runs", ["job", "num"])
    _index("runs_by_state", "runs", ["state", "num"])
    _index("runs_deadline", "runs", ["deadline"], where="deadline IS NOT NULL")
    _index("runs_due", "runs", ["state", "due_at"], where="due_at IS NOT NULL")
    _index("runs_finished", "runs", ["finished_at"], where="finished_at IS NOT NULL")
    _index("runs_going", "runs", ["queue", "lane", "state"], where="state = 'running'")
    _index("runs_held", "runs", ["worker"], where="worker IS NOT NULL")
    _index("runs_parent", "runs", ["parent", "parent_step"], where="parent IS NOT NULL", unique=True)
    _index(
        "runs_parked",
        "runs",
        ["queue", "lane", sa.text("priority DESC"), "num"],
        where="state = 'queued' AND parked = 1",
    )
    _index(
        "runs_ready",
        "runs",
        ["job", "pin", sa.text("priority DESC"), "num"],
        where="state = 'queued' AND parked = 0",
    )


def _journal() -> None:
    op.create_table(
        "journal",
        sa.Column("seq", _KEY, autoincrement=False, nullable=False),
        sa.Column("run", _KEY, nullable=False),
        sa.Column("step", sa.Text(), nullable=False),
        sa.Column("kind", sa.SmallInteger(), nullable=False),
        sa.Column("attempt", sa.Integer(), nullable=False),
        sa.Column("at", sa.Float(), nullable=False),
        sa.Column("name", sa.Text(), nullable=False),
        sa.Column("op", sa.Text(), nullable=False),
        sa.Column("value", sa.LargeBinary(), nullable=True),
        sa.Column("blob", _KEY, nullable=True),
        sa.Column("started_at", sa.Float(), nullable=True),
        sa.Column("due_at", sa.Float(), nullable=True),
        sa.Column("issued_after", _KEY, nullable=False),
        sa.Column("line", sa.Text(), nullable=False),
        sa.Column("event", _KEY, nullable=True),
        sa.PrimaryKeyConstraint("seq"),
        sa.UniqueConstraint("run", "step", "kind", "attempt", name="journal_once"),
    )
    op.create_table(
        "journal_superseded",
        sa.Column("seq", _KEY, autoincrement=False, nullable=False),
        sa.Column("run", _KEY, nullable=False),
        sa.Column("step", sa.Text(), nullable=False),
        sa.Column("kind", sa.SmallInteger(), nullable=False),
        sa.Column("attempt", sa.Integer(), nullable=False),
        sa.Column("at", sa.Float(), nullable=False),
        sa.Column("name", sa.Text(), nullable=False),
        sa.Column("op", sa.Text(), nullable=False),
        sa.Column("value", sa.LargeBinary(), nullable=True),
        sa.Column("blob", _KEY, nullable=True),
        sa.Column("started_at", sa.Float(), nullable=True),
        sa.Column("due_at", sa.Float(), nullable=True),
        sa.Column("issued_after", _KEY, nullable=False),
        sa.Column("line", sa.Text(), nullable=False),
        sa.Column("event", _KEY, nullable=True),
        sa.Column("superseded_at", sa.Float(), nullable=False),
        sa.PrimaryKeyConstraint("seq"),
    )
    _index("journal_superseded_run", "journal_superseded", ["run"])
    op.create_table(
        "blobs",
        sa.Column("id", _KEY, autoincrement=False, nullable=False),
        sa.Column("run", _KEY, nullable=False),
        sa.Column("data", sa.LargeBinary(), nullable=False),
        sa.PrimaryKeyConstraint("id"),
    )
    _index("blobs_run", "blobs", ["run"])


def _logs() -> None:
    op.create_table(
        "logs",
        sa.Column("num", _KEY, autoincrement=False, nullable=False),
        sa.Column("run", _KEY, nullable=False),
        sa.Column("step", sa.Text(), nullable=False),
        sa.Column("ordinal", sa.Integer(), nullable=False),
        sa.Column("at", sa.Float(), nullable=False),
        sa.Column("level", sa.Integer(), nullable=False),
        sa.Column("logger", sa.Text(), nullable=False),
        sa.Column("text", sa.Text(), nullable=False),
        sa.Column("stream", sa.Text(), nullable=False),
        sa.PrimaryKeyConstraint("num"),
    )
    _index("logs_once", "logs", ["run", "ordinal"], where="ordinal > 0", unique=True)
    _index("logs_run", "logs", ["run", "num"])


def _waits_and_events() -> None:
    op.create_table(
        "waits",
        sa.Column("run", _KEY, autoincrement=False, nullable=False),
        sa.Column("step", sa.Text(), nullable=False),
        sa.Column("name", sa.Text(), nullable=False),
        sa.Column("op", sa.Text(), nullable=False),
        sa.Column("line", sa.Text(), nullable=False),
        sa.Column("issued_after", _KEY, nullable=False),
        sa.Column("started_at", sa.Float(), nullable=False),
        sa.Column("due_at", sa.Float(), nullable=True),
        sa.Column("spec", sa.LargeBinary(), nullable=True),
        sa.Column("child", _KEY, nullable=True),
        sa.PrimaryKeyConstraint("run", "step"),
        sqlite_with_rowid=False,
    )
    _index("waits_child", "waits", ["child"], where="child IS NOT NULL")
    _index("waits_due", "waits", ["due_at"], where="due_at IS NOT NULL")

    op.create_table(
        "wait_keys",
        sa.Column("name", sa.Text(), nullable=False, comment="the event's name"),
        sa.Column("path", sa.Text(), nullable=False),
        sa.Column("value", sa.Text(), nullable=False),
        sa.Column("run", _KEY, autoincrement=False, nullable=False),
        sa.Column("step", sa.Text(), nullable=False),
        sa.PrimaryKeyConstraint("name", "path", "value", "run", "step"),
        sqlite_with_rowid=False,
    )
    op.create_table(
        "events",
        sa.Column("seq", _KEY, autoincrement=False, nullable=False),
        sa.Column("id", sa.Text(), nullable=False),
        sa.Column("name", sa.Text(), nullable=False),
        sa.Column("payload", sa.LargeBinary(), nullable=True),
        sa.Column("payload_blob", _KEY, nullable=True),
        sa.Column("at", sa.Float(), nullable=False),
        sa.PrimaryKeyConstraint("seq"),
        sa.UniqueConstraint("id"),
    )
    _index("events_at", "events", ["at"])
    _index("events_name", "events", ["name", "seq"])
    op.create_table(
        "event_paths",
        sa.Column("name", sa.Text(), nullable=False),
        sa.Column("path", sa.Text(), nullable=False),
        sa.PrimaryKeyConstraint("name", "path"),
        sqlite_with_rowid=False,
    )
    op.create_table(
        "event_keys",
        sa.Column("name", sa.Text(), nullable=False),
        sa.Column("path", sa.Text(), nullable=False),
        sa.Column("value", sa.Text(), nullable=False),
        sa.Column("seq", _KEY, autoincrement=False, nullable=False),
        sa.PrimaryKeyConstraint("name", "path", "value", "seq"),
        sqlite_with_rowid=False,
    )
    _index("event_keys_seq", "event_keys", ["seq"])


def _workers() -> None:
    op.create_table(
        "sessions",
        sa.Column("worker", sa.Text(), nullable=False),
        sa.Column("num", _KEY, nullable=False),
        sa.Column("code", sa.Text(), nullable=False),
        sa.Column("jobs", sa.Text(), nullable=False),
        sa.Column("capacity", sa.Integer(), nullable=False),
        sa.Column("draining", sa.SmallInteger(), nullable=False),
        sa.Column("lease_until", sa.Float(), nullable=False),
        sa.PrimaryKeyConstraint("worker"),
    )
    op.create_table(
        "codes",
        sa.Column("code", sa.Text(), nullable=False),
        sa.Column("num", _KEY, nullable=False),
        sa.Column("manifest", sa.LargeBinary(), nullable=False),
        sa.PrimaryKeyConstraint("code"),
    )
    op.create_table(
        "queues",
        sa.Column("name", sa.Text(), nullable=False),
        sa.Column("concurrency", sa.Integer(), nullable=True),
        sa.PrimaryKeyConstraint("name"),
    )
    op.create_table(
        "counter_floor",
        sa.Column("one", sa.SmallInteger(), autoincrement=False, nullable=False),
        sa.Column("num", _KEY, nullable=False),
        sa.PrimaryKeyConstraint("one"),
    )
