"""The rescuer: takes the runs of this engine's sessions that gave no sign of life, and ends probations."""

from __future__ import annotations

from typing import Final

from engine.operations import leases, probation
from engine.store.statements import sessions
from engine.transaction import Transaction


class Rescuer:
    """Ends leases that ran out, and probations that lasted long enough."""

    name: Final = "rescuer"

    def work(self, tx: Transaction) -> float | None:
        """Close this engine's sessions whose lease is over; their runs go to others."""
        mine = {"executor": tx.board.me}
        for (worker,) in tx.sql.all(sessions.EXPIRED, {**mine, "now": tx.at}):
            leases.close_session(tx, worker, crashed=True)
        expiry = tx.sql.one(sessions.NEXT_EXPIRY, mine)
        times = (probation.end_overdue(tx), None if expiry is None else expiry[0])
        return min((time for time in times if time is not None), default=None)
