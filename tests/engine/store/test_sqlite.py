"""What only SQLite has: a file, a lock, and how these can be wrong."""

from __future__ import annotations

import sqlite3
import subprocess
import sys
from pathlib import Path

import pytest
from sqlalchemy.sql.base import Executable

from engine.errors import (
    DatabaseInvalid,
    DatabaseLocked,
    DatabaseNewer,
    DatabaseUnreachable,
    StoreError,
    StoreUnavailable,
)
from engine.store.interface import Dialect, Statement
from engine.store.sqlite import SqliteStore
from engine.store.statements import sessions


def digest(path: Path) -> bytes:
    """Return a file's bytes: what was not touched stays equal."""
    return path.read_bytes()


def refused(path: Path, error: type[StoreError]) -> StoreError:
    """Open a database that cannot be opened; check that the problem can be shown."""
    with pytest.raises(error) as caught:
        SqliteStore(path).open("normal")
    assert caught.value.problem.hint
    assert str(path) in caught.value.problem.where
    return caught.value


def test_a_newer_database_is_not_touched(tmp_path: Path) -> None:
    """A schema of a later release is refused, and the file stays as it was."""
    path = tmp_path / "e.db"
    SqliteStore(path).open("normal").close()
    with sqlite3.connect(path) as raw:
        raw.execute("UPDATE alembic_version SET version_num = '9999'")
    raw.close()
    before = digest(path)
    error = refused(path, DatabaseNewer)
    assert "9999" in error.message
    assert digest(path) == before


def test_a_file_that_is_no_database_is_not_touched(tmp_path: Path) -> None:
    """A text file is refused as it is."""
    path = tmp_path / "e.db"
    path.write_text("dear diary\n" * 500)
    before = digest(path)
    refused(path, DatabaseInvalid)
    assert digest(path) == before


def test_a_damaged_database_is_refused(tmp_path: Path) -> None:
    """A database whose first page is overwritten is refused."""
    path = tmp_path / "e.db"
    SqliteStore(path).open("normal").close()
    data = bytearray(digest(path))
    data[16:4096] = b"\xa5" * 4080
    path.write_bytes(data)
    refused(path, DatabaseInvalid)


def test_a_foreign_database_is_not_touched(tmp_path: Path) -> None:
    """Somebody else's tables are refused."""
    path = tmp_path / "e.db"
    with sqlite3.connect(path) as raw:
        raw.execute("CREATE TABLE invoices (id INTEGER)")
    raw.close()
    before = digest(path)
    refused(path, DatabaseInvalid)
    assert digest(path) == before


def test_an_empty_file_becomes_a_database(tmp_path: Path) -> None:
    """A file that a crash left empty is a new database."""
    path = tmp_path / "e.db"
    path.touch()
    SqliteStore(path).open("normal").close()
    assert digest(path).startswith(b"SQLite format 3")


def test_a_missing_folder_is_named(tmp_path: Path) -> None:
    """The folder must exist."""
    refused(tmp_path / "nowhere" / "e.db", DatabaseUnreachable)


def test_a_folder_is_not_a_database(tmp_path: Path) -> None:
    """A path that is a folder is refused."""
    (tmp_path / "e.db").mkdir()
    refused(tmp_path / "e.db", DatabaseUnreachable)


_HOLD = """
import sys
from pathlib import Path
from engine.store.sqlite import SqliteStore
store = SqliteStore(Path(sys.argv[1])).open("normal")
print("open", flush=True)
sys.stdin.read()
"""


def test_a_second_process_is_refused_until_the_first_dies(tmp_path: Path) -> None:
    """One process at a time, named by its pid; SIGKILL frees the database."""
    path = tmp_path / "e.db"
    command = [sys.executable, "-P", "-c", _HOLD, str(path)]
    with subprocess.Popen(command, stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True) as holder:
        assert holder.stdout is not None
        assert holder.stdout.readline() == "open\n"
        assert str(holder.pid) in refused(path, DatabaseLocked).message
        holder.kill()
        holder.wait(10)
        SqliteStore(path).open("normal").close()


def test_a_database_locked_from_outside_is_refused_at_opening(tmp_path: Path) -> None:
    """A shell that holds an exclusive lock keeps the server out with a problem, not a crash."""
    path = tmp_path / "e.db"
    raw = sqlite3.connect(path, isolation_level=None)
    raw.execute("CREATE TABLE t (x)")
    raw.execute("BEGIN EXCLUSIVE")
    refused(path, DatabaseLocked)
    raw.execute("ROLLBACK")
    raw.close()


def test_a_write_lock_from_outside_is_explained(tmp_path: Path) -> None:
    """Another writer is something that passes."""
    path = tmp_path / "e.db"
    store = SqliteStore(path).open("normal")
    raw = sqlite3.connect(path, isolation_level=None)
    raw.execute("BEGIN IMMEDIATE")
    with pytest.raises(sqlite3.OperationalError) as caught:
        store.begin()
    assert isinstance(store.explain(caught.value), StoreUnavailable)
    raw.execute("ROLLBACK")
    raw.close()
    store.begin()
    store.commit()
    store.close()


def test_a_faulty_statement_is_not_explained(tmp_path: Path) -> None:
    """An error of ours does not pass by itself."""
    store = SqliteStore(tmp_path / "e.db").open("normal")
    store.begin()
    with pytest.raises(sqlite3.Error) as caught:
        store.writer.run(sessions.SAVE_QUEUE, {"name": "q"})
    assert store.explain(caught.value) is None
    store.rollback()
    store.close()


def test_a_failed_opening_frees_the_lock(tmp_path: Path) -> None:
    """After a refusal the same process can open the repaired file."""
    path = tmp_path / "e.db"
    path.write_text("dear diary\n" * 500)
    refused(path, DatabaseInvalid)
    path.unlink()
    SqliteStore(path).open("normal").close()


def test_statements_are_compiled_once(tmp_path: Path) -> None:
    """A statement is built for its first execution only."""
    store = SqliteStore(tmp_path / "e.db").open("normal")
    built = 0

    def build(dialect: Dialect) -> Executable:
        nonlocal built
        built += 1
        return sessions.QUEUES.build(dialect)

    counting = Statement(build)
    store.begin()
    for _ in range(3):
        store.writer.all(counting, {})
    store.commit()
    assert built == 1
    store.close()
