"""Keeping lines of output, each once."""

from __future__ import annotations

from collections.abc import Sequence

from engine.store.statements import logs, runs
from engine.transaction import Transaction
from trigger_sdk.protocol.messages import LogLine


def keep(tx: Transaction, lines: Sequence[LogLine]) -> list[LogLine]:
    """Keep lines of runs; return those that are new. Lines outside any run are new and not kept."""
    nums: dict[str, int | None] = {}
    kept: dict[str, set[int]] = {}
    new: list[LogLine] = []
    rows: list[dict[str, object]] = []
    first = tx.sql.take(len(lines))
    for line in lines:
        num = _num(tx, line.run, nums)
        if num is None:
            new.append(line)
            continue
        if line.ordinal > 0:
            if line.run not in kept:
                kept[line.run] = _kept(tx, num, lines, line.run)
            if line.ordinal in kept[line.run]:
                continue
            kept[line.run].add(line.ordinal)
        new.append(line)
        rows.append(
            {
                "num": first + len(rows),
                "run": num,
                "step": line.step,
                "ordinal": line.ordinal,
                "at": line.at,
                "level": line.level,
                "logger": line.logger,
                "text": line.text,
                "stream": line.stream,
            }
        )
    if rows:
        tx.sql.run_many(logs.INSERT, rows)
    return new


def _num(tx: Transaction, run_id: str, nums: dict[str, int | None]) -> int | None:
    if run_id and run_id not in nums:
        row = tx.sql.one(runs.NUM_OF, {"id": run_id})
        nums[run_id] = None if row is None else row[0]
    return nums.get(run_id)


def _kept(tx: Transaction, num: int, lines: Sequence[LogLine], run_id: str) -> set[int]:
    """Return the ordinals of a run that are kept already, from the least that is asked about."""
    least = min(line.ordinal for line in lines if line.run == run_id and line.ordinal > 0)
    return {ordinal for (ordinal,) in tx.sql.all(logs.KEPT_ORDINALS, {"run": num, "least": least})}
