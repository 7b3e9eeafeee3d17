"""The rescuer: takes the runs of sessions that gave no sign of life, and ends probations."""

from __future__ import annotations

from typing import Final

from engine.operations import leases, probation
from engine.roles.schedule import next_time
from engine.store.statements import sessions
from engine.transaction import Transaction


class Rescuer:
    """Ends leases that ran out, and probations that lasted long enough."""

    name: Final = "rescuer"

    def work(self, tx: Transaction) -> float | None:
        """Close the sessions whose lease is over; their runs go to others."""
        for (worker,) in tx.sql.all(sessions.EXPIRED, {"now": tx.at}):
            leases.close_session(tx, worker, crashed=True)
        times = (probation.end_overdue(tx), next_time(tx, sessions.NEXT_EXPIRY))
        return min((time for time in times if time is not None), default=None)
