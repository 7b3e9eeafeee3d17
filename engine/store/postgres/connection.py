"""Connections: how they are made, that no answer is awaited for ever, and statements compiled once for psycopg."""

from __future__ import annotations

import time
from collections.abc import Mapping, Sequence
from typing import Any, Final, TypeVar

import psycopg
from psycopg.abc import PQGen
from psycopg.types.numeric import Int8Dumper
from psycopg.types.string import StrDumper
from sqlalchemy.dialects import postgresql as dialect_module
from sqlalchemy.dialects.postgresql import psycopg as psycopg_dialect

from engine.store.compiling import compiled_text
from engine.store.interface import Params, Row, Statement

T = TypeVar("T")

_DIALECT: Final = psycopg_dialect.dialect()  # type: ignore[no-untyped-call]  # untyped in SQLAlchemy

CONNECT_S: Final = 5
"""Seconds that connecting may take."""

ANSWER_S: Final = 40.0
"""Seconds without an answer after which a server counts as lost: longer than any of its own limits."""

_KEEPALIVE: Final[Mapping[str, int]] = {
    "keepalives_idle": 5,
    "keepalives_interval": 2,
    "keepalives_count": 3,
    "tcp_user_timeout": 10_000,
}
"""So that a peer that is gone is noticed by the system, on this side."""

_SERVER: Final[Mapping[str, str]] = {
    "statement_timeout": "30s",
    "lock_timeout": "10s",
    "idle_in_transaction_session_timeout": "5s",
    "tcp_keepalives_idle": "5",
    "tcp_keepalives_interval": "2",
    "tcp_keepalives_count": "3",
    "default_transaction_isolation": "read committed",
    # Tables that fill and empty within minutes have no useful statistics; every statement has its index.
    "enable_seqscan": "off",
    "jit": "off",
    "client_encoding": "UTF8",
    "TimeZone": "UTC",
}
"""Settings of every session: nothing waits for ever, and a client that is gone is noticed on the other side."""


class _TextDumper(StrDumper):
    """PostgreSQL's text has no NUL: a picture of it stands for it, so that one line of output stops nothing."""

    def dump(self, obj: str) -> Any:
        return super().dump(obj.replace("\0", "\u2400") if "\0" in obj else obj)


class BoundedConnection(psycopg.Connection[Row]):
    """A connection that gives up a server which does not answer, however well the network looks."""

    def wait(self, gen: PQGen[T], interval: float = 1.0, timeout: float | None = None) -> T:
        """Wait for an answer, at most :data:`ANSWER_S`; then the connection is of no use any more."""
        began = time.monotonic()
        try:
            return super().wait(gen, interval, ANSWER_S if timeout is None else timeout)
        except psycopg.OperationalError as error:
            if time.monotonic() - began < ANSWER_S:
                raise
            self.pgconn.finish()
            raise psycopg.OperationalError(f"the server has not answered for {ANSWER_S:.0f} s") from error


def connect(url: str, settings: Mapping[str, str], *, name: str) -> BoundedConnection:
    """Connect, with the session's settings. psycopg.Error."""
    raw = BoundedConnection.connect(
        url,
        autocommit=True,
        connect_timeout=CONNECT_S,
        application_name=f"trigger {name}",
        **_KEEPALIVE,  # type: ignore[arg-type]  # libpq's own parameters
    )
    try:
        raw.prepare_threshold = 0
        raw.prepared_max = None
        raw.adapters.register_dumper(str, _TextDumper)
        raw.adapters.register_dumper(int, Int8Dumper)
        chosen = {**_SERVER, **settings}
        raw.execute(
            "SELECT " + ", ".join("set_config(%s, %s, false)" for _ in chosen),
            [text for pair in chosen.items() for text in pair],
        )
    except BaseException:
        raw.close()
        raise
    return raw


def sql_text(statement: Statement) -> str:
    """Compile a statement to SQL with psycopg's named parameters."""
    return compiled_text(
        statement, module=dialect_module, dialect=_DIALECT, placeholder=lambda name: rf"%\({name}\)s(::\w+)?"
    )


class Statements:
    """Executes statements on a connection. Used by one thread at a time."""

    def __init__(self, texts: dict[Statement, str]) -> None:
        self._texts = texts
        self._raw: BoundedConnection | None = None
        self._cursor: psycopg.Cursor[Row] | None = None
        self._changes = 0

    @property
    def raw(self) -> BoundedConnection:
        """The connection. OperationalError when there is none."""
        if self._raw is None:
            raise psycopg.OperationalError("the connection is lost")
        return self._raw

    @property
    def lost(self) -> bool:
        """Whether there is no connection that can be used."""
        return self._raw is None or self._raw.closed

    def use(self, raw: BoundedConnection | None) -> None:
        """Go on with another connection; the one before is closed."""
        if self._raw is not None:
            self._raw.close()
        self._raw = raw
        self._cursor = None if raw is None else raw.cursor()

    def execute(self, text: str, params: Mapping[str, object] | Sequence[object] | None = None) -> psycopg.Cursor[Row]:
        """Execute SQL; the cursor has the answer until the next call."""
        if self._cursor is None:
            raise psycopg.OperationalError("the connection is lost")
        return self._cursor.execute(text, params)

    def _text(self, statement: Statement) -> str:
        text = self._texts.get(statement)
        if text is None:
            text = self._texts[statement] = sql_text(statement)
        return text

    def one(self, statement: Statement, params: Params) -> Row | None:
        """Return the first row, or None."""
        return self.execute(self._text(statement), params).fetchone()

    def all(self, statement: Statement, params: Params) -> list[Row]:
        """Return all rows."""
        return self.execute(self._text(statement), params).fetchall()

    def run(self, statement: Statement, params: Params) -> int:
        """Execute; return the number of rows changed."""
        changed = self.execute(self._text(statement), params).rowcount
        self._changes += 1
        return changed

    def write(self, statement: Statement, params: Params) -> None:
        """Execute; an error comes with the next answer that is waited for."""
        self.execute(self._text(statement), params)
        self._changes += 1

    def run_many(self, statement: Statement, rows: Sequence[Params]) -> int:
        """Execute for each row of parameters; return the number of rows changed in all."""
        if len(rows) == 1:
            return self.run(statement, rows[0])
        if self._cursor is None:
            raise psycopg.OperationalError("the connection is lost")
        self._changes += 1
        self._cursor.executemany(self._text(statement), rows)
        return self._cursor.rowcount

    @property
    def changes(self) -> int:
        """A number that grows with every statement that writes."""
        return self._changes
