"""Keeping lines of output, each once."""

from __future__ import annotations

from collections.abc import Sequence

from engine.store.statements import logs, runs
from engine.transaction import RunRow, Transaction
from trigger_sdk.protocol.messages import LogLine


def keep(tx: Transaction, lines: Sequence[LogLine], worker: str | None = None) -> list[LogLine]:
    """Keep lines of runs; return those that are new. Lines outside any run are new and not kept.

    Lines of a body are kept from the ``worker`` that holds the run, as its entries are; None is not checked. Who holds
    it after a lease is over says them again.
    """
    found: dict[str, RunRow | None] = {}
    kept: dict[str, set[int]] = {}
    new: list[LogLine] = []
    rows: list[dict[str, object]] = []
    first = tx.sql.take(len(lines))
    for line in lines:
        run = _find(tx, line.run, found)
        if run is None:
            new.append(line)
            continue
        if line.ordinal > 0:
            if worker is not None and run.worker != worker:
                continue
            if line.run not in kept:
                kept[line.run] = _kept(tx, run.num, lines, line.run)
            if line.ordinal in kept[line.run]:
                continue
            kept[line.run].add(line.ordinal)
        new.append(line)
        rows.append(
            {
                "num": first + len(rows),
                "run": run.num,
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


def _find(tx: Transaction, run_id: str, found: dict[str, RunRow | None]) -> RunRow | None:
    if run_id and run_id not in found:
        row = tx.sql.one(runs.ROW_BY_ID, {"id": run_id})
        found[run_id] = None if row is None else RunRow(*row)
    return found.get(run_id)


def _kept(tx: Transaction, num: int, lines: Sequence[LogLine], run_id: str) -> set[int]:
    """Return the ordinals of a run that are kept already, from the least that is asked about."""
    least = min(line.ordinal for line in lines if line.run == run_id and line.ordinal > 0)
    return {ordinal for (ordinal,) in tx.sql.all(logs.KEPT_ORDINALS, {"run": num, "least": least})}
