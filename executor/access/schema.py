"""The tables of environments, keys and the audit log: a database of their own, beside those of the environments.

``FORMAT`` is written into the database; one that a newer release wrote is refused. Times are seconds since the epoch.
"""

from __future__ import annotations

from typing import Final

from sqlalchemy import BigInteger, Column, Float, Index, Integer, LargeBinary, MetaData, SmallInteger, Table, Text

FORMAT: Final = 1
"""The version of these tables."""

metadata = MetaData()

formats = Table(
    "access_format",
    metadata,
    Column("one", SmallInteger, primary_key=True, autoincrement=False),
    Column("format", Integer, nullable=False),
)

environments = Table(
    "environments",
    metadata,
    Column("name", Text, primary_key=True),
    Column("created_at", Float, nullable=False),
    Column("opened_at", Float, comment="when it was first used, or null: then there is nothing to serve yet"),
    Column("archived_at", Float),
)

keys = Table(
    "keys",
    metadata,
    Column("id", Text, primary_key=True, comment="the beginning of the key"),
    Column("digest", LargeBinary, nullable=False, comment="SHA-256 of the key"),
    Column("environment", Text, nullable=False, comment="empty: all"),
    Column("purpose", Text, nullable=False),
    Column("note", Text, nullable=False),
    Column("created_at", Float, nullable=False),
    Column("created_by", Text, nullable=False, comment="id of a key, or empty: the server"),
    Column("used_at", Float, comment="to the hour"),
    Column("revoked_at", Float),
)
Index("keys_environment", keys.c.environment, keys.c.created_at)

audit = Table(
    "audit",
    metadata,
    Column("num", BigInteger().with_variant(Integer, "sqlite"), primary_key=True, autoincrement=True),
    Column("at", Float, nullable=False),
    Column("key", Text, nullable=False, comment="who: id of a key, or empty: the server"),
    Column("environment", Text, nullable=False, comment="empty: all"),
    Column("action", Text, nullable=False, comment="method and path of the route"),
    Column("target", Text, nullable=False, comment="the path that was asked for"),
    Column("address", Text, nullable=False, comment="where the request came from"),
    Column("status", Integer, comment="HTTP's; null: the server did not live to say"),
)
Index("audit_environment", audit.c.environment, audit.c.num)
