"""What the engine needs of a database; SQLite is one driver, PostgreSQL can be another.

The operations are written once, over statements made of SQLAlchemy Core. A driver compiles each statement
once for its dialect and executes the text on its DBAPI cursor, with dictionaries of named parameters (see
``docs/decisions/0003-statements-compiled-once.md``). What differs between databases is behind this interface: opening
and migrating, beginning and committing, numbering, and which errors mean "not now".
"""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from contextlib import AbstractContextManager
from typing import Any, Final, NamedTuple, Protocol

from sqlalchemy.sql.base import Executable
from sqlalchemy.sql.dml import Insert

from engine.clock import Clock
from engine.errors import StoreError
from engine.model import Durability

Params = Mapping[str, object]
"""Named parameters of one execution."""

Row = tuple[Any, ...]
"""A row of a result, in the order of the statement's columns."""


class Dialect(Protocol):
    """What statements need of a SQLAlchemy dialect module (``sqlalchemy.dialects.sqlite``, ``.postgresql``)."""

    @property
    def insert(self) -> Callable[[Any], Any]:
        """An INSERT with ``on_conflict_do_nothing`` and ``on_conflict_do_update``."""


class Statement:
    """A statement to be compiled once by each driver.

    ``columns`` are those that an INSERT or UPDATE sets from parameters of the same names.
    """

    __slots__ = ("build", "columns")

    def __init__(self, build: Callable[[Dialect], Executable] | Executable, *columns: str) -> None:
        """Take the statement, or how to build it where the dialect's own INSERT is needed."""
        self.build: Callable[[Dialect], Executable] = build if not isinstance(build, Executable) else lambda _: build
        self.columns = list(columns) or None


def insert_new(table: Any) -> Statement:
    """Return an INSERT that leaves out rows that are there already."""
    return Statement(lambda dialect: dialect.insert(table).on_conflict_do_nothing())


def upsert(table: Any, *keys: str) -> Statement:
    """Return an INSERT that replaces the other columns of a row with the same ``keys``."""

    def build(dialect: Dialect) -> Executable:
        statement: Insert = dialect.insert(table)
        others = {c.name: statement.excluded[c.name] for c in table.c if c.name not in keys}  # type: ignore[attr-defined]  # of dialects
        result: Executable = statement.on_conflict_do_update(index_elements=list(keys), set_=others)  # type: ignore[attr-defined]  # of dialects
        return result

    return Statement(build)


class Reader(Protocol):
    """Reads one consistent state of the database."""

    def one(self, statement: Statement, params: Params) -> Row | None:
        """Return the first row, or None."""

    def all(self, statement: Statement, params: Params) -> list[Row]:
        """Return all rows."""


class Writer(Reader, Protocol):
    """The one connection that writes, used by one thread at a time, inside :meth:`OpenStore.begin` and commit."""

    def run(self, statement: Statement, params: Params) -> int:
        """Execute; return the number of rows changed."""

    def write(self, statement: Statement, params: Params) -> None:
        """Execute. How many rows change is not asked for, and an error may come later in the transaction."""

    def run_many(self, statement: Statement, rows: Sequence[Params]) -> int:
        """Execute for each row of parameters; return the number of rows changed in all."""

    def take(self, count: int) -> int:
        """Return the first of ``count`` consecutive numbers, above all that were given out before; gaps are fine."""

    @property
    def changes(self) -> int:
        """A number that grows with every row written."""


class Begun(NamedTuple):
    """What a transaction finds that begins.

    Attributes:
        board: the version of what is common to all engines on the database; it grows when that changes.
        mail: whether there are news for this engine's sessions from others.
    """

    board: int = 0
    mail: bool = False


ALONE: Final = Begun()
"""What an engine finds that has its database for itself."""


class OpenStore(Protocol):
    """An open database."""

    @property
    def executor(self) -> str:
        """The name of this engine among those on the database; empty when there can be no other."""

    @property
    def clock(self) -> Clock:
        """The clock that all engines on the database share."""

    @property
    def writer(self) -> Writer:
        """The connection that writes."""

    @property
    def quick(self) -> bool:
        """True when a small commit takes less time than to have another thread do it: no disk, no network in it."""

    def begin(self, *, wait: bool = True, local: bool = False, numbers: int = 0) -> Begun:
        """Begin a transaction that may write; ``wait`` for others who write. Driver's errors; see :meth:`explain`.

        ``local``: it decides about nothing that others write, and may run beside other local ones; about ``numbers``
        will be taken in it.
        """

    def signal(self, text: str) -> None:
        """Tell the other engines something when this transaction commits."""

    def commit(self) -> None:
        """Commit: with ``full`` durability, what was written is on the disk on return."""

    def took_place(self) -> bool:
        """Return whether the last commit, which raised, took place. Driver's errors: it is not known yet."""

    def collided(self, error: Exception) -> bool:
        """Return whether an error means that others were in the way, and to execute it again at once will do."""

    def link(self) -> Link | None:
        """Return what connects this engine with the others on the database; None when there can be no other."""

    def rollback(self) -> None:
        """Undo what was written since :meth:`begin`; does nothing outside a transaction. Never raises."""

    def tidy(self) -> None:
        """Do, outside a transaction, what takes longer and some commit would have to do else. Never raises."""

    def reader(self) -> AbstractContextManager[Reader]:
        """Read from any thread, beside the writer. StoreError."""

    def explain(self, error: Exception) -> StoreError | None:
        """Return the problem when an error means that the database cannot work *now*, and may later."""

    def close(self) -> None:
        """Close all connections, and give the database free."""


class Heard(NamedTuple):
    """What an engine learns of the others.

    Attributes:
        text: a signal (:meth:`OpenStore.signal`) of another engine, or empty.
        missed: signals may have been missed: look at everything.
        chief: whether this engine does what one of all does.
        dead: names of engines that gave no sign of life for the length of a lease.
        silent: whether this engine itself has given none for a while, and should.
    """

    text: str = ""
    missed: bool = False
    chief: bool = False
    dead: tuple[str, ...] = ()
    silent: bool = False


class Link(Protocol):
    """Listens to the other engines on a database, in a thread of its own."""

    def start(self, heard: Callable[[Heard], None]) -> Heard:
        """Begin; ``heard`` is called from the thread: for each signal, and regularly. Returns how things stand."""

    def stop(self) -> None:
        """End; whoever is next becomes the chief."""


class Store(Protocol):
    """A database that is not yet open."""

    def open(self, durability: Durability) -> OpenStore:
        """Open, creating or migrating the schema as needed.

        DatabaseNewer, DatabaseInvalid, DatabaseLocked, DatabaseUnreachable: nothing was touched.
        """
