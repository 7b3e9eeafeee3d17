"""Runs: the order in which they are ready, lanes, due times, idempotency keys."""

from __future__ import annotations

from typing import Any

from engine.store.interface import OpenStore
from engine.store.statements import runs


def insert(store: OpenStore, num: int, **columns: Any) -> None:
    """Insert a queued run."""
    row: dict[str, Any] = {
        "num": num, "id": f"run_{num}", "job": "a", "state": "queued", "pin": "", "queue": "q", "lane": "",
        "priority": 0, "payload": b"p", "payload_blob": None, "options": None, "parent": None, "parent_step": None,
        "replayed_from": None, "created_at": 1.0, "due_at": None, "max_duration": None,
    }  # fmt: skip
    store.writer.run(runs.INSERT, row | columns)


def ready(store: OpenStore, limit: int = 10, job: str = "a", pin: str = "", crashes: int = 99) -> list[int]:
    """Return the numbers of the runs that are ready, in order."""
    rows = store.writer.all(runs.READY, {"job": job, "pin": pin, "crashes": crashes, "limit": limit})
    return [row[0] for row in rows]


def test_ready_runs_come_by_priority_then_age(store: OpenStore) -> None:
    """Higher priority first, then the older; other jobs, pins and parked ones not at all."""
    store.begin()
    insert(store, 1)
    insert(store, 2, priority=5)
    insert(store, 3)
    insert(store, 4, job="b")
    insert(store, 5, pin="v1")
    insert(store, 6)
    store.writer.run(runs.PARK, {"by_num": 6})
    assert ready(store) == [2, 1, 3]
    assert ready(store, limit=2) == [2, 1]
    assert ready(store, job="a", pin="v1") == [5]
    store.writer.run(runs.SET_CRASHES, {"by_num": 1, "crashes": 2})
    assert ready(store, crashes=2) == [2, 3]
    assert ready(store, crashes=3) == [2, 1, 3]
    assert set(store.writer.all(runs.READY_KEYS, {})) == {("a", ""), ("b", ""), ("a", "v1")}
    store.commit()


def test_parked_runs_come_back_by_lane(store: OpenStore) -> None:
    """A parked run is found by its lane, in order, until it is brought back."""
    store.begin()
    for num, lane in ((1, "x"), (2, "x"), (3, "y")):
        insert(store, num, lane=lane)
        store.writer.run(runs.PARK, {"by_num": num})
    assert ready(store) == []
    found = store.writer.all(runs.PARKED_IN_LANE, {"queue": "q", "lane": "x", "limit": 1})
    assert [row[0] for row in found] == [1]
    store.writer.run(runs.UNPARK, {"by_num": 1})
    assert ready(store) == [1]
    assert store.writer.run(runs.UNPARK_QUEUE, {"queue": "q"}) == 2
    assert ready(store) == [1, 2, 3]
    store.commit()


def test_going_runs_are_counted_by_lane(store: OpenStore) -> None:
    """Running runs count in their lane, and no longer after their end."""
    store.begin()
    for num in (1, 2):
        insert(store, num, lane="x")
        store.writer.run(
            runs.ASSIGN,
            {"by_num": num, "worker": "w", "token": 1, "code": "c", "started_at": 1.0, "deadline": None,
             "assigned_seq": 0},
        )  # fmt: skip
    insert(store, 3, lane="x")
    count = {"queue": "q", "lane": "x"}
    assert store.writer.one(runs.GOING_IN_LANE, count) == (2,)
    assert store.writer.all(runs.HELD_COUNTS, {}) == [("w", 2)]
    store.writer.run(
        runs.END,
        {"by_num": 1, "state": "failed", "result": None, "result_blob": None, "failed_step": "", "finished_at": 2.0},
    )
    assert store.writer.one(runs.GOING_IN_LANE, count) == (1,)
    store.commit()


def test_due_runs_come_by_state_and_time(store: OpenStore) -> None:
    """Each state's due times are found by themselves, the earliest first."""
    store.begin()
    insert(store, 1, state="delayed", due_at=20.0)
    insert(store, 2, state="delayed", due_at=10.0)
    insert(store, 3, due_at=5.0)
    insert(store, 4, state="waiting", due_at=7.0)
    insert(store, 5, state="waiting")
    due = {"now": 15.0, "limit": 10}
    assert [row[0] for row in store.writer.all(runs.DELAYED_DUE, due)] == [2]
    assert [row[0] for row in store.writer.all(runs.QUEUED_DUE, due)] == [3]
    assert [row[0] for row in store.writer.all(runs.WAITING_DUE, due)] == [4]
    nexts = [store.writer.one(s, {}) for s in (runs.DELAYED_NEXT, runs.QUEUED_NEXT, runs.WAITING_NEXT)]
    assert nexts == [(10.0,), (5.0,), (7.0,)]
    assert store.writer.one(runs.NEXT_DEADLINE, {}) == (None,)
    store.commit()


def test_one_child_for_each_step(store: OpenStore) -> None:
    """A parent's step finds its child, and after unlinking can have another."""
    store.begin()
    insert(store, 1)
    insert(store, 2, parent=1, parent_step="3")
    found = store.writer.one(runs.CHILD_OF, {"parent": 1, "step": "3"})
    assert found is not None
    assert found[0] == 2
    store.writer.run(runs.UNLINK_CHILD, {"by_num": 2})
    insert(store, 3, parent=1, parent_step="3")
    found = store.writer.one(runs.CHILD_OF, {"parent": 1, "step": "3"})
    assert found is not None
    assert found[0] == 3
    store.commit()


def test_idempotency_key_belongs_to_its_job(store: OpenStore) -> None:
    """A key is found with its job only; deleting it asks for the run too."""
    store.begin()
    insert(store, 1)
    store.writer.run(runs.SET_KEY, {"job": "a", "key": "k", "run": 1, "expires_at": 9.0})
    assert store.writer.one(runs.KEY_HOLDER, {"job": "a", "key": "k"}) == ("run_1", 1, 9.0)
    assert store.writer.one(runs.KEY_HOLDER, {"job": "b", "key": "k"}) is None
    store.writer.run(runs.DELETE_KEY, {"by_job": "a", "by_key": "k", "by_num": 2})
    assert store.writer.one(runs.KEY_HOLDER, {"job": "a", "key": "k"}) is not None
    store.commit()
