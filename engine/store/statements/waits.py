"""Waits and the keys by which events find them."""

from __future__ import annotations

from typing import Final

from sqlalchemy import bindparam, delete, func, select

from engine.store.interface import Statement, insert_new
from engine.store.schema import wait_keys, waits

INSERT: Final = insert_new(waits)
INSERT_KEY: Final = insert_new(wait_keys)

_STEP = (waits.c.run == bindparam("run"), waits.c.step == bindparam("step"))

ONE: Final = Statement(select(*waits.c).where(*_STEP))
OF_RUN: Final = Statement(select(*waits.c).where(waits.c.run == bindparam("run")).order_by(waits.c.step))
ANY_OF_RUN: Final = Statement(select(waits.c.step).where(waits.c.run == bindparam("run")).limit(1))
FOR_CHILD: Final = Statement(
    select(*waits.c).where(waits.c.child == bindparam("child")).order_by(waits.c.run, waits.c.step)
)
DUE: Final = Statement(
    select(*waits.c).where(waits.c.due_at <= bindparam("now")).order_by(waits.c.due_at).limit(bindparam("limit"))
)
NEXT_DUE: Final = Statement(select(func.min(waits.c.due_at)).where(waits.c.due_at.is_not(None)))
DELETE: Final = Statement(delete(waits).where(waits.c.run == bindparam("by_run"), waits.c.step == bindparam("by_step")))
DELETE_OF_RUN: Final = Statement(delete(waits).where(waits.c.run == bindparam("by_run")))

MATCHING: Final = Statement(
    select(*waits.c)
    .join(wait_keys, (wait_keys.c.run == waits.c.run) & (wait_keys.c.step == waits.c.step))
    .where(
        wait_keys.c.name == bindparam("name"),
        wait_keys.c.path == bindparam("path"),
        wait_keys.c.value == bindparam("value"),
    )
    .order_by(wait_keys.c.run, wait_keys.c.step)
)
DELETE_KEY: Final = Statement(
    delete(wait_keys).where(
        wait_keys.c.name == bindparam("by_name"),
        wait_keys.c.path == bindparam("by_path"),
        wait_keys.c.value == bindparam("by_value"),
        wait_keys.c.run == bindparam("by_run"),
        wait_keys.c.step == bindparam("by_step"),
    )
)
