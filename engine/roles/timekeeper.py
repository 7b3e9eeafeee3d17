"""The timekeeper: ends sleeps and timers at their time, and event waits that waited too long."""

from __future__ import annotations

from typing import Final

from engine.operations import waits
from engine.roles.loop import BATCH
from engine.roles.schedule import next_time
from engine.store.statements import waits as statements
from engine.transaction import Transaction, WaitRow


class Timekeeper:
    """Ends waits at their time."""

    name: Final = "timekeeper"

    def work(self, tx: Transaction) -> float | None:
        """End what is due, the earliest first."""
        for row in tx.sql.all(statements.DUE, {"now": tx.at, "limit": BATCH}):
            wait = WaitRow(*row)
            waits.complete(tx, wait, "wait_completed" if wait.spec is None else "wait_timed_out")
        return next_time(tx, statements.NEXT_DUE)
