"""Several engines on one database: executors, their mail, the pulse; on PostgreSQL the counter is a sequence."""

from __future__ import annotations

from typing import Final

import sqlalchemy as sa
from alembic import op

revision = "0002"
down_revision = "0001"

_KEY: Final = sa.BigInteger().with_variant(sa.Integer(), "sqlite")

_TAKE_NUMBERS: Final = """
CREATE FUNCTION take_numbers(wanted bigint) RETURNS bigint LANGUAGE plpgsql AS $$
DECLARE
    taken bigint;
    right_to_count CONSTANT integer := hashtext(current_schema() || '.numbers');
BEGIN
    PERFORM pg_advisory_lock(21080, right_to_count);
    SELECT last_value + 1 INTO taken FROM numbers;
    PERFORM setval('numbers', taken + wanted - 1);
    PERFORM pg_advisory_unlock(21080, right_to_count);
    RETURN taken;
END
$$
"""
"""The first of ``wanted`` consecutive numbers. A sequence gives single numbers only; it is locked for two look-ups."""


def upgrade() -> None:
    """Go from revision 0001 to this one."""
    op.add_column("sessions", sa.Column("executor", sa.Text(), server_default="", nullable=False))
    op.create_table(
        "executors",
        sa.Column("name", sa.Text(), nullable=False),
        sa.Column("mark", _KEY, nullable=False),
        sa.Column("seen_at", sa.Float(), nullable=False),
        sa.PrimaryKeyConstraint("name"),
    )
    op.create_table(
        "mail",
        sa.Column("executor", sa.Text(), nullable=False),
        sa.Column("num", _KEY, autoincrement=False, nullable=False),
        sa.Column("kind", sa.Text(), nullable=False),
        sa.Column("worker", sa.Text(), nullable=False),
        sa.Column("run", _KEY, nullable=False),
        sa.Column("token", sa.Integer(), nullable=False),
        sa.Column("seq", _KEY, nullable=True),
        sa.PrimaryKeyConstraint("executor", "num"),
        sqlite_with_rowid=False,
    )
    op.create_table(
        "pulse",
        sa.Column("one", sa.SmallInteger(), autoincrement=False, nullable=False),
        sa.Column("board", _KEY, nullable=False),
        sa.Column("news", _KEY, nullable=False),
        sa.PrimaryKeyConstraint("one"),
    )
    if op.get_bind().dialect.name == "postgresql":
        op.execute("INSERT INTO pulse VALUES (1, 0, 0)")
        op.execute("CREATE SEQUENCE numbers MINVALUE 0 START 0")
        op.execute(_TAKE_NUMBERS)
