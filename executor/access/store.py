"""Keeps environments, keys and the audit log, in SQLite or PostgreSQL. Used by one thread at a time."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from dataclasses import asdict, dataclass, fields
from typing import Any

from sqlalchemy import Connection, Engine, func, insert, inspect, select, update
from sqlalchemy.exc import DBAPIError, IntegrityError

from engine.errors import DatabaseInvalid, DatabaseNewer, StoreUnavailable
from executor.access import schema
from executor.access.environments import FIXED
from executor.access.errors import EnvironmentLimit, EnvironmentUnknown
from executor.access.keys import Key


@dataclass(frozen=True, slots=True, kw_only=True)
class Environment:
    """An environment as it is kept; ``opened_at`` is None while nobody has used it. Times are since the epoch."""

    name: str
    created_at: float
    opened_at: float | None = None
    archived_at: float | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class Act:
    """A line of the audit log.

    Attributes:
        num: its number, growing.
        at: when.
        key: who: the id of a key, or empty for the server itself.
        environment: where; empty for all.
        action: what: a route, such as ``POST /api/v1/keys``.
        target: the path that was asked for.
        address: where the request came from.
        status: HTTP's, or None when the server did not live to say.
    """

    num: int
    at: float
    key: str
    environment: str
    action: str
    target: str
    address: str
    status: int | None


_LOCK = 21_081
"""PostgreSQL's number of the right to make the tables."""

_ACT = [schema.audit.c[field.name] for field in fields(Act)]


class AccessStore:
    """A database of environments, keys and the audit log.

    Every method is one transaction, and raises StoreUnavailable when the database cannot take it now.

    Args:
        engine: SQLAlchemy's, for the database; closed by :meth:`close`.
        where: the database for people, without a password.
    """

    def __init__(self, engine: Engine, where: str) -> None:
        self._engine = engine
        self._where = where

    def prepare(self, first: Key) -> bool:
        """Make the tables where there are none, with a first key; False when there are tables already.

        DatabaseNewer, DatabaseInvalid.
        """
        with self._transaction() as sql:
            if sql.dialect.name == "postgresql":  # two servers may start at once
                sql.execute(select(func.pg_advisory_xact_lock(_LOCK)))
            names = set(inspect(sql).get_table_names())
            if not names:
                self._create(sql, first)
                return True
            if schema.formats.name not in names:
                raise DatabaseInvalid("The database was not made by trigger: it has other tables.", where=self._where)
            found = sql.execute(select(schema.formats.c.format)).scalar_one()
            if found > schema.FORMAT:
                raise DatabaseNewer(
                    f"The database of keys has format {found}; this release knows formats up to {schema.FORMAT}.",
                    where=self._where,
                )
            return False

    def _create(self, sql: Connection, first: Key) -> None:
        at = first.created_at
        schema.metadata.create_all(sql)
        sql.execute(insert(schema.formats).values(one=1, format=schema.FORMAT))
        sql.execute(insert(schema.environments), [{"name": name, "created_at": at} for name in FIXED])
        sql.execute(insert(schema.keys).values(asdict(first)))
        act = {"at": at, "key": "", "environment": "", "action": "first start", "target": first.id, "address": ""}
        sql.execute(insert(schema.audit).values(act))

    def close(self) -> None:
        """Close the connections."""
        self._engine.dispose()

    @contextmanager
    def _transaction(self) -> Iterator[Connection]:
        try:
            with self._engine.begin() as connection:
                yield connection
        except IntegrityError:
            raise
        except DBAPIError as error:
            told = str(error.orig).partition("\n")[0]
            raise StoreUnavailable(f"The database of keys cannot be used: {told}.", where=self._where) from error

    # --- environments -------------------------------------------------------------------------------------------

    def environments(self) -> list[Environment]:
        """Return all, in the order in which they were made, archived ones included."""
        table = schema.environments
        with self._transaction() as sql:
            rows = sql.execute(select(table).order_by(table.c.created_at, table.c.name)).mappings().all()
        return [Environment(**row) for row in rows]

    def environment(self, name: str) -> Environment | None:
        """Return one, or None."""
        with self._transaction() as sql:
            row = sql.execute(select(schema.environments).where(schema.environments.c.name == name)).mappings().first()
        return None if row is None else Environment(**row)

    def add_environment(self, name: str, at: float, limit: int) -> bool:
        """Make an environment, or bring an archived one back; False when it is there already. EnvironmentLimit."""
        table = schema.environments
        with self._transaction() as sql:
            rows = {row.name: row.archived_at for row in sql.execute(select(table.c.name, table.c.archived_at))}
            if name in rows and rows[name] is None:
                return False
            if sum(archived is None for archived in rows.values()) >= limit:
                raise EnvironmentLimit(f"there are {limit} environments already", where=name)
            if name in rows:
                sql.execute(update(table).where(table.c.name == name).values(archived_at=None))
            else:
                sql.execute(insert(table).values(name=name, created_at=at))
            return True

    def mark_environment(self, name: str, **times: float) -> None:
        """Note that an environment was opened or archived (``opened_at``, ``archived_at``). EnvironmentUnknown."""
        table = schema.environments
        with self._transaction() as sql:
            done = sql.execute(update(table).where(table.c.name == name, table.c.archived_at.is_(None)).values(times))
        if not done.rowcount:
            raise EnvironmentUnknown(f"there is no environment '{name}'")

    # --- keys ---------------------------------------------------------------------------------------------------

    def add_key(self, key: Key) -> bool:
        """Keep a new key; False when another begins like it."""
        try:
            with self._transaction() as sql:
                sql.execute(insert(schema.keys).values(asdict(key)))
        except IntegrityError:
            return False
        return True

    def key(self, id: str) -> Key | None:
        """Return a key, or None."""
        return next(iter(self.keys_named([id])), None)

    def keys_named(self, ids: Sequence[str]) -> list[Key]:
        """Return those of the keys that are there."""
        with self._transaction() as sql:
            rows = sql.execute(select(schema.keys).where(schema.keys.c.id.in_(ids))).mappings().all()
        return [_key(row) for row in rows]

    def list_keys(self, environment: str | None = None) -> list[Key]:
        """Return the keys of an environment, or all of them, the newest first."""
        table = schema.keys
        query = select(table).order_by(table.c.created_at.desc(), table.c.id)
        if environment is not None:
            query = query.where(table.c.environment == environment)
        with self._transaction() as sql:
            rows = sql.execute(query).mappings().all()
        return [_key(row) for row in rows]

    def mark_key(self, id: str, **times: float) -> None:
        """Note that a key was used or revoked (``used_at``, ``revoked_at``); a revocation stays as it is."""
        table = schema.keys
        query = update(table).where(table.c.id == id)
        if "revoked_at" in times:
            query = query.where(table.c.revoked_at.is_(None))
        with self._transaction() as sql:
            sql.execute(query.values(times))

    # --- the audit log ------------------------------------------------------------------------------------------

    def begin_act(self, act: dict[str, object]) -> int:
        """Write a line without its status; return its number."""
        with self._transaction() as sql:
            done = sql.execute(insert(schema.audit).values(act))
            inserted = done.inserted_primary_key
        return int(inserted[0]) if inserted else 0

    def end_act(self, num: int, status: int) -> None:
        """Write down how it ended."""
        with self._transaction() as sql:
            sql.execute(update(schema.audit).where(schema.audit.c.num == num).values(status=status))

    def acts(self, environment: str | None, before: int | None, limit: int) -> list[Act]:
        """Return lines, the newest first: of an environment or of all, below a number or from the end."""
        table = schema.audit
        query = select(*_ACT).order_by(table.c.num.desc()).limit(limit)
        if environment is not None:
            query = query.where(table.c.environment == environment)
        if before is not None:
            query = query.where(table.c.num < before)
        with self._transaction() as sql:
            return [Act(**row) for row in sql.execute(query).mappings()]


def _key(row: Any) -> Key:
    return Key(**{**row, "digest": bytes(row["digest"])})
