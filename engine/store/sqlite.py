"""The SQLite driver: one file, write-ahead log, one process at a time."""

from __future__ import annotations

import fcntl
import os
import sqlite3
import time
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager, suppress
from pathlib import Path
from queue import Empty, SimpleQueue
from typing import IO, Any, Final

from sqlalchemy.dialects import sqlite as dialect_module

from engine.clock import Clock, SystemClock
from engine.errors import DatabaseInvalid, DatabaseLocked, DatabaseUnreachable, StoreError, StoreUnavailable
from engine.model import Durability
from engine.store.compiling import compiled_text
from engine.store.interface import ALONE, Begun, Params, Row, Statement
from engine.store.migration import prepare_schema
from engine.store.statements import counter

_DIALECT: Final = dialect_module.dialect(paramstyle="named")

_BUSY_MS: Final = 2000
"""How long to wait for another process (a backup, the sqlite3 shell) that writes to the file."""

_BUSY_LOOK_S: Final = 0.005
"""Between two looks at whether it has ended."""

_CHECKPOINT_PAGES: Final = 4000
"""Pages (of 4 KiB) in the log before they are moved into the file: fewer, longer pauses than SQLite's 1000."""

_CACHE_KIB: Final = 16 * 1024
"""Pages kept in memory by each connection, in KiB: enough for the indexes of what is going on."""

_NOT_NOW: Final[dict[int, str]] = {
    sqlite3.SQLITE_FULL: "The disk that holds the database is full",
    sqlite3.SQLITE_IOERR: "The disk that holds the database reports an error",
    sqlite3.SQLITE_BUSY: "Another process is writing to the database",
    sqlite3.SQLITE_LOCKED: "Another connection has locked the database",
    sqlite3.SQLITE_CANTOPEN: "The database's files cannot be opened",
    sqlite3.SQLITE_READONLY: "The database cannot be written to",
    sqlite3.SQLITE_NOMEM: "There is no memory left for the database",
}
"""Primary result codes that may go away by themselves."""


def sql_text(statement: Statement) -> str:
    """Compile a statement to SQLite's SQL with named parameters."""
    return compiled_text(statement, module=dialect_module, dialect=_DIALECT, placeholder=lambda name: rf":{name}\b")


class _Connection:
    """A connection with the statements compiled so far. Used by one thread at a time."""

    def __init__(self, raw: sqlite3.Connection, sql: dict[Statement, str]) -> None:
        self.raw = raw
        self._sql = sql
        self._next = 0

    def _text(self, statement: Statement) -> str:
        text = self._sql.get(statement)
        if text is None:
            text = self._sql[statement] = sql_text(statement)
        return text

    def one(self, statement: Statement, params: Params) -> Row | None:
        """Return the first row, or None."""
        cursor = self.raw.execute(self._sql.get(statement) or self._text(statement), params)
        row: Row | None = cursor.fetchone()
        return row

    def all(self, statement: Statement, params: Params) -> list[Row]:
        """Return all rows."""
        return self.raw.execute(self._sql.get(statement) or self._text(statement), params).fetchall()

    def run(self, statement: Statement, params: Params) -> int:
        """Execute; return the number of rows changed."""
        return self.raw.execute(self._sql.get(statement) or self._text(statement), params).rowcount

    def write(self, statement: Statement, params: Params) -> None:
        """Execute."""
        self.raw.execute(self._sql.get(statement) or self._text(statement), params)

    def run_many(self, statement: Statement, rows: Sequence[Params]) -> int:
        """Execute for each row of parameters; return the number of rows changed in all."""
        return self.raw.executemany(self._sql.get(statement) or self._text(statement), rows).rowcount

    def take(self, count: int) -> int:
        """Return the first of ``count`` numbers. The only writer counts in memory; see :meth:`find_counter`."""
        first = self._next
        self._next += count
        return first

    @property
    def changes(self) -> int:
        """A number that grows with every row written."""
        return self.raw.total_changes

    def find_counter(self) -> None:
        """Go on above the greatest number in any table."""
        numbers = self.one(counter.GREATEST, {}) or (0,)
        self._next = max(number or 0 for number in numbers) + 1


class OpenSqlite:
    """An open database file; implements :class:`engine.store.interface.OpenStore`."""

    def __init__(self, path: Path, lock: IO[bytes], durability: Durability) -> None:
        self._path = path
        self._lock = lock
        self._durability = durability
        self._sql: dict[Statement, str] = {}
        self._idle: SimpleQueue[_Connection] = SimpleQueue()
        self.writer = _Connection(self._connect(), self._sql)
        self.executor = ""
        self.clock: Clock = SystemClock()

    def _connect(self) -> sqlite3.Connection:
        raw = sqlite3.connect(
            self._path,
            timeout=_BUSY_MS / 1000,
            isolation_level=None,
            check_same_thread=False,
            cached_statements=512,
        )
        raw.execute(f"PRAGMA synchronous = {'FULL' if self._durability == 'full' else 'NORMAL'}")
        raw.execute("PRAGMA temp_store = MEMORY")
        raw.execute(f"PRAGMA cache_size = -{_CACHE_KIB}")
        raw.execute(f"PRAGMA wal_autocheckpoint = {_CHECKPOINT_PAGES}")
        return raw

    def prepare(self) -> None:
        """Bring the schema up to date and find the counter."""
        prepare_schema(self.writer.raw, self._path)
        self.writer.find_counter()
        self.writer.raw.execute("PRAGMA busy_timeout = 0")  # begin() waits, or not

    @property
    def quick(self) -> bool:
        """True unless each commit waits for the disk."""
        return self._durability == "normal"

    def begin(self, *, wait: bool = True, local: bool = False, numbers: int = 0) -> Begun:
        """Take the write lock at once, so that nothing fails half-way for the lack of it."""
        del local, numbers  # there is one process, and it counts in memory
        deadline = time.monotonic() + _BUSY_MS / 1000
        while True:
            try:
                self.writer.raw.execute("BEGIN IMMEDIATE")
            except sqlite3.OperationalError as error:
                busy = error.sqlite_errorcode & 0xFF == sqlite3.SQLITE_BUSY
                if not (busy and wait) or time.monotonic() > deadline:
                    raise
                time.sleep(_BUSY_LOOK_S)
            else:
                return ALONE

    def signal(self, text: str) -> None:
        """Tell nobody: there is one process."""

    def commit(self) -> None:
        """Commit; FULL waits for the disk."""
        self.writer.raw.execute("COMMIT")

    def took_place(self) -> bool:
        """Return False: SQLite answers every commit."""
        return False

    def collided(self, error: Exception) -> bool:
        """Return False: one process writes, and a shell beside it is waited for."""
        del error
        return False

    def link(self) -> None:
        """Return None: there is one process."""

    def rollback(self) -> None:
        """Undo; an error of SQLite's has often rolled back already."""
        if self.writer.raw.in_transaction:
            self.writer.raw.execute("ROLLBACK")

    def tidy(self) -> None:
        """Move the log into the file: what else the commit does that makes the log too long."""
        with suppress(sqlite3.Error):
            self.writer.raw.execute("PRAGMA wal_checkpoint(PASSIVE)").fetchall()

    @contextmanager
    def reader(self) -> Iterator[_Connection]:
        """Lend a connection that only reads, within one transaction."""
        try:
            connection = self._idle.get_nowait()
        except Empty:
            connection = _Connection(self._connect(), self._sql)
            connection.raw.execute("PRAGMA query_only = ON")
        try:
            connection.raw.execute("BEGIN")
            yield connection
        except sqlite3.Error as error:
            raise self.explain(error) or StoreError(f"The database cannot be read: {error}") from error
        finally:
            if connection.raw.in_transaction:
                connection.raw.execute("ROLLBACK")
            self._idle.put(connection)

    def explain(self, error: Exception) -> StoreError | None:
        """Return StoreUnavailable for errors of the disk and locks."""
        if not isinstance(error, sqlite3.Error):
            return None
        code = getattr(error, "sqlite_errorcode", 0) & 0xFF
        if code not in _NOT_NOW:
            return None
        return StoreUnavailable(f"{_NOT_NOW[code]} ({error}).", where=str(self._path))

    def close(self) -> None:
        """Close the connections; the last one moves the log into the file."""
        while True:
            try:
                self._idle.get_nowait().raw.close()
            except Empty:
                break
        self.writer.raw.close()
        self._lock.close()


class SqliteStore:
    """A database in one file; implements :class:`engine.store.interface.Store`.

    A second process is kept out by a lock on ``<path>-lock``, which the system frees when its holder dies.
    """

    def __init__(self, path: Path) -> None:
        self.path = path

    def open(self, durability: Durability) -> OpenSqlite:
        """Open the file, or create it."""
        lock = self._take_lock()
        opened: OpenSqlite | None = None
        try:
            _refuse_foreign(self.path)
            opened = OpenSqlite(self.path, lock, durability)
            opened.prepare()
        except BaseException as error:
            if opened is not None:
                opened.close()
            lock.close()
            if isinstance(error, sqlite3.Error):
                raise _explain_open(self.path, error) from error
            raise
        return opened

    def _take_lock(self) -> IO[bytes]:
        path = self.path.with_name(f"{self.path.name}-lock")
        try:
            lock = path.open("a+b")
        except OSError as error:
            raise DatabaseUnreachable(f"The database cannot be opened: {error}.", where=str(self.path)) from error
        try:
            fcntl.flock(lock, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except OSError as error:
            lock.seek(0)
            pid = lock.read(32).decode(errors="replace").strip()
            lock.close()
            owner = f"process {pid}" if pid else "another process"
            raise DatabaseLocked(f"The database is in use by {owner}.", where=str(self.path)) from error
        lock.truncate(0)
        lock.write(str(os.getpid()).encode())
        lock.flush()
        return lock


_MAGIC: Final = b"SQLite format 3\x00"


def _refuse_foreign(path: Path) -> None:
    """Raise before SQLite touches a file that is not a database."""
    try:
        with path.open("rb") as file:
            head = file.read(len(_MAGIC))
    except FileNotFoundError:
        return
    except OSError as error:
        raise DatabaseUnreachable(f"The database cannot be opened: {error}.", where=str(path)) from error
    if head not in (b"", _MAGIC):
        raise DatabaseInvalid("The file is not an SQLite database.", where=str(path))


def _explain_open(path: Path, error: sqlite3.Error) -> StoreError:
    """Name what hinders opening."""
    code = getattr(error, "sqlite_errorcode", 0) & 0xFF
    kinds: dict[int, Callable[..., StoreError]] = {
        sqlite3.SQLITE_NOTADB: DatabaseInvalid,
        sqlite3.SQLITE_CORRUPT: DatabaseInvalid,
        sqlite3.SQLITE_BUSY: DatabaseLocked,
        sqlite3.SQLITE_LOCKED: DatabaseLocked,
        sqlite3.SQLITE_CANTOPEN: DatabaseUnreachable,
        sqlite3.SQLITE_READONLY: DatabaseUnreachable,
        sqlite3.SQLITE_FULL: StoreUnavailable,
        sqlite3.SQLITE_IOERR: StoreUnavailable,
    }
    kind: Any = kinds.get(code, StoreError)
    result: StoreError = kind(f"The database cannot be opened: {error}.", where=str(path))
    return result
