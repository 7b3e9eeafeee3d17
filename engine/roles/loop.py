"""The loop of all roles: work, then sleep until the next thing is due."""

from __future__ import annotations

import asyncio
import logging
from typing import Final, Protocol

from engine.clock import Clock
from engine.errors import EngineClosed
from engine.pipeline import Pipeline
from engine.transaction import Transaction

BATCH: Final = 200
"""Rows that a role deals with in one transaction, so that others get their turn."""

_log = logging.getLogger("trigger.engine")


class Role(Protocol):
    """Something that is done at its time."""

    @property
    def name(self) -> str:
        """The name under which transactions note due times."""

    def work(self, tx: Transaction) -> float | None:
        """Do what is due, at most a batch; return when to work again (now, if more is due), None for never."""


class RoleLoop:
    """Runs one role. An earlier time that was written wakes it; with nothing due it does not run at all."""

    _PAUSE_AFTER_ERROR_S = 1.0

    def __init__(self, role: Role, pipeline: Pipeline, clock: Clock) -> None:
        self._role = role
        self._pipeline = pipeline
        self._clock = clock
        self._wake = asyncio.Event()
        self._due: float | None = None
        self._noted: float | None = None
        self._task: asyncio.Task[None] | None = None

    def start(self) -> None:
        """Begin with what is due already."""
        self._task = asyncio.get_running_loop().create_task(self._run(), name=f"trigger-{self._role.name}")

    async def stop(self) -> None:
        """End the loop; a transaction that is under way ends by itself."""
        if self._task is not None:
            self._task.cancel()
            await asyncio.gather(self._task, return_exceptions=True)

    def note(self, due: float) -> None:
        """Learn that something is due at a time; wakes the role when that is earlier than what it waits for."""
        if self._noted is None or due < self._noted:
            self._noted = due
        if self._due is None or due < self._due:
            self._wake.set()

    async def _run(self) -> None:
        while True:
            # What is noted from here on may be later than what the transaction saw: it stays noted.
            self._noted = None
            try:
                due = await self._pipeline.submit(self._role.work)
            except EngineClosed:
                return
            except Exception:  # noqa: BLE001 - logged; the role goes on
                _log.exception("The %s failed", self._role.name)
                due = self._clock.now() + self._PAUSE_AFTER_ERROR_S
            await self._sleep(due)

    async def _sleep(self, due: float | None) -> None:
        """Return when ``due``, or an earlier time that is noted meanwhile, is reached."""
        while True:
            self._wake.clear()
            times = [time for time in (due, self._noted) if time is not None]
            self._due = min(times, default=None)
            if self._due is not None and self._due <= self._clock.now():
                self._due = None
                return
            alarm = None if self._due is None else self._clock.call_at(self._due, self._wake.set)
            try:
                await self._wake.wait()
            finally:
                if alarm is not None:
                    alarm.cancel()
