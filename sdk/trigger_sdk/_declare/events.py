"""Events: named messages that end waits."""

from __future__ import annotations

import json
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any, Generic, TypeVar, cast, overload

from trigger_sdk._declare.dispatch import Wait, body_scope, caller_line
from trigger_sdk._declare.durations import Duration, seconds
from trigger_sdk.protocol.entries import EventWait, SendEvent

if TYPE_CHECKING:
    from collections.abc import Mapping

T = TypeVar("T")


@dataclass(frozen=True, slots=True, kw_only=True)
class Event(Generic[T]):
    """An event that a wait received.

    Attributes:
        id: the event's id.
        name: its name.
        payload: what was sent with it; of the asked-for type when ``wait_for_event(..., type=…)`` gave one.
    """

    id: str
    name: str
    payload: T


@overload
def wait_for_event(
    name: str, *, filter: Mapping[str, Any] | None = None, timeout: Duration | None = None, type: type[T]
) -> Any: ...
@overload
def wait_for_event(name: str, *, filter: Mapping[str, Any] | None = None, timeout: Duration | None = None) -> Any: ...
def wait_for_event(
    name: str,
    *,
    filter: Mapping[str, Any] | None = None,
    timeout: Duration | None = None,
    type: Any = None,
) -> Any:
    """Wait for the next event of a name: ``event = await wait_for_event("cart.paid", filter={"user": [7]})``.

    An event sent since the run began counts, so a fast event is never missed; each further wait with the same name and
    filter receives the next one. Waiting holds no memory.

    Args:
        name: the event's name.
        filter: key path in the payload (``user.id``) to the accepted value, or a list of accepted values. All must
            match. Where the payload holds a list, one accepted member is enough.
        timeout: seconds or timedelta after which the wait ends with TimeoutError; None waits for ever.
        type: what to make of the payload (a pydantic model, a dataclass…); without it, plain JSON values.

    Returns:
        An :class:`Event`; awaited in an async body.

    Raises:
        TimeoutError: nothing came in time.
        RuntimeError: called outside a job's body.
    """
    scope = body_scope()
    if scope is None:
        message = "wait_for_event can only be called in a job's body; a task or a script cannot wait durably"
        raise RuntimeError(message)
    accepted = {
        path: list(value) if isinstance(value, (list, tuple, set, frozenset)) else [value]
        for path, value in (filter or {}).items()
    }
    plain = cast("dict[str, list[object]]", json.loads(json.dumps(accepted, default=str)))
    key = json.dumps([name, plain], sort_keys=True)
    spec = EventWait(name=name, filter=plain, after=scope.event_cursor(key))

    def read(value: bytes | None, event_id: str) -> Event[Any]:
        from trigger_sdk._codec import decode, decode_payload

        payload = decode(value) if value is not None else None
        if type is not None:
            payload = decode_payload(payload, type)
        return Event(id=event_id, name=name, payload=payload)

    delay = None if timeout is None else seconds(timeout)
    return scope.wait(Wait("event", name, caller_line(), delay=delay, spec=spec, read=read, cursor_key=key))


def send_event(name: str, payload: object = None, *, id: str | None = None) -> Any:
    """Send an event; returns its id. A durable step in a job's body, an HTTP call elsewhere; awaited in async code.

    Args:
        name: the event's name.
        payload: anything that can be encoded.
        id: a second event with the same id is not sent again.
    """
    scope = body_scope()
    if scope is None:
        from trigger_sdk._client.client import Client

        return Client.default().send_event(name, payload, id=id)
    from trigger_sdk._codec import encode

    spec = SendEvent(name=name, payload=encode(payload, f"the payload of event {name}"), id=id)
    return scope.wait(Wait("send", name, caller_line(), spec=spec, read=lambda _value, event_id: event_id))
