"""The pruner: deletes runs that ended long ago, with all that belongs to them, and old events."""

from __future__ import annotations

from typing import Final

from engine.operations.runs import readable_options_of
from engine.roles.schedule import next_time
from engine.store.statements import counter, events, journal, logs, runs
from engine.transaction import Transaction

_BATCH: Final = 50
"""Runs in one transaction: each may have thousands of entries."""

_PAUSE_S: Final = 0.05
"""Between batches, so that work goes first."""

_LEAST_PAUSE_S: Final = 60.0
"""Between rounds: what becomes old within it is deleted together."""


class Pruner:
    """Deletes what is older than the retention."""

    name: Final = "pruner"

    def work(self, tx: Transaction) -> float | None:
        """Delete a batch."""
        retention = tx.settings.retention_s
        if retention is None:
            return None
        old = {"time": tx.at - retention, "limit": _BATCH}
        finished = tx.sql.all(runs.FINISHED_BEFORE, old)
        sent = tx.sql.all(events.SENT_BEFORE, old)
        if finished or sent:
            tx.sql.write(counter.KEEP_FLOOR, {"one": 1, "num": tx.sql.take(1)})
        for num, job, options in finished:
            self._delete_run(tx, num, job, options)
        for seq, blob in sent:
            self._delete_event(tx, seq, blob)
        if len(finished) == _BATCH or len(sent) == _BATCH:
            return tx.at + _PAUSE_S
        oldest = next_time(tx, runs.FIRST_FINISHED, events.FIRST_SENT)
        return None if oldest is None else max(oldest + retention, tx.at + _LEAST_PAUSE_S)

    def _delete_run(self, tx: Transaction, num: int, job: str, options: bytes | None) -> None:
        chosen = readable_options_of(options)
        if chosen.idempotency_key is not None:
            tx.sql.write(runs.DELETE_KEY, {"by_job": job, "by_key": chosen.idempotency_key, "by_num": num})
        for tag in chosen.tags:
            tx.sql.write(runs.DELETE_TAG, {"by_tag": tag, "by_num": num})
        for statement in (
            journal.DELETE_RUN,
            journal.DELETE_SUPERSEDED,
            journal.DELETE_BLOBS,
            logs.DELETE_RUN,
            runs.DELETE,
        ):
            tx.sql.write(statement, {"by_num": num})

    def _delete_event(self, tx: Transaction, seq: int, blob: int | None) -> None:
        tx.sql.write(events.DELETE_KEYS, {"by_seq": seq})
        if blob is not None:
            tx.sql.write(journal.DELETE_BLOB, {"by_id": blob})
        tx.sql.write(events.DELETE, {"by_seq": seq})
