"""Beginning, committing, undoing; reading beside the writer."""

from __future__ import annotations

import threading
from collections.abc import Callable

from engine.store.interface import OpenStore, Store
from engine.store.statements import sessions

QUEUE = {"name": "q", "concurrency": 3}


def test_committed_rows_are_read_by_others(store: OpenStore) -> None:
    """A reader sees what was committed, and nothing before."""
    store.begin()
    store.writer.run(sessions.SAVE_QUEUE, QUEUE)
    with store.reader() as reader:
        assert reader.all(sessions.QUEUES, {}) == []
    store.commit()
    with store.reader() as reader:
        assert reader.all(sessions.QUEUES, {}) == [("q", 3)]


def test_rolled_back_rows_are_gone(store: OpenStore) -> None:
    """Rolling back undoes; doing so outside a transaction does nothing."""
    store.rollback()
    store.begin()
    store.writer.run(sessions.SAVE_QUEUE, QUEUE)
    store.rollback()
    store.begin()
    assert store.writer.all(sessions.QUEUES, {}) == []
    store.commit()


def test_changes_grows_with_rows_only(store: OpenStore) -> None:
    """Reading leaves the count of changes, writing does not."""
    store.begin()
    before = store.writer.changes
    store.writer.all(sessions.QUEUES, {})
    assert store.writer.changes == before
    store.writer.run(sessions.SAVE_QUEUE, QUEUE)
    assert store.writer.changes > before
    store.commit()


def test_upsert_replaces_the_row(store: OpenStore) -> None:
    """Saving a row with the same key replaces its other columns."""
    store.begin()
    store.writer.run(sessions.SAVE_QUEUE, QUEUE)
    store.writer.run(sessions.SAVE_QUEUE, {"name": "q", "concurrency": None})
    assert store.writer.all(sessions.QUEUES, {}) == [("q", None)]
    store.commit()


def test_readers_are_usable_from_several_threads(store: OpenStore) -> None:
    """Two threads read at the same time, each one state."""
    store.begin()
    store.writer.run(sessions.SAVE_QUEUE, QUEUE)
    store.commit()
    both = threading.Barrier(2, timeout=10)
    seen: list[object] = []

    def read() -> None:
        with store.reader() as reader:
            both.wait()
            seen.append(reader.all(sessions.QUEUES, {}))

    threads = [threading.Thread(target=read) for _ in range(2)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join(10)
    assert seen == [[("q", 3)]] * 2


def test_numbers_grow_over_transactions_and_openings(make_store: Callable[[], Store]) -> None:
    """Numbers are never given out twice, also when a transaction was undone or the store was closed."""
    store = make_store().open("normal")
    store.begin()
    first = store.writer.take(3)
    assert store.writer.take(1) > first + 2
    store.rollback()
    store.begin()
    number = store.writer.take(1)
    assert number > first + 2
    store.writer.run(sessions.SAVE_CODE, {"code": "c", "num": number, "manifest": b""})
    store.commit()
    store.close()
    again = make_store().open("normal")
    assert again.writer.take(1) > number
    again.close()


def test_an_unknown_error_is_not_explained(store: OpenStore) -> None:
    """Only errors of the database that may go away are explained."""
    assert store.explain(ValueError("x")) is None


def test_full_durability_commits(make_store: Callable[[], Store]) -> None:
    """With full durability everything works as with normal."""
    store = make_store().open("full")
    store.begin()
    store.writer.run(sessions.SAVE_QUEUE, QUEUE)
    store.commit()
    store.close()
    again = make_store().open("full")
    with again.reader() as reader:
        assert reader.all(sessions.QUEUES, {}) == [("q", 3)]
    again.close()
