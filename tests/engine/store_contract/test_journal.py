"""The journal: once for each key, in order; values beside it."""

from __future__ import annotations

from typing import Any

import pytest

from engine.store.interface import OpenStore
from engine.store.statements import journal


def entry(seq: int, *, step: str = "1", kind: int = 1, attempt: int = 1, run: int = 7) -> dict[str, Any]:
    """Return an entry's row."""
    return {
        "seq": seq, "run": run, "step": step, "kind": kind, "attempt": attempt, "at": 1.0, "name": "n", "op": "task",
        "value": b"v", "blob": None, "started_at": None, "due_at": None, "issued_after": 0, "line": "", "event": None,
    }  # fmt: skip


def test_an_entry_is_kept_once(store: OpenStore) -> None:
    """The same run, step, kind and attempt is left as it was, and does not count as written."""
    store.begin()
    assert store.writer.run_many(journal.INSERT, [entry(1), entry(2, step="2")]) == 2
    assert store.writer.run_many(journal.INSERT, [entry(3), entry(4, attempt=2)]) == 1
    seqs = [row[0] for row in store.writer.all(journal.ENTRIES, {"run": 7})]
    assert seqs == [1, 2, 4]
    place = {"run": 7, "step": "1", "kind": 1, "attempt": 1}
    assert store.writer.one(journal.ENTRY_PLACE, place) == (1, 1.0)
    store.commit()


def test_entries_come_in_order_of_seq(store: OpenStore) -> None:
    """Entries of one run come by seq, however their steps are called."""
    store.begin()
    rows = [entry(3, step="10"), entry(5, step="2"), entry(4, step="1.1"), entry(6, run=8)]
    store.writer.run_many(journal.INSERT, rows)
    assert [row[0] for row in store.writer.all(journal.ENTRIES, {"run": 7})] == [3, 4, 5]
    store.commit()


@pytest.mark.parametrize(
    ("kind", "delivered"), [(1, True), (3, False), (5, False), (6, False), (10, False), (11, True)]
)
def test_delivered_kinds_are_told_apart(store: OpenStore, kind: int, delivered: bool) -> None:
    """Only kinds that a body learns of count as news for it."""
    store.begin()
    store.writer.run_many(journal.INSERT, [entry(4, kind=kind)])
    key = {"run": 7, "seq": 3}
    assert (store.writer.one(journal.ANY_DELIVERED_AFTER, key) is not None) == delivered
    assert (store.writer.all(journal.DELIVERED_AFTER, key) != []) == delivered
    assert store.writer.one(journal.ANY_AFTER, key) is not None
    assert store.writer.one(journal.ANY_AFTER, {"run": 7, "seq": 4}) is None
    store.commit()


def test_withdrawing_takes_back_the_newest(store: OpenStore) -> None:
    """Entries from a seq on are gone, earlier ones stay."""
    store.begin()
    store.writer.run_many(journal.INSERT, [entry(1), entry(2, step="2"), entry(3, step="3")])
    store.writer.run(journal.WITHDRAW_FROM, {"by_run": 7, "by_seq": 2})
    assert [row[0] for row in store.writer.all(journal.ENTRIES, {"run": 7})] == [1]
    store.commit()


def test_superseded_entries_free_their_key(store: OpenStore) -> None:
    """A superseded entry moves away; the same key can be written again."""
    store.begin()
    store.writer.run_many(journal.INSERT, [entry(1)])
    store.writer.run(journal.SUPERSEDE, {"by_seq": 1, "at": 2.0})
    store.writer.run(journal.DELETE_ENTRY, {"by_seq": 1})
    assert store.writer.run_many(journal.INSERT, [entry(2)]) == 1
    store.commit()


def test_blobs_belong_to_their_run(store: OpenStore) -> None:
    """A blob is read by its id and goes with its run; lists leave out the big ones."""
    store.begin()
    store.writer.run(journal.INSERT_BLOB, {"id": 1, "run": 7, "data": b"x" * 300_000})
    store.writer.run(journal.INSERT_BLOB, {"id": 2, "run": 8, "data": b"y"})
    assert store.writer.one(journal.BLOB, {"id": 1}) == (b"x" * 300_000,)
    assert store.writer.one(journal.SMALL_BLOB, {"id": 1}) is None
    assert store.writer.one(journal.SMALL_BLOB, {"id": 2}) == (b"y",)
    store.writer.run(journal.DELETE_BLOBS, {"by_num": 7})
    assert store.writer.one(journal.BLOB, {"id": 1}) is None
    assert store.writer.one(journal.BLOB, {"id": 2}) is not None
    store.commit()
