"""Kills parts of `trigger dev` when a run's journal is as long as asked for, as seen from beside the database."""

from __future__ import annotations

import sqlite3
import time
from contextlib import closing
from typing import Final, Literal

from tests.fakes.dev_process import DevProcess
from tests.fakes.processes import until
from tests.fakes.records import Records
from trigger_sdk.protocol.states import FINAL_STATES

Victim = Literal["worker", "dev", "both"]

VICTIMS: Final[tuple[Victim, ...]] = ("worker", "dev", "both")

_FAMILY = (
    "select count(*) from journal where run in"
    " (select num from runs where id = :id or parent = (select num from runs where id = :id))"
)
_STATE = "select state from runs where id = :id"


def records_of(dev: DevProcess) -> Records:
    """Return the database of a project."""
    return Records(dev.project / ".trigger" / "dev.db")


def kill(dev: DevProcess, victim: Victim) -> None:
    """SIGKILL; a worker that is just being replaced is waited for."""
    if victim == "worker":
        until(dev.worker_pids, "a worker to kill")
        dev.kill_worker()
    elif victim == "dev":
        dev.kill()
    else:
        dev.kill_all()


def kill_at(dev: DevProcess, run_id: str, position: int, victim: Victim, *, patience: float = 30.0) -> int:
    """Kill when a run and its children have ``position`` entries, or it ended; return how many there were."""
    deadline = time.monotonic() + patience
    path = records_of(dev).path
    with closing(sqlite3.connect(f"file:{path}?mode=ro", uri=True, timeout=10, isolation_level=None)) as sql:
        while True:
            (count,) = sql.execute(_FAMILY, {"id": run_id}).fetchone()
            (state,) = sql.execute(_STATE, {"id": run_id}).fetchone()
            if (count >= position and state not in ("delayed", "queued")) or state in FINAL_STATES:
                kill(dev, victim)
                return int(count)
            assert time.monotonic() < deadline, f"{run_id} has {count} entries and is {state}"


def revive(dev: DevProcess, victim: Victim) -> None:
    """Start again what was killed."""
    if victim == "worker":
        dev.wait_ready()
    else:
        dev.start()


def settle(dev: DevProcess, *, patience: float = 60.0) -> None:
    """Wait until every run has ended."""
    records = records_of(dev)

    def ended() -> bool:
        return all(run.state in FINAL_STATES for run in records.runs())

    try:
        until(ended, "every run has ended", timeout=patience)
    except AssertionError as error:
        for run in records.runs():
            if run.state not in FINAL_STATES:
                error.add_note(f"{run}\n{dev.steps(run.id)}")
        error.add_note(f"{dev.log}:\n{dev.output[-2000:]}")
        raise
