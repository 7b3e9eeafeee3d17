"""The PostgreSQL store: one connection that writes, some that read, one that listens."""

from __future__ import annotations

import re
import secrets
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from queue import Empty, SimpleQueue
from typing import Final

import psycopg

from engine.clock import Clock
from engine.errors import DatabaseLocked, DatabaseUnreachable, DatabaseUnsupported, StoreError
from engine.model import Durability
from engine.store.interface import Begun, Statement
from engine.store.postgres import trouble
from engine.store.postgres.clock import DatabaseClock
from engine.store.postgres.connection import BoundedConnection, Statements, connect
from engine.store.postgres.link import PostgresLink
from engine.store.postgres.migration import prepare_schema
from engine.store.postgres.place import LOCKS, Place

OLDEST: Final = 14
"""The oldest major version of PostgreSQL that is supported."""

_SIGN_OF_LIFE: Final = (
    "UPDATE executors SET mark = %(mark)s, seen_at = extract(epoch FROM clock_timestamp())"
    " WHERE name = %(name)s RETURNING seen_at, (SELECT board FROM pulse),"
    " EXISTS (SELECT FROM mail WHERE executor = %(name)s), "
)
"""Marks a transaction; what it returns last is about numbers."""

_NAME: Final = re.compile(r"[A-Za-z0-9._-]{1,64}")


class Writer(Statements):
    """The connection that writes, and its numbers."""

    def __init__(self, texts: dict[Statement, str]) -> None:
        super().__init__(texts)
        self.exclusive = False
        self._next = 0
        self._end = 0

    def found(self, last: int) -> None:
        """In an exclusive transaction: the last number that anybody took."""
        self._next = max(self._next, last + 1)

    def reserved(self, first: int, count: int) -> None:
        """In a local transaction: these numbers were taken for it."""
        self._next, self._end = first, first + count

    @property
    def last(self) -> int:
        """The last number that was taken in an exclusive transaction."""
        return self._next - 1

    def take(self, count: int) -> int:
        """Return the first of ``count`` consecutive numbers."""
        if self.exclusive or self._next + count <= self._end:
            first = self._next
            self._next += count
            return first
        row = self.execute("SELECT take_numbers(%s)", (count,)).fetchone()
        return 0 if row is None else int(row[0])


class OpenPostgres:
    """An open database; implements :class:`engine.store.interface.OpenStore`."""

    def __init__(self, place: Place, durability: Durability, clock: DatabaseClock) -> None:
        self._place = place
        self._settings = {"synchronous_commit": "on" if durability == "full" else "off"}
        self._texts: dict[Statement, str] = {}
        self._idle: SimpleQueue[Statements] = SimpleQueue()
        self._mark = secrets.randbits(40)
        self._doubtful = False
        self._right = place.lock("write")
        self._closed = False
        self.executor = place.executor
        self.database_clock = clock
        self.writer = Writer(self._texts)
        self.holder: BoundedConnection | None = None
        self._link: PostgresLink | None = None

    @property
    def clock(self) -> Clock:
        """The database's clock."""
        return self.database_clock

    @property
    def quick(self) -> bool:
        """False: there is a network, or another process, in every commit."""
        return False

    # --- writing ---

    def begin(self, *, wait: bool = True, local: bool = False, numbers: int = 0) -> Begun:
        """Take the right to write, for itself or, for what is local, beside others."""
        del wait  # others are always waited for, as long as the lock's limit lets it
        if self.writer.lost:
            self.writer.use(connect(self._place.url, self._settings, name=self.executor))
        self._mark += 1
        self.writer.exclusive = False
        self.writer.execute("BEGIN")
        kind = "pg_advisory_xact_lock_shared" if local else "pg_advisory_xact_lock"
        self.writer.execute(f"SELECT {kind}(%s::int, %s::int)", (LOCKS, self._right))
        taking = max(numbers, 1) if local else 0
        row = self._sign_of_life(taking) or self._come_back(taking)
        now, board, mail, number = row
        self.database_clock.hear(now)
        if local:
            self.writer.reserved(number, taking)
        else:
            self.writer.exclusive = True
            self.writer.found(number)
        return Begun(board, mail)

    def _sign_of_life(self, taking: int) -> tuple[float, int, bool, int] | None:
        """Leave this transaction's mark; None when this engine is not known any more."""
        row = self.writer.execute(
            _SIGN_OF_LIFE + ("take_numbers(%(taking)s)" if taking else "(SELECT last_value FROM numbers)"),  # noqa: S608 - two constants
            {"mark": self._mark, "name": self.executor, "taking": taking},
        ).fetchone()
        return None if row is None else (row[0], row[1], row[2], row[3])

    def _come_back(self, taking: int) -> tuple[float, int, bool, int]:
        """Enter this engine: it is new, or was silent for so long that the others gave it up."""
        self.writer.execute("INSERT INTO executors VALUES (%s, 0, 0)", (self.executor,))
        self.writer.execute("UPDATE pulse SET board = board + 1")
        row = self._sign_of_life(taking)
        if row is None:
            raise psycopg.OperationalError("the executor's row is gone")
        return row

    def signal(self, text: str) -> None:
        """Tell the other engines something when this transaction commits."""
        self.writer.execute(
            "WITH raised AS (UPDATE pulse SET news = news + 1 RETURNING news)"
            " SELECT pg_notify(%s, news || ' ' || %s || ' ' || %s) FROM raised",
            (self._place.channel, self.executor, text),
        )

    def commit(self) -> None:
        """Commit. When the connection is lost before the answer, :meth:`took_place` knows."""
        if self.writer.exclusive:
            self.writer.execute("SELECT setval('numbers', %s)", (self.writer.last,))
        self.writer.exclusive = False
        try:
            self.writer.execute("COMMIT")
        except psycopg.Error as error:
            self._doubtful = trouble.is_lost(error) or self.writer.lost
            raise

    def took_place(self) -> bool:
        """Look up the mark. Its row is locked by the transaction that wrote it, so the answer is definite."""
        if not self._doubtful:
            return False
        if self.writer.lost:
            self.writer.use(connect(self._place.url, self._settings, name=self.executor))
        self.writer.execute("BEGIN")
        row = self.writer.execute("SELECT mark FROM executors WHERE name = %s FOR UPDATE", (self.executor,)).fetchone()
        self.writer.execute("COMMIT")
        self._doubtful = False
        return row is not None and row[0] == self._mark

    def collided(self, error: Exception) -> bool:
        """Return whether it was a deadlock or a serialization failure."""
        return trouble.collided(error)

    def rollback(self) -> None:
        """Undo; a connection that is of no use is given up."""
        self.writer.exclusive = False
        if self.writer.lost:
            return
        try:
            if self.writer.raw.info.transaction_status != psycopg.pq.TransactionStatus.IDLE:
                self.writer.execute("ROLLBACK")
        except psycopg.Error:
            self.writer.use(None)

    def tidy(self) -> None:
        """Do nothing: PostgreSQL tidies by itself."""

    # --- reading ---

    @contextmanager
    def reader(self) -> Iterator[Statements]:
        """Lend a connection that only reads, within one snapshot."""
        lent: Statements | None = None
        try:
            lent = self._borrow()
            yield lent
            lent.execute("COMMIT")
            self._idle.put(lent)
        except BaseException as error:
            if lent is not None:
                lent.use(None)
            if isinstance(error, psycopg.Error):
                raise self.explain(error) or StoreError(f"The database cannot be read: {error}") from error
            raise

    def _borrow(self) -> Statements:
        """Begin to read; idle connections that the server has ended are dropped."""
        while True:
            try:
                lent = self._idle.get_nowait()
            except Empty:
                lent = Statements(self._texts)
                lent.use(connect(self._place.url, {"default_transaction_read_only": "on"}, name=self.executor))
                lent.execute("BEGIN ISOLATION LEVEL REPEATABLE READ READ ONLY")
                return lent
            try:
                lent.execute("BEGIN ISOLATION LEVEL REPEATABLE READ READ ONLY")
            except psycopg.Error as error:
                lent.use(None)
                if not trouble.is_lost(error):
                    raise
            else:
                return lent

    def explain(self, error: Exception) -> StoreError | None:
        """Return StoreUnavailable for what may go away by itself."""
        return trouble.explain(error, self._place.shown)

    # --- opening and closing ---

    def link(self) -> PostgresLink:
        """Return what connects this engine with the others."""
        if self._link is None:
            self._link = PostgresLink(self._place, self.holder)
            self.holder = None
        return self._link

    def close(self) -> None:
        """Close all connections."""
        if self._link is not None:
            self._link.stop()
        if self.holder is not None:
            self.holder.close()
        while True:
            try:
                self._idle.get_nowait().use(None)
            except Empty:
                break
        self.writer.use(None)


class PostgresStore:
    """A PostgreSQL database; implements :class:`engine.store.interface.Store`.

    ``url`` is what libpq takes (``postgresql://user:password@host/name``). ``executor`` names this engine among those
    on the database: whoever starts again under the same name takes up what it left. Without, it is a name of its own.
    """

    def __init__(
        self, url: str, *, executor: str | None = None, lease_s: float = 15.0, clock: DatabaseClock | None = None
    ) -> None:
        self._url = url
        self._executor = executor or f"executor-{secrets.token_hex(6)}"
        self._lease_s = lease_s
        self._clock = clock

    def open(self, durability: Durability) -> OpenPostgres:
        """Connect, hold the name, bring the schema up to date."""
        shown = _without_password(self._url)
        if not _NAME.fullmatch(self._executor):
            raise DatabaseUnreachable(
                f"An executor cannot be called {self._executor!r}.",
                hint="Use letters, digits, dots, dashes and underscores, 64 at most.",
            )
        raw: BoundedConnection | None = None
        try:
            raw = connect(self._url, {}, name=self._executor)
            place = Place(
                url=self._url, shown=shown, executor=self._executor, schema=_schema(raw, shown), lease_s=self._lease_s
            )
            _hold_name(raw, place)
            prepare_schema(raw, place)
        except BaseException as error:
            if raw is not None:
                raw.close()
            if isinstance(error, psycopg.Error):
                raise _explain_open(shown, error) from error
            raise
        opened = OpenPostgres(place, durability, self._clock or DatabaseClock())
        opened.holder = raw
        try:
            opened.begin()
            opened.commit()
        except BaseException as error:
            opened.close()
            if isinstance(error, psycopg.Error):
                raise _explain_open(shown, error) from error
            raise
        return opened


def _schema(raw: BoundedConnection, shown: str) -> str:
    """Return the schema of the tables; DatabaseUnsupported when the server is too old."""
    if raw.info.server_version < OLDEST * 10_000:
        version = raw.info.parameter_status("server_version")
        raise DatabaseUnsupported(
            f"The server is PostgreSQL {version}; {OLDEST} or newer is needed.",
            hint=f"Upgrade the server to PostgreSQL {OLDEST} or newer.",
            where=shown,
        )
    row = raw.execute("SELECT current_schema()").fetchone()
    if row is None or row[0] is None:
        raise DatabaseUnreachable("None of the schemas in the search_path exists.", where=shown)
    return str(row[0])


def _hold_name(raw: BoundedConnection, place: Place) -> None:
    """Lock this engine's name for as long as the connection stands; DatabaseLocked.

    The server may take a moment to notice that an earlier process of this name is gone.
    """
    name = place.lock(f"executor {place.executor}")
    try:
        raw.execute("SELECT pg_advisory_lock(%s::int, %s::int)", (LOCKS, name))
    except psycopg.errors.LockNotAvailable as error:
        raise DatabaseLocked(
            f"An executor that is called {place.executor} uses the database.",
            hint="Give each executor on a database a name of its own.",
            where=place.shown,
        ) from error


def _without_password(url: str) -> str:
    with suppress(psycopg.Error):
        known = psycopg.conninfo.conninfo_to_dict(url)
        return " ".join(f"{name}={known[name]}" for name in ("host", "port", "dbname", "user") if known.get(name))
    return "postgresql"


def _explain_open(shown: str, error: psycopg.Error) -> StoreError:
    """Name what hinders opening."""
    return DatabaseUnreachable(
        f"The database cannot be opened: {trouble.told(error)}.",
        hint="Check the address, the user and the password, and that the server is up.",
        where=shown,
    )
