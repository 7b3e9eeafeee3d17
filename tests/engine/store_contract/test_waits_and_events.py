"""Waits are found by time, child and key; events by name, key and age."""

from __future__ import annotations

from typing import Any

from engine.store.interface import OpenStore
from engine.store.statements import events, waits


def wait(run: int, step: str, **columns: Any) -> dict[str, Any]:
    """Return a wait's row."""
    row: dict[str, Any] = {
        "run": run, "step": step, "name": "n", "op": "event", "line": "", "issued_after": 0, "started_at": 1.0,
        "due_at": None, "spec": None, "child": None,
    }  # fmt: skip
    return row | columns


def test_due_waits_come_by_time(store: OpenStore) -> None:
    """The earliest first, those without an end never."""
    store.begin()
    for row in (wait(1, "1", due_at=9.0), wait(2, "1", due_at=3.0), wait(3, "1"), wait(4, "1", due_at=99.0)):
        store.writer.run(waits.INSERT, row)
    assert [row[0] for row in store.writer.all(waits.DUE, {"now": 10.0, "limit": 5})] == [2, 1]
    assert store.writer.one(waits.NEXT_DUE, {}) == (3.0,)
    store.writer.run(waits.DELETE, {"by_run": 2, "by_step": "1"})
    assert store.writer.one(waits.NEXT_DUE, {}) == (9.0,)
    store.commit()


def test_waits_are_found_by_child_and_run(store: OpenStore) -> None:
    """All waits for a child are found; a run's waits come by step."""
    store.begin()
    for row in (wait(1, "2", child=50), wait(1, "1"), wait(2, "1", child=50)):
        store.writer.run(waits.INSERT, row)
    assert [(r[0], r[1]) for r in store.writer.all(waits.FOR_CHILD, {"child": 50})] == [(1, "2"), (2, "1")]
    assert [r[1] for r in store.writer.all(waits.OF_RUN, {"run": 1})] == ["1", "2"]
    store.commit()


def test_waits_are_found_by_key(store: OpenStore) -> None:
    """Only waits under the very name, path and value are found."""
    store.begin()
    for run, value in ((1, "1"), (2, '"1"')):
        store.writer.run(waits.INSERT, wait(run, "1"))
        store.writer.run(waits.INSERT_KEY, {"name": "n", "path": "id", "value": value, "run": run, "step": "1"})
    key = {"name": "n", "path": "id", "value": "1"}
    assert [row[0] for row in store.writer.all(waits.MATCHING, key)] == [1]
    store.writer.run(waits.DELETE_KEY, {"by_name": "n", "by_path": "id", "by_value": "1", "by_run": 1, "by_step": "1"})
    assert store.writer.all(waits.MATCHING, key) == []
    store.commit()


def test_events_are_found_after_a_seq(store: OpenStore) -> None:
    """By name the first after a seq, by key all after it, in order."""
    store.begin()
    for seq in (3, 5, 8):
        store.writer.run(
            events.INSERT,
            {"seq": seq, "id": f"e{seq}", "name": "n", "payload": b"p", "payload_blob": None, "at": float(seq)},
        )
        store.writer.run_many(events.INSERT_KEY, [{"name": "n", "path": "id", "value": "1", "seq": seq}])
    assert store.writer.one(events.FIRST_AFTER, {"name": "n", "after": 3}) == (5,)
    assert store.writer.one(events.FIRST_AFTER, {"name": "m", "after": 0}) is None
    key = {"name": "n", "path": "id", "value": "1", "after": 3}
    assert store.writer.all(events.WITH_KEY_AFTER, key) == [(5,), (8,)]
    assert store.writer.one(events.ID_TAKEN, {"id": "e5"}) == (5,)
    assert store.writer.all(events.SENT_BEFORE, {"time": 5.0, "limit": 9}) == [(3, None), (5, None)]
    store.commit()
