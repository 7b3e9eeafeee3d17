"""Keeping lines of output, each once, and of one run no more than is reasonable."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Final

from msgspec.structs import replace

from engine.board import LogSpace
from engine.store.statements import logs, runs
from engine.transaction import RunRow, Transaction
from trigger_sdk.protocol.messages import LogLine

_ROW: Final = 64
"""What a line counts beside its characters."""


def keep(tx: Transaction, lines: Sequence[LogLine], worker: str | None = None) -> list[LogLine]:
    """Keep lines of runs; return those that are new. Lines outside any run are new and not kept.

    Lines of a body are kept from the ``worker`` that holds the run, as its entries are; None is not checked. Who holds
    it after a lease is over says them again.

    Of a run whose output has reached the limit, new lines are returned and not kept; the last that is kept says so, and
    bears the ordinal of what was told last, so that no replay tells it again.
    """
    found: dict[str, _Output | None] = {}
    new: list[LogLine] = []
    for line in lines:
        output = _find(tx, line.run, found)
        if output is None:
            new.append(line)
        elif line.ordinal == 0 or (worker in (None, output.run.worker) and output.is_new(line, lines)):
            new.append(line)
            output.add(line)
    written = [output for output in found.values() if output is not None]
    rows = [row for output in written for row in output.rows]
    if rows:
        tx.sql.run_many(logs.INSERT, rows)
    for output in written:
        output.settle()
    return new


def _find(tx: Transaction, run_id: str, found: dict[str, _Output | None]) -> _Output | None:
    if run_id and run_id not in found:
        row = tx.sql.one(runs.ROW_BY_ID, {"id": run_id})
        found[run_id] = None if row is None else _Output(tx, RunRow(*row))
    return found.get(run_id)


class _Output:
    """What is kept of one run, and what these lines add to it.

    Attributes:
        run: the run.
        rows: the lines to insert.
    """

    def __init__(self, tx: Transaction, run: RunRow) -> None:
        self.run = run
        self.rows: list[dict[str, object]] = []
        self._tx = tx
        self._kept: set[int] | None = None
        self._space = _space_of(tx, run)
        self._told = self._space.told

    def is_new(self, line: LogLine, lines: Sequence[LogLine]) -> bool:
        """Return whether a line of the body was not told before; the first call looks up those of all ``lines``."""
        if self._kept is None:
            least = min(one.ordinal for one in lines if one.run == line.run and one.ordinal > 0)
            rows = self._tx.sql.all(logs.KEPT_ORDINALS, {"run": self.run.num, "least": least})
            self._kept = {ordinal for (ordinal,) in rows}
        if line.ordinal in self._kept or line.ordinal <= self._space.told:
            return False
        self._kept.add(line.ordinal)
        return True

    def add(self, line: LogLine) -> None:
        """Keep a new line, or note that it was told."""
        limit = self._tx.settings.log_limit
        if self._space.used >= limit:
            self._space.told = max(self._space.told, line.ordinal)
            return
        self._space.used += len(line.text) + _ROW
        if self._space.used >= limit:
            # Added to the line, so that the run's output is counted as full when it is counted again.
            line = replace(line, text=f"{line.text}\n(this run has written {limit:,} characters: no more are kept)")
            self._space.told = line.ordinal
        self._space.last = self._tx.sql.take(1)
        self.rows.append(
            {
                "num": self._space.last,
                "run": self.run.num,
                "step": line.step,
                "ordinal": line.ordinal,
                "at": line.at,
                "level": line.level,
                "logger": line.logger,
                "text": line.text,
                "stream": line.stream,
            }
        )

    def settle(self) -> None:
        """Write down which of the body's lines were told without being kept."""
        if self._space.told > self._told and self._space.used >= self._tx.settings.log_limit:
            self._tx.sql.write(logs.SET_ORDINAL, {"by_num": self._space.last, "ordinal": self._space.told})


def _space_of(tx: Transaction, run: RunRow) -> LogSpace:
    """Return how much of a run's output is kept; remembered while a worker has the run."""
    space = tx.board.log_spaces.get(run.num)
    if space is None:
        count, characters, last = tx.sql.one(logs.SIZE, {"run": run.num}) or (0, 0, None)
        space = LogSpace(used=characters + count * _ROW, last=last)
        if space.used >= tx.settings.log_limit and last is not None:
            row = tx.sql.one(logs.ORDINAL, {"num": last})
            space.told = 0 if row is None else row[0]
        if run.state == "running":
            tx.board.log_spaces[run.num] = space
    return space
