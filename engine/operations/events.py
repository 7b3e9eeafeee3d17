"""Sending events, and finding those that were sent before a wait began."""

from __future__ import annotations

from typing import NamedTuple

from engine.errors import InvalidValue
from engine.model import Sent
from engine.operations import values, waits
from engine.operations.matching import first_key, matches, values_at
from engine.store.interface import Row
from engine.store.statements import events, journal
from engine.store.statements import waits as wait_statements
from engine.transaction import Transaction, WaitRow
from trigger_sdk.protocol.entries import EventWait, decode_spec
from trigger_sdk.protocol.values import to_json


class SentBefore(NamedTuple):
    """An event that was sent before the wait for it began."""

    seq: int
    id: str
    payload: bytes


def check(payload: bytes) -> None:
    """Raise ValueOverLimit above the limit, InvalidValue when it cannot be read."""
    values.check_size(payload, "The event's payload")
    try:
        to_json(payload)
    except Exception as error:
        raise InvalidValue(f"The event's payload is not an encoded value: {error}") from error


def send(tx: Transaction, name: str, payload: bytes, event_id: str | None) -> Sent:
    """Keep an event and end the waits it matches. An id that was sent before is not sent again."""
    if event_id is not None and tx.sql.one(events.ID_TAKEN, {"id": event_id}) is not None:
        return Sent(id=event_id, matched=0, existing=True)
    event_id = event_id or tx.ids.event(tx.at)
    seq = tx.sql.take(1)
    inline, blob = values.store(tx, values.EVENTS, payload)
    tx.sql.write(
        events.INSERT,
        {"seq": seq, "id": event_id, "name": name, "payload": inline, "payload_blob": blob, "at": tx.at},
    )
    if tx.settings.retention_s is not None:
        tx.note_due("pruner", tx.at + tx.settings.retention_s)
    paths = tx.board.paths(tx.sql, name)
    plain = to_json(payload) if paths else None
    matching = _waiting(tx, name, "", "")
    for path in sorted(paths):
        found = values_at(plain, path)
        _insert_keys(tx, name, path, found, seq)
        for value in found:
            matching += [wait for wait in _waiting(tx, name, path, value) if _fits(wait, plain)]
    # A wait with several accepted values is found once for each that the event has.
    unique = {(wait.run, wait.step): wait for wait in matching}
    for wait in unique.values():
        waits.complete(tx, wait, "wait_completed", payload, name=event_id, event=seq)
    return Sent(id=event_id, matched=len(unique))


def _waiting(tx: Transaction, name: str, path: str, value: str) -> list[WaitRow]:
    rows = tx.sql.all(wait_statements.MATCHING, {"name": name, "path": path, "value": value})
    return [WaitRow(*row) for row in rows]


def _fits(wait: WaitRow, plain: object) -> bool:
    spec = decode_spec(wait.spec or b"")
    return isinstance(spec, EventWait) and (len(spec.filter) == 1 or matches(spec.filter, plain))


def _insert_keys(tx: Transaction, name: str, path: str, found: list[str], seq: int) -> None:
    if found:
        rows = [{"name": name, "path": path, "value": value, "seq": seq} for value in found]
        tx.sql.run_many(events.INSERT_KEY, rows)


def find_sent(tx: Transaction, spec: EventWait, run: int) -> SentBefore | None:
    """Return the first event that a run's wait matches, of those sent since it was created.

    ``spec.after`` is the ``seq`` of an entry of this run that an event ended, or of an event.
    """
    after = max(run, _event_of(tx, run, spec.after))
    for seq in _candidates(tx, spec, after):
        row = tx.sql.one(events.PAYLOAD, {"seq": seq})
        if row is None:
            continue
        event_id, *place = row
        payload = _payload(tx, tuple(place))
        if payload is not None and (len(spec.filter) < 2 or matches(spec.filter, to_json(payload))):  # noqa: PLR2004 - the first key is looked up
            return SentBefore(seq, event_id, payload)
    return None


def _event_of(tx: Transaction, run: int, seq: int) -> int:
    """Return the event behind an entry: it may be older than others that were sent before the entry was written."""
    row = tx.sql.one(journal.EVENT_OF_ENTRY, {"seq": seq, "run": run}) if seq else None
    return seq if row is None else int(row[0])


def _candidates(tx: Transaction, spec: EventWait, after: int) -> list[int]:
    """Return the ``seq`` of events that match the first key of the filter, oldest first."""
    path, accepted = first_key(spec.filter)
    if not spec.filter:
        row = tx.sql.one(events.FIRST_AFTER, {"name": spec.name, "after": after})
        return [] if row is None else [row[0]]
    learn_path(tx, spec.name, path)
    found: set[int] = set()
    for value in accepted:
        key = {"name": spec.name, "path": path, "value": value, "after": after}
        found.update(seq for (seq,) in tx.sql.all(events.WITH_KEY_AFTER, key))
    return sorted(found)


def learn_path(tx: Transaction, name: str, path: str) -> None:
    """Index the events of a name by a path that no filter for them had before."""
    paths = tx.board.paths(tx.sql, name)
    if path in paths:
        return
    tx.reshaped = True
    tx.sql.write(events.INSERT_PATH, {"name": name, "path": path})
    for seq, payload, blob in tx.sql.all(events.PAYLOADS_OF_NAME, {"name": name}):
        loaded = _payload(tx, (payload, blob))
        if loaded is not None:
            _insert_keys(tx, name, path, values_at(to_json(loaded), path), seq)
    paths.add(path)


def _payload(tx: Transaction, row: Row) -> bytes | None:
    return values.load(tx.sql, row[0], row[1])
