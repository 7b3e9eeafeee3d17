"""The migrations make on PostgreSQL the tables that the statements are written for."""

from __future__ import annotations

import subprocess
import sys

from alembic.autogenerate import compare_metadata
from alembic.migration import MigrationContext
from sqlalchemy import create_engine

from engine.store.schema import metadata
from tests.fakes.postgres_server import PostgresServer


def test_migrations_make_the_declared_tables(postgres_server: PostgresServer) -> None:
    """Alembic finds no difference of tables, columns and indexes; what columns are for stands in the code only."""
    url = postgres_server.create_database().replace("postgresql://", "postgresql+psycopg://")
    engine = create_engine(url)
    with engine.connect() as connection:
        found = compare_metadata(MigrationContext.configure(connection), metadata)
    changes = [change for one in found for change in (one if isinstance(one, list) else [one])]
    assert [change for change in changes if change[0] != "modify_comment"] == []
    engine.dispose()


def test_psycopg_is_not_imported_for_sqlite() -> None:
    """Who does not use PostgreSQL need not have its driver, and does not wait for it."""
    program = "import sys, engine.engine, engine.store.sqlite; sys.exit('psycopg' in sys.modules)"
    assert subprocess.run([sys.executable, "-P", "-c", program], check=False, timeout=60).returncode == 0
