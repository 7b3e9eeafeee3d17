"""The counter that numbers runs, entries and events."""

from __future__ import annotations

from typing import Final

from sqlalchemy import func, select

from engine.store.interface import Statement, upsert
from engine.store.schema import blobs, codes, counter_floor, events, journal, journal_superseded, logs, runs, sessions

GREATEST: Final = Statement(
    select(
        select(func.max(runs.c.num)).scalar_subquery(),
        select(func.max(journal.c.seq)).scalar_subquery(),
        select(func.max(journal_superseded.c.seq)).scalar_subquery(),
        select(func.max(events.c.seq)).scalar_subquery(),
        select(func.max(blobs.c.id)).scalar_subquery(),
        select(func.max(logs.c.num)).scalar_subquery(),
        select(func.max(sessions.c.num)).scalar_subquery(),
        select(func.max(codes.c.num)).scalar_subquery(),
        select(func.max(counter_floor.c.num)).scalar_subquery(),
    )
)
"""The greatest number in each table; null where there is none."""

KEEP_FLOOR: Final = upsert(counter_floor, "one")
"""Remember that numbers up to ``num`` were given out (``one`` is always 1): before rows are deleted."""
