"""The databases of a server: one of keys and environments, and a store for each environment.

On SQLite they are files beside each other (``server.db``, ``server-prod.db``), on PostgreSQL schemas of one database
(``trigger_access``, ``trigger_prod``).
"""

from __future__ import annotations

import re
from collections.abc import Callable
from contextlib import suppress
from dataclasses import dataclass
from importlib.util import find_spec
from pathlib import Path
from typing import IO, Any, Final, Protocol

from sqlalchemy import Engine, create_engine, event

from engine.errors import DatabaseUnreachable
from engine.model import Durability
from engine.store.interface import OpenStore, Store
from engine.store.sqlite import SqliteStore
from executor.access.environments import slug_of
from executor.access.store import AccessStore
from executor.serving.data_folder import hold
from executor.serving.errors import DatabaseDriverMissing, DatabaseUrlInvalid

FILE: Final = "server.db"
_SQLITE: Final = "sqlite:///"
_BUSY_S: Final = 5.0
_PASSWORD: Final = re.compile(r"(?<=:)[^:@/]+(?=@)")


class Databases(Protocol):
    """Where a server keeps things. ``shown`` is the place for people, without a password."""

    @property
    def shown(self) -> str:
        """Return the place for people, without a password."""

    def hold(self) -> IO[bytes] | None:
        """Keep other servers out, until what is returned is closed; None where several may be. DataFolderInUse."""

    def access(self) -> AccessStore:
        """Return the store of keys and environments. DatabaseUnreachable."""

    def store_of(self, environment: str) -> Store:
        """Return the store of an environment, not yet open."""


def databases_of(url: str, data: Path, executor: str) -> Databases:
    """Return the databases.

    Args:
        url: ``sqlite:///...`` or ``postgresql://...``; empty: SQLite in ``data``.
        data: the server's folder.
        executor: the server's name.

    Raises:
        DatabaseUrlInvalid, DatabaseDriverMissing.
    """
    if not url:
        return SqliteDatabases(data / FILE)
    if url.startswith(_SQLITE):
        path = Path(url.removeprefix(_SQLITE)).absolute()
        if not path.name or path.is_dir() or not path.parent.is_dir():
            raise DatabaseUrlInvalid("the address names no file in a folder that exists", where=url)
        return SqliteDatabases(path)
    if url.startswith(("postgresql://", "postgres://")):
        if find_spec("psycopg") is None:
            raise DatabaseDriverMissing("psycopg, the driver for PostgreSQL, is not installed")
        return PostgresDatabases(url, executor)
    raise DatabaseUrlInvalid("the address is of no kind of database that is known", where=without_password(url))


def without_password(url: str) -> str:
    """Return a database's address for people."""
    return _PASSWORD.sub("***", url)


@dataclass(frozen=True, slots=True)
class SqliteDatabases:
    """Files beside each other; ``path`` is the one of keys and environments."""

    path: Path

    @property
    def shown(self) -> str:
        """Return the file."""
        return str(self.path)

    def hold(self) -> IO[bytes]:
        """Lock ``<path>-lock``. DataFolderInUse, DatabaseUnreachable."""
        try:
            lock = self.path.with_name(f"{self.path.name}-lock").open("a+b")
        except OSError as error:
            raise DatabaseUnreachable(f"The database cannot be opened: {error}.", where=self.shown) from error
        try:
            hold(lock, "the database is in use by {}", self.path)
        except BaseException:
            lock.close()
            raise
        return lock

    def access(self) -> AccessStore:
        """Return the store of keys and environments."""
        engine = create_engine(f"sqlite:///{self.path}", connect_args={"timeout": _BUSY_S})
        event.listen(engine, "connect", _set_up_sqlite)
        event.listen(engine, "begin", _begin_sqlite)
        return AccessStore(engine, self.shown)

    def store_of(self, environment: str) -> Store:
        """Return the store of an environment."""
        return SqliteStore(self.file_of(environment))

    def file_of(self, environment: str) -> Path:
        """Return the file of an environment."""
        return self.path.with_name(f"{self.path.stem}-{slug_of(environment)}.db")

    def files(self) -> list[Path]:
        """Return all files that are there, that of keys and environments first."""
        others = sorted(self.path.parent.glob(f"{self.path.stem}-*.db"))
        return [path for path in (self.path, *others) if path.is_file()]


def _set_up_sqlite(raw: Any, _: object) -> None:
    raw.isolation_level = None  # pysqlite begins transactions by itself, but not before DDL
    raw.execute("PRAGMA journal_mode = WAL")
    raw.execute("PRAGMA synchronous = FULL")


def _begin_sqlite(connection: Any) -> None:
    connection.exec_driver_sql("BEGIN IMMEDIATE")


@dataclass(frozen=True, slots=True)
class PostgresDatabases:
    """Schemas of one database.

    Attributes:
        url: as libpq takes it.
        executor: the server's name.
    """

    url: str
    executor: str

    @property
    def shown(self) -> str:
        """Return the address without its password."""
        return without_password(self.url)

    def hold(self) -> None:
        """Keep nobody out: several servers share the database."""

    def access(self) -> AccessStore:
        """Return the store of keys and environments. DatabaseUnreachable."""
        return AccessStore(self._engine("trigger_access"), self.shown)

    def _engine(self, schema: str) -> Engine:
        connect = self._in_schema(schema)
        return create_engine("postgresql+psycopg://", creator=connect, pool_size=1, max_overflow=0, pool_pre_ping=True)

    def _in_schema(self, schema: str) -> Callable[[], Any]:
        """Make a schema; return what connects to it. DatabaseUnreachable."""
        import psycopg  # noqa: PLC0415 - an extra

        url = self._address(schema)
        try:
            with (
                psycopg.connect(self.url, connect_timeout=5, autocommit=True) as raw,
                suppress(
                    psycopg.errors.UniqueViolation,
                    psycopg.errors.DuplicateSchema,  # another server was first
                ),
            ):
                raw.execute(f'CREATE SCHEMA IF NOT EXISTS "{schema}"')
        except psycopg.Error as error:
            raise DatabaseUnreachable(
                f"The database cannot be opened: {str(error).strip().partition(chr(10))[0]}.",
                hint="Check the address, the user and the password, and that the user may create schemas.",
                where=self.shown,
            ) from error
        return lambda: psycopg.connect(url, connect_timeout=5)

    def _address(self, schema: str) -> str:
        from psycopg.conninfo import conninfo_to_dict, make_conninfo  # noqa: PLC0415 - an extra

        options = conninfo_to_dict(self.url).get("options") or ""
        return make_conninfo(self.url, options=f"{options} -csearch_path={schema}".strip())

    def store_of(self, environment: str) -> Store:
        """Return the store of an environment."""
        return _SchemaStore(self, f"trigger_{slug_of(environment)}")

    def open_schema(self, schema: str, durability: Durability) -> OpenStore:
        """Open a schema's store, made when there is none. DatabaseUnreachable and the store's own."""
        from engine.store.postgres import PostgresStore  # noqa: PLC0415 - needs an extra

        self._in_schema(schema)
        return PostgresStore(self._address(schema), executor=self.executor).open(durability)


@dataclass(frozen=True, slots=True)
class _SchemaStore:
    """A store in a schema, which is made when it is opened."""

    databases: PostgresDatabases
    schema: str

    def open(self, durability: Durability) -> OpenStore:
        """Open it."""
        return self.databases.open_schema(self.schema, durability)
