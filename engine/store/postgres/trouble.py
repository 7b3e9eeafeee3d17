"""What PostgreSQL's errors mean: others were in the way, the database cannot work now, or it is somebody's mistake."""

from __future__ import annotations

from typing import Final

import psycopg

from engine.errors import StoreUnavailable

_COLLISIONS: Final = frozenset(("40001", "40P01"))
"""Serialization failure and deadlock: the same transaction may just be executed again."""

_LOST: Final = frozenset(("57P01", "57P02", "57P03", "57P05", "25P03", "25P04"))
"""The server ends sessions, is starting, or ended this one, which was idle for too long."""

_NOT_NOW: Final[dict[str, str]] = {
    "25006": "The database can only be read: it is a standby",
    "53100": "The disk that holds the database is full",
    "53200": "There is no memory left for the database",
    "53300": "The database has no connection left",
    "53400": "A limit of the database is reached",
    "55P03": "Another session holds a lock for too long",
    "57014": "The database took too long",
    "58030": "The disk that holds the database reports an error",
}
"""What may go away by itself, by SQLSTATE."""

HINT: Final = "Is the database up, and reachable from here? Work goes on by itself when it is."


def collided(error: Exception) -> bool:
    """Return whether others were in the way, and to execute it again at once will do."""
    return isinstance(error, psycopg.Error) and error.sqlstate in _COLLISIONS


def is_lost(error: Exception) -> bool:
    """Return whether the connection is of no use any more."""
    if not isinstance(error, psycopg.Error):
        return False
    state = error.sqlstate
    if state is None:
        return isinstance(error, psycopg.OperationalError | psycopg.InterfaceError)
    return state in _LOST or state.startswith("08")


def explain(error: Exception, where: str) -> StoreUnavailable | None:
    """Return the problem when an error means that the database cannot work now, and may later."""
    if not isinstance(error, psycopg.Error):
        return None
    if is_lost(error):
        return StoreUnavailable(f"The database cannot be reached: {told(error)}.", hint=HINT, where=where)
    state = error.sqlstate or ""
    if state in _COLLISIONS:
        return StoreUnavailable(f"Others are in the way again and again: {told(error)}.", hint=HINT, where=where)
    if state in _NOT_NOW:
        return StoreUnavailable(f"{_NOT_NOW[state]} ({told(error)}).", hint=HINT, where=where)
    return None


def told(error: Exception) -> str:
    """Return the first line of what the driver says, without a full stop."""
    lines = str(error).strip().splitlines()
    return lines[0].rstrip(".") if lines else type(error).__name__
