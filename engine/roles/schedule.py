"""When a role has to work again."""

from __future__ import annotations

from engine.store.interface import Statement
from engine.transaction import Transaction


def next_time(tx: Transaction, *statements: Statement) -> float | None:
    """Return the earliest of what the statements return, each a time or null."""
    rows = [tx.sql.one(statement, {}) for statement in statements]
    return min((row[0] for row in rows if row is not None and row[0] is not None), default=None)
