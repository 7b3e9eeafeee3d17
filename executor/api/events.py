"""``POST /api/v1/events``."""

from __future__ import annotations

from typing import Any

import msgspec

from engine.engine import Engine
from executor.api.answers import Answer
from executor.api.bodies import text_field
from executor.api.call import Call
from executor.api.routes import Operation
from trigger_sdk.protocol.values import encode_json

LONGEST_NAME = 512


class EventBody(msgspec.Struct, frozen=True, kw_only=True):
    """An event. One with an ``id`` that was sent before is not sent again."""

    name: str
    payload: Any = None
    id: str | None = None


class SentView(msgspec.Struct, frozen=True, kw_only=True):
    """An event was taken. ``matched`` is the number of waits it ended."""

    id: str
    matched: int
    existing: bool


class Events:
    """Takes events."""

    def __init__(self, engine: Engine) -> None:
        self._engine = engine

    def operations(self) -> list[Operation]:
        """Return what this serves."""
        return [
            Operation(
                method="POST",
                path="/api/v1/events",
                handler=self.send_event,
                about="Send an event.",
                body=EventBody,
                status=201,
                answer=SentView,
                refusals={400: "malformed", 413: "the payload is too large"},
            )
        ]

    async def send_event(self, call: Call) -> Answer:
        """Send an event to the runs that wait for it."""
        data = await call.object(EventBody.__struct_fields__)
        name = text_field(data, "name", longest=LONGEST_NAME)
        event_id = data.get("id")
        if event_id is not None:
            event_id = text_field(data, "id", longest=LONGEST_NAME)
        payload = encode_json(data.get("payload"), f"the payload of event '{name}'")
        sent = await self._engine.send_event(name, payload, event_id)
        return Answer.json(SentView(id=sent.id, matched=sent.matched, existing=sent.existing), status=201)
