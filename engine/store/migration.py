"""Brings a database's schema up to date. Alembic is imported only when there is something to migrate."""

from __future__ import annotations

import sqlite3
from pathlib import Path
from typing import TYPE_CHECKING, Final

from engine.errors import DatabaseInvalid, DatabaseNewer
from engine.store.schema import REVISIONS

if TYPE_CHECKING:
    from sqlalchemy import Engine

HEAD: Final = REVISIONS[-1]

MIGRATIONS: Final = Path(__file__).parent / "migrations"


def prepare_schema(raw: sqlite3.Connection, path: Path) -> None:
    """Create or migrate the schema of an SQLite database; nothing is touched when it is current.

    DatabaseNewer when a newer release wrote it; DatabaseInvalid when it is somebody else's database.
    """
    revision = _revision(raw, path)
    if revision == HEAD:
        return
    if revision is not None and revision not in REVISIONS:
        raise DatabaseNewer(
            f"The database has schema {revision}; this release knows schemas up to {HEAD}.", where=str(path)
        )
    raw.execute("PRAGMA journal_mode = WAL")
    if revision is None:
        _create(raw)
    else:
        migrate(path, HEAD)


def _revision(raw: sqlite3.Connection, path: Path) -> str | None:
    """Return the schema's version, or None when the database is empty."""
    tables = {name for (name,) in raw.execute("SELECT name FROM sqlite_master WHERE type = 'table'")}
    if not tables:
        return None
    row = raw.execute("SELECT version_num FROM alembic_version").fetchone() if "alembic_version" in tables else None
    if row is None or (row[0] in REVISIONS and "journal" not in tables):
        raise DatabaseInvalid("The database was not made by trigger: it has other tables.", where=str(path))
    return str(row[0])


def _create(raw: sqlite3.Connection) -> None:
    """Create the current schema in one transaction, as the migrations would; a test compares the two."""
    raw.execute("BEGIN IMMEDIATE")
    try:
        for statement in _ddl():
            raw.execute(statement)
        raw.execute("CREATE TABLE alembic_version (version_num VARCHAR(32) NOT NULL PRIMARY KEY)")
        raw.execute("INSERT INTO alembic_version VALUES (?)", (HEAD,))
        raw.execute("COMMIT")
    except BaseException:
        if raw.in_transaction:
            raw.execute("ROLLBACK")
        raise


def _ddl() -> list[str]:
    """Return the statements that make the schema."""
    from sqlalchemy.dialects import sqlite  # noqa: PLC0415 - only for an empty database
    from sqlalchemy.schema import CreateIndex, CreateTable  # noqa: PLC0415 - as above

    from engine.store.schema import metadata  # noqa: PLC0415 - as above

    dialect = sqlite.dialect()
    statements: list[str] = []
    for table in metadata.sorted_tables:
        statements.append(str(CreateTable(table).compile(dialect=dialect)))
        indexes = sorted(table.indexes, key=lambda index: str(index.name))
        statements += [str(CreateIndex(index).compile(dialect=dialect)) for index in indexes]
    return statements


def migrate(path: Path, revision: str) -> None:
    """Migrate an SQLite database to a revision by Alembic, in one transaction."""
    from sqlalchemy import create_engine, event  # noqa: PLC0415 - for a migration only

    engine = create_engine(f"sqlite:///{path}")

    # pysqlite begins transactions by itself, but not before DDL: without these two a migration is not atomic.
    @event.listens_for(engine, "connect")
    def _no_implicit_begin(raw: sqlite3.Connection, _: object) -> None:
        raw.isolation_level = None

    @event.listens_for(engine, "begin")
    def _begin(connection: object) -> None:
        connection.exec_driver_sql("BEGIN IMMEDIATE")  # type: ignore[attr-defined]  # Connection, typed by Alembic's caller

    upgrade(engine, revision)


def upgrade(engine: Engine, revision: str) -> None:
    """Run the migrations up to a revision in one transaction, then give the engine's connections free."""
    from alembic import command  # noqa: PLC0415 - Alembic takes 150 ms to import
    from alembic.config import Config  # noqa: PLC0415 - as above

    config = Config()
    config.set_main_option("script_location", str(MIGRATIONS))
    try:
        with engine.begin() as connection:
            config.attributes["connection"] = connection
            command.upgrade(config, revision)
    finally:
        engine.dispose()
