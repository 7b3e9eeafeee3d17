"""A run's lines of output."""

from __future__ import annotations

from engine.store.interface import Reader
from engine.store.statements import logs, runs
from trigger_sdk.protocol.messages import LogLine


def of_run(sql: Reader, run_id: str) -> list[LogLine]:
    """Return the lines in the order in which they were kept."""
    found = sql.one(runs.NUM_OF, {"id": run_id})
    if found is None:
        return []
    return [LogLine(run_id, *row) for row in sql.all(logs.OF_RUN, {"run": found[0]})]
