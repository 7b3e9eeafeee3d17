"""A store that tells, on the thread that commits and before anybody else learns, that a run's family has come far."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path

from engine.model import Durability
from engine.store.sqlite import OpenSqlite, SqliteStore
from tests.fakes.wrapped_store import WrappedStore

_FAMILY = "select num from runs where id = :id or parent = (select num from runs where id = :id)"
_COUNT = f"select count(*) from journal where run in ({_FAMILY})"
_LATEST = (
    f"select r.worker from runs r left join journal j on j.run = r.num where r.num in ({_FAMILY})"
    " and r.worker is not null order by j.seq desc limit 1"
)


@dataclass(frozen=True, slots=True)
class Alarm:
    """What is waited for: ``position`` entries of a run and its children, and a worker that holds one of them."""

    run_id: str
    position: int
    ring: Callable[[str], None]


class KillSwitch:
    """A store with alarms. Each rings once, with the id of the worker that came so far."""

    def __init__(self, path: Path) -> None:
        self.alarms: list[Alarm] = []
        self._inner = SqliteStore(path)

    def arm(self, run_id: str, position: int, ring: Callable[[str], None]) -> None:
        """Ring after the commit of a position."""
        self.alarms = [*self.alarms, Alarm(run_id, position, ring)]

    def open(self, durability: Durability) -> _OpenSwitch:
        return _OpenSwitch(self, self._inner.open(durability))


class _OpenSwitch(WrappedStore):
    def __init__(self, switch: KillSwitch, inner: OpenSqlite) -> None:
        super().__init__(inner)
        self._switch = switch
        self._raw = inner.writer.raw

    def commit(self) -> None:
        self._inner.commit()
        for alarm in self._switch.alarms:
            (count,) = self._raw.execute(_COUNT, {"id": alarm.run_id}).fetchone()
            row = self._raw.execute(_LATEST, {"id": alarm.run_id}).fetchone() if count >= alarm.position else None
            if row is not None:
                self._switch.alarms = [other for other in self._switch.alarms if other is not alarm]
                alarm.ring(row[0])
