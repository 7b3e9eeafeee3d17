"""How an engine lives beside others on one database: it hears their signals, and one of all has the roles.

Signals are hints. Whatever is missed (a lost connection, a signal too long) is found by looking at everything, which a
gap in the signals' numbers or the regular look demands.
"""

from __future__ import annotations

import asyncio
import logging
from asyncio import AbstractEventLoop
from collections.abc import Callable
from functools import partial
from typing import Any

from engine.board import Board, ReadyKey
from engine.operations import leases
from engine.operations.peers import OWN_ROLES, Signal, decode_signal
from engine.pipeline import Pipeline
from engine.roles.loop import RoleLoop
from engine.store.interface import Heard, Link
from engine.transaction import Transaction

_log = logging.getLogger("trigger.engine")


class Peers:
    """One engine's dealings with the others. Without a link it is alone, and has all roles.

    ``ended`` is called with the ids of runs that ended elsewhere; with None when any may have.
    """

    def __init__(
        self,
        link: Link | None,
        pipeline: Pipeline,
        board: Board,
        roles: dict[str, RoleLoop],
        *,
        loop: AbstractEventLoop,
        ended: Callable[[list[str] | None], None],
    ) -> None:
        self._link = link
        self._pipeline = pipeline
        self._board = board
        self._roles = roles
        self._loop = loop
        self._ended = ended
        self._stopping: set[asyncio.Task[None]] = set()
        self._closed = False
        board.chief = False

    async def start(self) -> None:
        """Start the roles that are this engine's."""
        for name in OWN_ROLES:
            self._roles[name].start()
        if self._link is None:
            self._become(chief=True)
            return
        heard = await asyncio.to_thread(self._link.start, self._hear_from_thread)
        self._become(chief=heard.chief)

    async def stop(self) -> None:
        """Stop all roles and listen no longer."""
        self._closed = True
        await asyncio.gather(*(role.stop() for role in self._roles.values()), *self._stopping)
        if self._link is not None:
            await asyncio.to_thread(self._link.stop)

    def _become(self, *, chief: bool) -> None:
        if chief == self._board.chief:
            return
        self._board.chief = chief
        for name, role in self._roles.items():
            if name in OWN_ROLES:
                continue
            if chief:
                role.start()
            else:
                task = self._loop.create_task(role.stop())
                self._stopping.add(task)
                task.add_done_callback(self._stopping.discard)

    def _hear_from_thread(self, heard: Heard) -> None:
        self._loop.call_soon_threadsafe(self._hear, heard)

    def _hear(self, heard: Heard) -> None:
        if self._closed:
            return
        self._become(chief=heard.chief)
        signal = Signal()
        if heard.text:
            signal = decode_signal(heard.text)
        if heard.missed or signal.everything:
            self._look_at_everything()
        else:
            self._take(signal)
        for name in heard.dead if heard.chief else ():
            _log.warning("The executor %s gave no sign of life: its runs go to others", name)
            self._submit(partial(leases.bury, executor=name), local=False)
        if heard.silent:
            self._submit(_nothing)

    def _take(self, signal: Signal) -> None:
        if signal.ended:
            self._ended(signal.ended)
        if signal.ready:
            self._submit(partial(_note_ready, keys=signal.ready))
        elif signal.board or self._board.me in signal.mail:
            self._submit(_nothing)
        if self._board.chief:
            self._note(signal.due)

    def _look_at_everything(self) -> None:
        self._ended(None)
        self._submit(_mark_all_ready)
        if self._board.chief:
            # Each role that runs looks at what is due when it is told that something was due long ago.
            self._note(dict.fromkeys(set(self._roles) - OWN_ROLES, 0.0))

    def _note(self, due: dict[str, float]) -> None:
        for name, time in due.items():
            self._roles[name].note(time)

    def _submit(self, operation: Callable[[Transaction], None], *, local: bool = True) -> None:
        future = self._pipeline.submit(operation, local=local)
        future.add_done_callback(_report)


def _report(future: asyncio.Future[Any]) -> None:
    error = None if future.cancelled() else future.exception()
    if error is not None:
        _log.debug("What other engines told was not looked at: %s", error)


def _nothing(_: Transaction) -> None:
    """Begin a transaction: it reads the mail and the board, and says that this engine is alive."""


def _note_ready(tx: Transaction, keys: list[ReadyKey]) -> None:
    tx.board.ready.update(keys)
    tx.board.look = True


def _mark_all_ready(tx: Transaction) -> None:
    tx.board.mark_all_ready(tx.sql)
