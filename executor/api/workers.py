"""``POST /api/v1/worker/blocked``: what a worker's watchdog says while the worker's main thread cannot."""

from __future__ import annotations

from collections.abc import Callable

import msgspec

from executor.api.answers import Answer
from executor.api.call import Call
from executor.api.routes import Operation
from executor.errors import RequestInvalid
from trigger_sdk.protocol.messages import Blocked, decode_from_worker

KNOWN = {"type": "object", "properties": {"known": {"type": "boolean"}}, "required": ["known"]}


class Workers:
    """Takes news of workers.

    Args:
        blocked: takes the news; returns False when the worker is not known.
    """

    def __init__(self, blocked: Callable[[Blocked], bool]) -> None:
        self._blocked = blocked

    def operations(self) -> list[Operation]:
        """Return what this serves."""
        return [
            Operation(
                method="POST",
                path="/api/v1/worker/blocked",
                handler=self.worker_blocked,
                about="Tell that a worker's main thread is busy. A frame of the worker protocol with Blocked.",
                content="application/msgpack",
                answer=KNOWN,
                refusals={401: "not this server's token"},
            )
        ]

    async def worker_blocked(self, call: Call) -> Answer:
        """Take the news as a sign of life, and pass it on."""
        try:
            messages = decode_from_worker(await call.body())
        except (msgspec.DecodeError, UnicodeDecodeError, RecursionError) as error:
            raise RequestInvalid(f"the body is not a frame of the worker protocol: {error}") from error
        if not messages or not all(isinstance(message, Blocked) for message in messages):
            raise RequestInvalid("the body is a frame of something else than Blocked")
        known = [self._blocked(message) for message in messages if isinstance(message, Blocked)]
        return Answer.json({"known": all(known)})
