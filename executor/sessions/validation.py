"""Asks a worker whether a payload fits its job's annotation, before the run is created.

Questions that come during one turn of the loop go out as one frame. A worker that does not answer in time is not asked
again until it gives a sign of life, so that a blocked worker delays one start and not each.
"""

from __future__ import annotations

import asyncio
from asyncio import Future
from collections.abc import Callable, Sequence
from typing import TYPE_CHECKING

import msgspec

from trigger_sdk.protocol.messages import Validate, Validated

if TYPE_CHECKING:
    from executor.sessions.session import Session

_encode = msgspec.msgpack.Encoder().encode


class Validation:
    """The questions that are open.

    Args:
        choose: returns the session to ask about a job (id) of a code version, or None.
        timeout_s: seconds to wait for an answer.
    """

    def __init__(self, choose: Callable[[str, str], Session | None], *, timeout_s: float) -> None:
        self._choose = choose
        self._timeout_s = timeout_s
        self._open: dict[int, tuple[Session, Future[Validated | None]]] = {}
        self._last = 0

    async def check(self, job: str, code: str, payload: object) -> bytes | Sequence[tuple[str, str]] | None:
        """Return the canonical encoded payload, (field path, reason) pairs, or None when nobody could say.

        Args:
            job: the job's id.
            code: the code version whose annotation counts.
            payload: the JSON value.
        """
        session = self._choose(job, code)
        if session is None:
            return None
        try:
            plain = _encode(payload)
        except (OverflowError, RecursionError, UnicodeEncodeError):
            return None  # plain msgpack has no word for it: the run finds out when it starts
        answer = await self._ask(session, job, plain)
        if answer is None:
            return None
        if answer.payload is not None:
            return answer.payload
        return answer.errors or [("", "it was refused without a reason")]

    async def _ask(self, session: Session, job: str, plain: bytes) -> Validated | None:
        self._last += 1
        request = self._last
        future: Future[Validated | None] = asyncio.get_running_loop().create_future()
        self._open[request] = (session, future)
        session.outbox.put(Validate(request, job, plain))
        try:
            async with asyncio.timeout(self._timeout_s):
                return await future
        except TimeoutError:
            session.mute = True
            return None
        finally:
            del self._open[request]

    def answered(self, message: Validated) -> None:
        """Take an answer; one that comes too late is nobody's."""
        asked = self._open.get(message.request)
        if asked is not None and not asked[1].done():
            asked[1].set_result(message)

    def abandon(self, session: Session) -> None:
        """Stop waiting for a session that is over."""
        for asked, future in self._open.values():
            if asked is session and not future.done():
                future.set_result(None)
