"""The ``options`` of a run as a request gives them."""

from __future__ import annotations

from typing import Annotated, Any

import msgspec
from msgspec import Meta

from executor.api.bodies import check_keys, convert, kind_of
from executor.api.durations import parse_duration
from executor.errors import RequestInvalid
from trigger_sdk.protocol.entries import RunOptions

METADATA_LIMIT = 64 * 1024
"""Most bytes of a run's metadata, encoded."""

Duration = float | str
Name = Annotated[str, Meta(min_length=1, max_length=512)]


class OptionsBody(msgspec.Struct, frozen=True, kw_only=True):
    """How a run is to be started. Durations are seconds, or texts such as ``90s``, ``1h30m``, ``2d``."""

    idempotency_key: Name | None = None
    idempotency_ttl: Duration | None = None
    delay: Duration | None = None
    ttl: Duration | None = None
    priority: Annotated[int, Meta(ge=-1_000_000, le=1_000_000)] = 0
    queue: Name | None = None
    concurrency_key: Name | None = None
    tags: Annotated[list[Annotated[str, Meta(min_length=1, max_length=128)]], Meta(max_length=10)] = []
    metadata: dict[str, Any] = {}
    max_duration: Duration | None = None
    version: Name | None = None


_KEYS = OptionsBody.__struct_fields__
_DURATIONS = ("idempotency_ttl", "delay", "ttl", "max_duration")
_DEFAULT = RunOptions()
_encode = msgspec.msgpack.Encoder().encode


def read_options(data: object, where: str = "options") -> RunOptions:
    """Return the options in a request.

    Args:
        data: what the request holds; None is no options.
        where: its place in the request, for errors.

    Raises:
        RequestInvalid: an unknown key, or a value of the wrong kind; it names the place.
    """
    if not data and (data is None or isinstance(data, dict)):
        return _DEFAULT
    if not isinstance(data, dict):
        raise RequestInvalid(f"{where} is {kind_of(data)}, and an object is expected", where=where)
    check_keys(data, _KEYS, where)
    durations = {key: parse_duration(data[key], f"{where}.{key}") for key in _DURATIONS if data.get(key) is not None}
    body = convert({**data, **durations}, OptionsBody, where)
    _check_metadata(body.metadata, f"{where}.metadata")
    return RunOptions(
        idempotency_key=body.idempotency_key,
        idempotency_ttl=durations.get("idempotency_ttl"),
        delay=durations.get("delay"),
        ttl=durations.get("ttl"),
        priority=body.priority,
        queue=body.queue,
        concurrency_key=body.concurrency_key,
        tags=body.tags,
        metadata=body.metadata,
        max_duration=durations.get("max_duration"),
        version=body.version,
    )


def _check_metadata(metadata: dict[str, Any], where: str) -> None:
    try:
        size = len(_encode(metadata))
    except (OverflowError, RecursionError) as error:
        raise RequestInvalid(
            f"{where} holds an integer beyond 64 bits, or is nested too deeply", where=where
        ) from error
    if size > METADATA_LIMIT:
        raise RequestInvalid(
            f"{where} has {size:,} bytes; the limit is {METADATA_LIMIT:,}",
            hint="Put large data into the payload.",
            where=where,
        )
