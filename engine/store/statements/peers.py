"""Several engines on one database: who they are, mail for their sessions, and the pulse they notice each other by."""

from __future__ import annotations

from typing import Final

from sqlalchemy import bindparam, delete, insert, select, update

from engine.store.interface import Statement
from engine.store.schema import executors, mail, pulse

EXECUTORS: Final = Statement(select(executors.c.name))
SEEN_AT: Final = Statement(select(executors.c.seen_at).where(executors.c.name == bindparam("name")))
BURY: Final = Statement(delete(executors).where(executors.c.name == bindparam("by_name")))

SEND_MAIL: Final = Statement(insert(mail))
MAIL: Final = Statement(select(*mail.c).where(mail.c.executor == bindparam("executor")).order_by(mail.c.num))
DELETE_MAIL: Final = Statement(
    delete(mail).where(mail.c.executor == bindparam("by_executor"), mail.c.num <= bindparam("by_num"))
)
DROP_MAIL: Final = Statement(delete(mail).where(mail.c.executor == bindparam("by_executor")))

RAISE_BOARD: Final = Statement(update(pulse).values(board=pulse.c.board + 1))
RAISE_NEWS: Final = Statement(update(pulse).values(news=pulse.c.news + 1))
NEWS: Final = Statement(select(pulse.c.news))
"""How many signals there have been."""
