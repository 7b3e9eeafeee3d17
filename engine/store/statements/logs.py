"""Lines of output."""

from __future__ import annotations

from typing import Final

from sqlalchemy import bindparam, delete, func, literal_column, select, update

from engine.store.interface import Statement, insert_new
from engine.store.schema import logs

INSERT: Final = insert_new(logs)
_BODY_LINE = (logs.c.run == bindparam("run"), logs.c.ordinal > literal_column("0"))
KEPT_ORDINALS: Final = Statement(select(logs.c.ordinal).where(*_BODY_LINE, logs.c.ordinal >= bindparam("least")))
LAST_ORDINAL: Final = Statement(select(func.max(logs.c.ordinal)).where(*_BODY_LINE))
OF_RUN: Final = Statement(
    select(logs.c.step, logs.c.ordinal, logs.c.at, logs.c.level, logs.c.logger, logs.c.text, logs.c.stream)
    .where(logs.c.run == bindparam("run"))
    .order_by(logs.c.num)
)
SIZE: Final = Statement(
    select(func.count(), func.coalesce(func.sum(func.length(logs.c.text)), 0), func.max(logs.c.num)).where(
        logs.c.run == bindparam("run")
    )
)
"""A run's lines: how many, how many characters, and the number of the last, null without one."""

ORDINAL: Final = Statement(select(logs.c.ordinal).where(logs.c.num == bindparam("num")))
SET_ORDINAL: Final = Statement(update(logs).where(logs.c.num == bindparam("by_num")), "ordinal")
DELETE_RUN: Final = Statement(delete(logs).where(logs.c.run == bindparam("by_num")))
