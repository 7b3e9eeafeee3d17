"""Lines of output."""

from __future__ import annotations

from typing import Final

from sqlalchemy import bindparam, delete, func, literal_column, select

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
DELETE_RUN: Final = Statement(delete(logs).where(logs.c.run == bindparam("by_num")))
