"""What one engine's transaction means for the others on the database: mail for their sessions, and a signal."""

from __future__ import annotations

from typing import Final

import msgspec

from engine.board import Board, ReadyKey
from engine.operations import journal
from engine.store.statements import journal as entry_statements
from engine.store.statements import peers, runs
from engine.transaction import Arrived, Lost, Posted, Transaction

SIGNAL_BYTES: Final = 7000
"""The longest signal; PostgreSQL carries less than 8000 bytes."""

OWN_ROLES: Final = frozenset(("rescuer",))
"""Roles that each engine has for itself."""


class Signal(msgspec.Struct, frozen=True, omit_defaults=True):
    """What the others should look at. A hint: whoever misses one looks at everything.

    Attributes:
        mail: engines that have mail.
        ended: ids of the runs that ended.
        ready: keys of runs that can start and were not started.
        due: role name to the earliest time that was written for it.
        board: what all engines keep in memory has changed.
        everything: there was too much to say.
    """

    mail: list[str] = []
    ended: list[str] = []
    ready: list[ReadyKey] = []
    due: dict[str, float] = {}
    board: bool = False
    everything: bool = False


_encode = msgspec.json.Encoder().encode
decode_signal = msgspec.json.Decoder(Signal).decode


def read_mail(tx: Transaction) -> None:
    """Turn what others wrote for this engine's sessions into news, before anything else happens."""
    rows = tx.sql.all(peers.MAIL, {"executor": tx.board.me})
    for _, _, kind, worker, run, token, seq in rows:
        named = tx.sql.one(runs.ID_OF, {"num": run})
        if named is None:
            continue
        if kind == "lost":
            tx.news.append(Lost(worker, named[0], token))
        elif (row := tx.sql.one(entry_statements.ENTRY, {"seq": seq})) is not None:
            tx.news.append(Arrived(worker, named[0], token, [journal.entry_of(tx.sql, row)]))
    if rows:
        tx.sql.write(peers.DELETE_MAIL, {"by_executor": tx.board.me, "by_num": rows[-1][1]})
    tx.heard = len(tx.news)
    if any(row[2] == "lost" for row in rows):
        tx.board.load(tx.sql)  # what the session holds was counted by who took the run


def post(tx: Transaction) -> bytes | None:
    """Write what others have to know; return the signal, or None when there is nothing for them."""
    addressed = _send_mail(tx)
    if tx.reshaped:
        tx.sql.write(peers.RAISE_BOARD, {})
        tx.board.version += 1
    signal = Signal(
        mail=sorted(addressed),
        ended=tx.ended,
        ready=[key for key in tx.fresh if not _is_served(tx.board, key)],
        due=_untold(tx),
        board=tx.reshaped,
    )
    if signal == Signal():
        return None
    text = _encode(signal)
    return text if len(text) <= SIGNAL_BYTES else _encode(Signal(everything=True))


def _send_mail(tx: Transaction) -> set[str]:
    """Post the news for others' sessions; they go from this engine's own news."""
    addressed: set[str] = set()
    for index, news in enumerate(tx.news[tx.heard :], tx.heard):
        if not isinstance(news, Arrived | Lost):
            continue
        session = tx.board.sessions.get(news.worker)
        if session is None or session.executor == tx.board.me:
            continue
        _post_one(tx, session.executor, news)
        tx.news[index] = Posted()
        addressed.add(session.executor)
    return addressed


def _post_one(tx: Transaction, executor: str, news: Arrived | Lost) -> None:
    run = tx.sql.one(runs.NUM_OF, {"id": news.run_id})
    if run is None:
        return
    row: dict[str, object] = {"executor": executor, "worker": news.worker, "run": run[0], "token": news.token}
    if isinstance(news, Lost):
        tx.sql.write(peers.SEND_MAIL, {**row, "num": tx.sql.take(1), "kind": "lost", "seq": None})
        return
    for entry in news.entries:
        tx.sql.write(peers.SEND_MAIL, {**row, "num": tx.sql.take(1), "kind": "arrived", "seq": entry.seq})


def _is_served(board: Board, key: ReadyKey) -> bool:
    """Return whether all runs of a key were started here: it was looked through, by sessions that can take it."""
    return key not in board.ready and bool(board.takers(key))


def _untold(tx: Transaction) -> dict[str, float]:
    """Return the due times that the engine which has the roles does not know of yet."""
    if tx.board.chief:
        return {}
    told = tx.board.told
    new = {
        role: due
        for role, due in tx.due.items()
        if role not in OWN_ROLES and not tx.at < told.get(role, float("-inf")) <= due
    }
    told.update(new)
    return new
