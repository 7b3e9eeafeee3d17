"""The expirer: ends runs that were not started within their ttl, and runs that exceed their max_duration."""

from __future__ import annotations

from typing import Final

from engine.operations import ending
from engine.roles.loop import BATCH
from engine.roles.schedule import next_time
from engine.store.statements import runs as statements
from engine.transaction import RunRow, Transaction
from trigger_sdk.protocol.problem import Problem
from trigger_sdk.protocol.states import FINAL_STATES
from trigger_sdk.protocol.values import encode_problem


class Expirer:
    """Ends runs whose time is over."""

    name: Final = "expirer"

    def work(self, tx: Transaction) -> float | None:
        """End what is due."""
        due = {"now": tx.at, "limit": BATCH}
        for row in tx.sql.all(statements.QUEUED_DUE, due):
            run = RunRow(*row)
            problem = Problem(
                code="run-expired",
                message=f"Run {run.id} of job {run.job} was not started within its ttl.",
                hint="Start a worker or raise the queue's concurrency, then replay the run.",
            )
            ending.end(tx, run, "expired", encode_problem(problem))
        for row in tx.sql.all(statements.OVERDUE, due):
            self._time_out(tx, RunRow(*row))
        return next_time(tx, statements.QUEUED_NEXT, statements.NEXT_DEADLINE)

    def _time_out(self, tx: Transaction, run: RunRow) -> None:
        """End an overdue run; one that another end of this batch took with it is left."""
        row = tx.sql.one(statements.ROW_BY_NUM, {"num": run.num})
        if row is None or RunRow(*row).state in FINAL_STATES:
            return
        problem = Problem(
            code="run-timed-out",
            message=f"Run {run.id} of job {run.job} took longer than its max_duration.",
            hint="Raise max_duration, or find what is slow in `trigger runs show`; resume goes on from here.",
        )
        ending.end(tx, RunRow(*row), "timed_out", encode_problem(problem))
