"""What happens when an engine opens."""

from __future__ import annotations

from engine.clock import Clock
from engine.operations import leases
from engine.pipeline import Pipeline
from engine.roles.expirer import Expirer
from engine.roles.loop import Role, RoleLoop
from engine.roles.promoter import Promoter
from engine.roles.pruner import Pruner
from engine.roles.rescuer import Rescuer
from engine.roles.timekeeper import Timekeeper
from engine.transaction import Transaction


def role_loops(pipeline: Pipeline, clock: Clock) -> dict[str, RoleLoop]:
    """Return the loops of all roles by name."""
    roles: list[Role] = [Promoter(), Timekeeper(), Expirer(), Rescuer(), Pruner()]
    return {role.name: RoleLoop(role, pipeline, clock) for role in roles}


def leave(tx: Transaction) -> None:
    """Go from the others on the database: what this engine's sessions hold goes to theirs at once."""
    leases.bury(tx, tx.board.me)
    tx.news.clear()


def release_dead_sessions(tx: Transaction) -> None:
    """Release the runs of sessions that an earlier process had: their connections died with it.

    That is not held against the runs: it was the server that ended. Of several on one database each releases what an
    earlier one of its name had; on SQLite there is one, without a name.
    """
    for session in tx.board.mine:
        leases.close_session(tx, session.worker, crashed=False)
    tx.news.clear()
