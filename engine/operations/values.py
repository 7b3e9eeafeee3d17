"""Encoded values in the database: small ones in their row, big ones beside it."""

from __future__ import annotations

from typing import Final

from engine.errors import ValueOverLimit
from engine.store.interface import Reader
from engine.store.statements import journal
from engine.transaction import Transaction
from trigger_sdk.protocol.limits import BIG_VALUE_BYTES, MAX_VALUE_BYTES

RUN_INLINE_BYTES: Final = 1024
"""Payloads and results above this are not kept in the run's row, which is written anew at each move."""

EVENTS: Final = 0
"""``blobs.run`` of the payloads of events."""


def check_size(value: bytes | None, what: str) -> None:
    """Raise ValueOverLimit above the limit."""
    if value is not None and len(value) > MAX_VALUE_BYTES:
        raise ValueOverLimit(f"{what} takes {len(value):,} bytes encoded; the limit is {MAX_VALUE_BYTES:,}.")


def store(
    tx: Transaction, run: int, value: bytes | None, inline: int = BIG_VALUE_BYTES
) -> tuple[bytes | None, int | None]:
    """Return what goes into the value's column and what into the column of its blob."""
    if value is None or len(value) <= inline:
        return value, None
    blob = tx.sql.take(1)
    tx.sql.write(journal.INSERT_BLOB, {"id": blob, "run": run, "data": value})
    return None, blob


def load(sql: Reader, value: bytes | None, blob: int | None) -> bytes | None:
    """Return a stored value."""
    if blob is None:
        return value
    row = sql.one(journal.BLOB, {"id": blob})
    return None if row is None else row[0]


def load_small(sql: Reader, blob: int) -> bytes | None:
    """Return a value kept beside its row unless it is big: lists show values, but not those."""
    row = sql.one(journal.SMALL_BLOB, {"id": blob})
    return None if row is None else row[0]
