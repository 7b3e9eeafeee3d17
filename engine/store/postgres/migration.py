"""Brings a PostgreSQL database's schema up to date, by the migrations that SQLite has too."""

from __future__ import annotations

from engine.errors import DatabaseInvalid, DatabaseNewer
from engine.store.migration import HEAD, upgrade
from engine.store.postgres.connection import BoundedConnection
from engine.store.postgres.place import LOCKS, Place
from engine.store.schema import REVISIONS


def prepare_schema(raw: BoundedConnection, place: Place) -> None:
    """Create or migrate the schema, one engine at a time; nothing is touched when it is current.

    DatabaseNewer, DatabaseInvalid.
    """
    if _revision(raw, place.shown) == HEAD:
        return
    raw.execute("SELECT set_config('lock_timeout', '0', false), set_config('statement_timeout', '0', false)")
    raw.execute("SELECT pg_advisory_lock(%s::int, %s::int)", (LOCKS, place.lock("migrate")))
    try:
        revision = _revision(raw, place.shown)
        if revision is not None and revision not in REVISIONS:
            raise DatabaseNewer(
                f"The database has schema {revision}; this release knows schemas up to {HEAD}.", where=place.shown
            )
        if revision != HEAD:
            migrate(place.url, HEAD)
    finally:
        raw.execute("SELECT pg_advisory_unlock(%s::int, %s::int)", (LOCKS, place.lock("migrate")))
        raw.execute("SELECT set_config('lock_timeout', '10s', false), set_config('statement_timeout', '30s', false)")


def _revision(raw: BoundedConnection, shown: str) -> str | None:
    """Return the schema's version, or None when the schema is empty."""
    found = raw.execute("SELECT tablename FROM pg_tables WHERE schemaname = current_schema()").fetchall()
    tables = {name for (name,) in found}
    if not tables:
        return None
    row = raw.execute("SELECT version_num FROM alembic_version").fetchone() if "alembic_version" in tables else None
    if row is None or (row[0] in REVISIONS and "journal" not in tables):
        raise DatabaseInvalid(
            "The schema was not made by trigger: it has other tables.",
            hint="Use a database, or a schema by the search_path, of its own.",
            where=shown,
        )
    return str(row[0])


def migrate(url: str, revision: str) -> None:
    """Migrate a PostgreSQL database to a revision by Alembic, in one transaction."""
    import psycopg  # noqa: PLC0415 - as Alembic and SQLAlchemy's engine, for a migration only
    from sqlalchemy import create_engine  # noqa: PLC0415 - as above
    from sqlalchemy.pool import NullPool  # noqa: PLC0415 - as above

    engine = create_engine("postgresql+psycopg://", creator=lambda: psycopg.connect(url), poolclass=NullPool)
    upgrade(engine, revision)
