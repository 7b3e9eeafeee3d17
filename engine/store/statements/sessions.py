"""Workers' sessions, the code versions they declare, and queues."""

from __future__ import annotations

from typing import Final

from sqlalchemy import bindparam, delete, func, select, update

from engine.store.interface import Statement, upsert
from engine.store.schema import codes, queues, sessions

ALL: Final = Statement(select(*sessions.c).order_by(sessions.c.num))
SAVE: Final = upsert(sessions, "worker")
BEAT: Final = Statement(update(sessions).where(sessions.c.worker == bindparam("by_worker")), "lease_until")
DRAIN: Final = Statement(update(sessions).where(sessions.c.worker == bindparam("by_worker")).values(draining=1))
DELETE: Final = Statement(delete(sessions).where(sessions.c.worker == bindparam("by_worker")))
_MINE = sessions.c.executor == bindparam("executor")
EXPIRED: Final = Statement(
    select(sessions.c.worker).where(_MINE, sessions.c.lease_until <= bindparam("now")).order_by(sessions.c.num)
)
NEXT_EXPIRY: Final = Statement(select(func.min(sessions.c.lease_until)).where(_MINE))

SAVE_CODE: Final = upsert(codes, "code")
NEWEST_CODE: Final = Statement(select(codes.c.code, codes.c.manifest).order_by(codes.c.num.desc()).limit(1))

SAVE_QUEUE: Final = upsert(queues, "name")
QUEUES: Final = Statement(select(queues.c.name, queues.c.concurrency))
