"""The rescuer: takes the runs of sessions that gave no sign of life."""

from __future__ import annotations

from typing import Final

from engine.operations import leases
from engine.roles.schedule import next_time
from engine.store.statements import sessions
from engine.transaction import Transaction


class Rescuer:
    """Ends leases that ran out."""

    name: Final = "rescuer"

    def work(self, tx: Transaction) -> float | None:
        """Close the sessions whose lease is over; their runs go to others."""
        for (worker,) in tx.sql.all(sessions.EXPIRED, {"now": tx.at}):
            leases.close_session(tx, worker, crashed=True)
        return next_time(tx, sessions.NEXT_EXPIRY)
