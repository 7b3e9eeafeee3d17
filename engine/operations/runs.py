"""Creating runs."""

from __future__ import annotations

from typing import Final

import msgspec

from engine.errors import InvalidOptions
from engine.model import Created, RunRequest
from engine.operations import values
from engine.store.statements import runs
from engine.transaction import NewRun, Transaction
from trigger_sdk.protocol.entries import RunOptions

MAX_TAGS: Final = 10
MAX_TAG_LENGTH: Final = 128
MAX_KEY_LENGTH: Final = 512
MAX_PRIORITY: Final = 1_000_000

encode_options = msgspec.msgpack.Encoder().encode
decode_options = msgspec.msgpack.Decoder(RunOptions).decode
_DEFAULT_OPTIONS: Final = RunOptions()


def check(request: RunRequest) -> None:
    """Raise InvalidOptions or ValueOverLimit when a run cannot be created like this."""
    values.check_size(request.payload, "The payload")
    options = request.options
    durations = {
        "delay": options.delay,
        "ttl": options.ttl,
        "max_duration": options.max_duration,
        "idempotency_ttl": options.idempotency_ttl,
    }
    for name, seconds in durations.items():
        if seconds is not None and not (0 <= seconds < float("inf")):
            raise InvalidOptions(f"{name} is {seconds}; it must be a number of seconds, 0 or more.", where=name)
    if not -MAX_PRIORITY <= options.priority <= MAX_PRIORITY:
        raise InvalidOptions(
            f"priority is {options.priority}; it must be within {MAX_PRIORITY:,} of zero.", where="priority"
        )
    if len(options.tags) > MAX_TAGS:
        raise InvalidOptions(f"There are {len(options.tags)} tags; at most {MAX_TAGS} are kept.", where="tags")
    texts = [("tags", tag, MAX_TAG_LENGTH) for tag in options.tags]
    texts += [
        (name, text, MAX_KEY_LENGTH)
        for name, text in (
            ("idempotency_key", options.idempotency_key),
            ("concurrency_key", options.concurrency_key),
            ("queue", options.queue),
        )
        if text is not None
    ]
    for name, text, limit in texts:
        if not 0 < len(text) <= limit:
            raise InvalidOptions(f"{name} must have 1 to {limit} characters, not {len(text)}.", where=name)


def create(
    tx: Transaction,
    request: RunRequest,
    *,
    parent: int | None = None,
    parent_step: str | None = None,
    replayed_from: str | None = None,
) -> tuple[Created, int]:
    """Create a run, or find the one that has its idempotency key; returns its number too. Checked before."""
    options = request.options
    if options.idempotency_key is not None:
        holder = tx.sql.one(runs.KEY_HOLDER, {"job": request.job, "key": options.idempotency_key})
        if holder is not None and (holder[2] is None or holder[2] > tx.at):
            return Created(run_id=holder[0], existing=True), holder[1]
    num = tx.sql.take(1)
    run_id = tx.ids.run(tx.at)
    _insert(tx, request, num, run_id, parent=parent, parent_step=parent_step, replayed_from=replayed_from)
    if options.idempotency_key is not None:
        expires_at = None if options.idempotency_ttl is None else tx.at + options.idempotency_ttl
        tx.sql.write(
            runs.SET_KEY, {"job": request.job, "key": options.idempotency_key, "run": num, "expires_at": expires_at}
        )
    tx.news.append(NewRun(run_id, request.job))
    for tag in dict.fromkeys(options.tags):
        tx.sql.write(runs.INSERT_TAG, {"tag": tag, "run": num})
    return Created(run_id=run_id), num


def _insert(
    tx: Transaction,
    request: RunRequest,
    num: int,
    run_id: str,
    *,
    parent: int | None,
    parent_step: str | None,
    replayed_from: str | None,
) -> None:
    options = request.options
    known = tx.board.jobs.get(request.job)
    manifest = None if known is None else known.manifest
    pin = request.code or options.version or ""
    delayed = options.delay is not None and options.delay > 0
    due_at = tx.at + options.delay if delayed and options.delay else expiry(options, tx.at)
    payload, blob = values.store(tx, num, request.payload, values.RUN_INLINE_BYTES)
    tx.sql.write(
        runs.INSERT,
        {
            "num": num,
            "id": run_id,
            "job": request.job,
            "state": "delayed" if delayed else "queued",
            "pin": pin,
            "queue": options.queue or (request.job if manifest is None else manifest.queue.name),
            "lane": options.concurrency_key or "",
            "priority": options.priority,
            "payload": payload,
            "payload_blob": blob,
            "options": None if options == _DEFAULT_OPTIONS else encode_options(options),
            "parent": parent,
            "parent_step": parent_step,
            "replayed_from": replayed_from,
            "created_at": tx.at,
            "due_at": due_at,
            "max_duration": options.max_duration or (None if manifest is None else manifest.max_duration),
        },
    )
    tx.note_due("promoter" if delayed else "expirer", due_at)
    if not delayed:
        tx.make_ready(request.job, pin)


def expiry(options: RunOptions, at: float) -> float | None:
    """Return when a run that is queued ``at`` expires."""
    return None if options.ttl is None else at + options.ttl


def options_of(data: bytes | None) -> RunOptions:
    """Read the options of a run's row. Raises msgspec.DecodeError when another version wrote them."""
    return _DEFAULT_OPTIONS if data is None else decode_options(data)


def readable_options_of(data: bytes | None) -> RunOptions:
    """Read the options of a run's row; none where they cannot be read, so that one run does not hide the others."""
    try:
        return options_of(data)
    except msgspec.DecodeError:
        return _DEFAULT_OPTIONS
