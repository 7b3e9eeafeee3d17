"""What a database of the engine holds, read by a second connection beside it; and what must be true of it always."""

from __future__ import annotations

import sqlite3
from collections import defaultdict
from collections.abc import Iterator, Mapping
from contextlib import closing, contextmanager
from dataclasses import dataclass
from itertools import pairwise
from pathlib import Path

from engine.store.schema import KIND_WORDS
from tests.fakes.effects import Effect
from trigger_sdk.protocol.states import FINAL_STATES

ENDS = frozenset(("step_completed", "step_failed", "step_canceled", "wait_completed", "wait_failed", "wait_timed_out"))
"""Kinds of which a step has at most one."""


@dataclass(frozen=True, slots=True, kw_only=True)
class RunRecord:
    """A run's row; the names are the columns'."""

    num: int
    id: str
    job: str
    state: str
    token: int
    worker: str | None
    crashes: int
    parent: int | None
    parent_step: str | None
    finished_at: float | None


@dataclass(frozen=True, slots=True, kw_only=True)
class EntryRecord:
    """A journal entry; the names are the columns', ``kind`` is spelled out."""

    seq: int
    run: int
    step: str
    kind: str
    attempt: int
    at: float
    name: str
    op: str


class Records:
    """The database of a project, for reading."""

    def __init__(self, path: Path) -> None:
        self.path = path

    @contextmanager
    def _connection(self) -> Iterator[sqlite3.Connection]:
        with closing(sqlite3.connect(f"file:{self.path}?mode=ro", uri=True, timeout=10)) as connection:
            yield connection

    def runs(self) -> list[RunRecord]:
        """Return every run, oldest first."""
        names = list(RunRecord.__dataclass_fields__)
        with self._connection() as sql:
            rows = sql.execute(f"select {', '.join(names)} from runs order by num")
            return [RunRecord(**dict(zip(names, row, strict=True))) for row in rows]

    def entries(self) -> dict[int, list[EntryRecord]]:
        """Return the journals, by the run's number."""
        names = list(EntryRecord.__dataclass_fields__)
        found: dict[int, list[EntryRecord]] = defaultdict(list)
        with self._connection() as sql:
            for row in sql.execute(f"select {', '.join(names)} from journal order by seq"):
                values = dict(zip(names, row, strict=True))
                entry = EntryRecord(**values | {"kind": KIND_WORDS[values["kind"]]})
                found[entry.run].append(entry)
        return found

    def lines(self, run: int) -> list[str]:
        """Return what the body of a run said, in the order of the ordinals; fails when one is missing or twice."""
        with self._connection() as sql:
            rows = sql.execute("select ordinal, text from logs where run = ? and ordinal > 0 order by ordinal", (run,))
            lines = rows.fetchall()
        assert [ordinal for ordinal, _ in lines] == list(range(1, len(lines) + 1)), lines
        return [text for _, text in lines]

    def check(self) -> None:
        """Fail when something is true that never may be."""
        journals = self.entries()
        for run in self.runs():
            journal = journals.get(run.num, [])
            _check_ends(run, journal)
            _check_times(run, journal)
            if run.state in FINAL_STATES:
                assert run.worker is None, run
        with self._connection() as sql:
            final = ", ".join(f"'{state}'" for state in sorted(FINAL_STATES))
            left = sql.execute(f"select w.* from waits w join runs r on r.num = w.run where r.state in ({final})")
            assert left.fetchall() == [], "waits of runs that ended"
            assert sql.execute("pragma integrity_check").fetchone() == ("ok",)

    def check_effects(self, effects: Mapping[str, Mapping[str, list[Effect]]]) -> None:
        """Fail when a completed step has no effect, or began again after it was completed, or had more lives than it.

        Only steps are looked at that are named as an effect is.
        """
        journals = self.entries()
        named = {what for done in effects.values() for what in done}
        for run in self.runs():
            done = effects.get(run.id, {})
            completed = {e.name: e for e in journals.get(run.num, []) if e.kind == "step_completed" and e.name in named}
            for name, entry in completed.items():
                hits = [one for one in done.get(name, ()) if one.happened]
                assert hits, f"{run}: {name} was completed and did not happen"
                late = [hit for hit in hits if hit.began > entry.at]
                assert not late, f"{run}: {name} began after it was completed at {entry}: {late}"
                lives = len({hit.pid for hit in hits})
                assert len(hits) == lives, f"{run}: one worker did {name} again: {hits}"
                assert len(hits) <= run.token, f"{run}: {name} happened more often than it was given out: {hits}"


def _check_ends(run: RunRecord, journal: list[EntryRecord]) -> None:
    ended: dict[str, EntryRecord] = {}
    begun = {entry.step for entry in journal if entry.kind == "wait_started"}
    for entry in journal:
        if entry.kind in ENDS:
            assert entry.step not in ended, f"{run}: a step ended twice: {ended[entry.step]} and {entry}"
            ended[entry.step] = entry
        if entry.kind.startswith("wait_"):
            assert entry.step in begun, f"{run}: a wait ended that never began: {entry}"


def _check_times(run: RunRecord, journal: list[EntryRecord]) -> None:
    for before, after in pairwise(journal):
        assert before.at <= after.at, f"{run}: time went back: {before} and {after}"
    if run.finished_at is not None and run.state in FINAL_STATES:
        late = [entry for entry in journal if entry.at > run.finished_at]
        assert not late, f"{run}: written after its end: {late}"


Shape = list[tuple[str, str, str, str]]


def shape_of(journal: list[EntryRecord]) -> Shape:
    """Return what a journal says, apart from times, ids and failed attempts: step, kind, op and the name of calls."""
    return sorted(
        (entry.step, entry.kind, entry.op, entry.name if entry.kind in ("step_completed", "wait_started") else "")
        for entry in journal
        if entry.kind != "step_attempt_failed"
    )
