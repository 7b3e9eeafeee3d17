"""The promoter: queues delayed runs at their time, and waiting runs whose next retry is due."""

from __future__ import annotations

from typing import Final

from engine.operations import queueing, runs
from engine.roles.loop import BATCH
from engine.roles.schedule import next_time
from engine.store.statements import runs as statements
from engine.transaction import RunRow, Transaction


class Promoter:
    """Makes runs runnable when their time has come."""

    name: Final = "promoter"

    def work(self, tx: Transaction) -> float | None:
        """Queue what is due."""
        due = {"now": tx.at, "limit": BATCH}
        for row in tx.sql.all(statements.DELAYED_DUE, due):
            run = RunRow(*row)
            recipe = tx.sql.one(statements.RECIPE_OF, {"num": run.num})
            options = runs.readable_options_of(None if recipe is None else recipe[3])
            queueing.enqueue(tx, run, runs.expiry(options, tx.at))
        for row in tx.sql.all(statements.WAITING_DUE, due):
            queueing.enqueue(tx, RunRow(*row))
        return next_time(tx, statements.DELAYED_NEXT, statements.WAITING_NEXT)
