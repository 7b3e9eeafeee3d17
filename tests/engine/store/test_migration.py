"""Migrations: the tables of a fresh database are those that the migrations make."""

from __future__ import annotations

import sqlite3
import subprocess
import sys
from pathlib import Path

from alembic.config import Config
from alembic.script import ScriptDirectory

from engine.store.migration import HEAD, MIGRATIONS, migrate
from engine.store.schema import REVISIONS
from engine.store.sqlite import SqliteStore


def shape(path: Path) -> dict[str, object]:
    """Return tables, columns and indexes of a database, without the way they were written down."""
    raw = sqlite3.connect(path)
    tables = [name for (name,) in raw.execute("SELECT name FROM sqlite_master WHERE type = 'table' ORDER BY name")]
    found: dict[str, object] = {}
    for table in tables:
        if table == "alembic_version":
            continue
        found[table] = raw.execute(f"PRAGMA table_info({table})").fetchall()
        lists = raw.execute(f"PRAGMA table_list({table})").fetchone()
        found[f"{table} without rowid"] = lists[4]
        indexes = raw.execute(f"PRAGMA index_list({table})").fetchall()
        for _, name, unique, _, partial in indexes:
            sql = raw.execute("SELECT sql FROM sqlite_master WHERE name = ?", (name,)).fetchone()
            condition = ((sql and sql[0]) or "").partition(" WHERE ")[2]
            found[name] = (table, unique, partial, raw.execute(f"PRAGMA index_xinfo({name})").fetchall(), condition)
    raw.close()
    return found


def test_migrations_make_the_schema_of_a_fresh_database(tmp_path: Path) -> None:
    """Both ways lead to the same tables, columns and indexes."""
    SqliteStore(tmp_path / "fresh.db").open("normal").close()
    migrate(tmp_path / "migrated.db", HEAD)
    assert shape(tmp_path / "migrated.db") == shape(tmp_path / "fresh.db")


def test_a_migrated_database_opens(tmp_path: Path) -> None:
    """What the migrations made is current."""
    migrate(tmp_path / "e.db", HEAD)
    SqliteStore(tmp_path / "e.db").open("normal").close()


def test_known_revisions_are_those_of_the_scripts() -> None:
    """The list that spares importing Alembic is the list of its scripts."""
    config = Config()
    config.set_main_option("script_location", str(MIGRATIONS))
    scripts = ScriptDirectory.from_config(config)
    assert tuple(reversed([script.revision for script in scripts.walk_revisions()])) == REVISIONS
    assert scripts.get_current_head() == HEAD


def test_alembic_is_not_imported_to_open_a_current_database(tmp_path: Path) -> None:
    """Neither a fresh nor a current database needs it: it would cost the start 150 ms."""
    program = (
        "import sys\nfrom pathlib import Path\nfrom engine.store.sqlite import SqliteStore\n"
        "for _ in range(2): SqliteStore(Path(sys.argv[1])).open('normal').close()\n"
        "sys.exit('alembic' in sys.modules)"
    )
    done = subprocess.run([sys.executable, "-P", "-c", program, str(tmp_path / "e.db")], check=False, timeout=60)
    assert done.returncode == 0
