"""Events and the keys by which late waits find them."""

from __future__ import annotations

from typing import Final

from sqlalchemy import bindparam, delete, func, insert, select

from engine.store.interface import Statement, insert_new
from engine.store.schema import event_keys, event_paths, events

INSERT: Final = Statement(insert(events))
ID_TAKEN: Final = Statement(select(events.c.seq).where(events.c.id == bindparam("id")))
FIRST_AFTER: Final = Statement(
    select(events.c.seq)
    .where(events.c.name == bindparam("name"), events.c.seq > bindparam("after"))
    .order_by(events.c.seq)
    .limit(1)
)
PAYLOAD: Final = Statement(
    select(events.c.id, events.c.payload, events.c.payload_blob).where(events.c.seq == bindparam("seq"))
)
PAYLOADS_OF_NAME: Final = Statement(
    select(events.c.seq, events.c.payload, events.c.payload_blob).where(events.c.name == bindparam("name"))
)
PATHS: Final = Statement(select(event_paths.c.path).where(event_paths.c.name == bindparam("name")))
INSERT_PATH: Final = insert_new(event_paths)
INSERT_KEY: Final = insert_new(event_keys)
WITH_KEY_AFTER: Final = Statement(
    select(event_keys.c.seq)
    .where(
        event_keys.c.name == bindparam("name"),
        event_keys.c.path == bindparam("path"),
        event_keys.c.value == bindparam("value"),
        event_keys.c.seq > bindparam("after"),
    )
    .order_by(event_keys.c.seq)
)
SENT_BEFORE: Final = Statement(
    select(events.c.seq, events.c.payload_blob)
    .where(events.c.at <= bindparam("time"))
    .order_by(events.c.at)
    .limit(bindparam("limit"))
)
FIRST_SENT: Final = Statement(select(func.min(events.c.at)))
DELETE: Final = Statement(delete(events).where(events.c.seq == bindparam("by_seq")))
DELETE_KEYS: Final = Statement(delete(event_keys).where(event_keys.c.seq == bindparam("by_seq")))
