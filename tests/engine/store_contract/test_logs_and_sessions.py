"""Lines of output, sessions and code versions."""

from __future__ import annotations

from typing import Any

from engine.store.interface import OpenStore
from engine.store.statements import logs, sessions


def line(num: int, ordinal: int, run: int = 7) -> dict[str, Any]:
    """Return a line's row."""
    return {
        "num": num, "run": run, "step": "", "ordinal": ordinal, "at": 1.0, "level": 20, "logger": "l",
        "text": f"line {num}", "stream": "log",
    }  # fmt: skip


def test_a_body_line_is_kept_once(store: OpenStore) -> None:
    """A run's ordinal is kept once; lines with ordinal 0 are all kept."""
    store.begin()
    rows = [line(1, 1), line(2, 0), line(3, 0), line(4, 2)]
    assert store.writer.run_many(logs.INSERT, rows) == 4
    assert store.writer.run_many(logs.INSERT, [line(5, 2), line(6, 3)]) == 1
    assert store.writer.one(logs.LAST_ORDINAL, {"run": 7}) == (3,)
    assert store.writer.all(logs.KEPT_ORDINALS, {"run": 7, "least": 2}) == [(2,), (3,)]
    assert [row[5] for row in store.writer.all(logs.OF_RUN, {"run": 7})] == [f"line {n}" for n in (1, 2, 3, 4, 6)]
    store.commit()


def test_expired_sessions_are_found(store: OpenStore) -> None:
    """A session is found when its lease is over, and not after a sign of life."""
    store.begin()
    for num, worker in enumerate(("w1", "w2")):
        store.writer.run(
            sessions.SAVE,
            {"worker": worker, "num": num, "code": "c", "jobs": "[]", "capacity": 1, "draining": 0,
             "lease_until": 10.0 + num, "executor": "e"},
        )  # fmt: skip
    assert store.writer.all(sessions.EXPIRED, {"executor": "e", "now": 10.5}) == [("w1",)]
    assert store.writer.one(sessions.NEXT_EXPIRY, {"executor": "e"}) == (10.0,)
    store.writer.run(sessions.BEAT, {"by_worker": "w1", "lease_until": 20.0})
    assert store.writer.all(sessions.EXPIRED, {"executor": "e", "now": 10.5}) == []
    store.commit()


def test_the_newest_code_has_the_greatest_number(store: OpenStore) -> None:
    """Declaring a version again makes it the newest again."""
    store.begin()
    for num, code in ((1, "c1"), (2, "c2")):
        store.writer.run(sessions.SAVE_CODE, {"code": code, "num": num, "manifest": b"m"})
    assert store.writer.one(sessions.NEWEST_CODE, {}) == ("c2", b"m")
    store.writer.run(sessions.SAVE_CODE, {"code": "c1", "num": 3, "manifest": b"n"})
    assert store.writer.one(sessions.NEWEST_CODE, {}) == ("c1", b"n")
    store.commit()
