"""``WS /api/v1/worker``: the ASGI side of a worker's connection."""

from __future__ import annotations

import asyncio
import json
import logging
from collections.abc import Callable
from contextlib import suppress
from typing import Any, Final, Protocol

import msgspec
from starlette.types import Receive, Scope, Send

from executor.api.problems import answer_problem
from executor.errors import FrameInvalid, HelloMissing, SessionEnded, SessionFailed
from executor.sessions.hub import Hub
from executor.sessions.session import Session
from executor.settings import Settings
from trigger_sdk.protocol.messages import Hello, Refused, ToServer, ToWorker, decode_from_worker, encode_frame
from trigger_sdk.protocol.problem import TriggerError

logger = logging.getLogger("trigger.executor")

WORKER_PATH: Final = "/api/v1/worker"

GOOD_BYE = frozenset((1000, 1001))
"""WebSocket close codes by which a worker says that it will not come back."""

REASON_LIMIT = 123
"""Most bytes of a WebSocket close reason."""

_FAREWELL_S = 1.0

_COOL_OFF_S = 0.5
"""How long a worker that the engine cannot take now is kept waiting, since it comes back at once."""


class Entrance(Protocol):
    """Says which worker may come in, and when it must leave."""

    async def admit(self, scope: Scope, method: str, path: str) -> int:
        """Let a handshake in. TriggerError: it is refused."""

    def watch(self, scope: Scope, end: Callable[[SessionEnded], None]) -> Callable[[], None]:
        """Have ``end`` called when what a connection came in with is of no use any more; returns what stops that."""


class _Closed(Exception):
    def __init__(self, code: int) -> None:
        super().__init__(code)
        self.code = code


class WorkerEndpoint:
    """Serves workers' connections, as an ASGI application."""

    def __init__(self, hub: Hub, settings: Settings, entrance: Entrance) -> None:
        self._hub = hub
        self._settings = settings
        self._entrance = entrance

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Serve one connection from handshake to close."""
        try:
            await self._entrance.admit(scope, "WS", WORKER_PATH)
        except TriggerError as refusal:
            await refuse_handshake(receive, send, refusal)
            return
        await receive()
        await send({"type": "websocket.accept"})
        try:
            session, rest = await self._introduce(receive)
        except _Closed:
            return
        except SessionEnded as error:
            await _say_farewell(send, error)
            return
        except TriggerError as error:
            await asyncio.sleep(_COOL_OFF_S)
            await _say_farewell(send, error)
            return
        leave = self._entrance.watch(scope, session.end)
        try:
            await self._serve(session, rest, receive, send)
        finally:
            leave()

    async def _introduce(self, receive: Receive) -> tuple[Session, list[ToServer]]:
        """Wait for Hello; return the session and the messages that came in the same frame."""
        try:
            async with asyncio.timeout(self._settings.hello_timeout_s):
                messages = await _next_frame(receive)
        except TimeoutError:
            raise HelloMissing(f"no Hello came within {self._settings.hello_timeout_s:g} s") from None
        if not messages or not isinstance(messages[0], Hello):
            raise HelloMissing("the first message is not Hello")
        return await self._hub.join(messages[0]), messages[1:]

    async def _serve(self, session: Session, rest: list[ToServer], receive: Receive, send: Send) -> None:
        """Read and write until one of them ends or the session is to end."""
        reader = asyncio.create_task(self._read(session, rest, receive))
        writer = asyncio.create_task(_write(session, send))
        clean = False
        reason: SessionEnded | None = None
        try:
            waited: set[asyncio.Future[Any]] = {reader, writer, session.ending}
            await asyncio.wait(waited, return_when=asyncio.FIRST_COMPLETED)
            ended = reader if reader.done() else writer
            error = ended.exception() if ended.done() else None
            if session.ending.done():
                reason = session.ending.result()
            elif isinstance(error, _Closed):
                clean = error.code in GOOD_BYE
            elif isinstance(error, SessionEnded):
                reason = error
            elif error is not None and not isinstance(error, OSError):
                logger.error("the session of worker %s failed", session.worker.id, exc_info=error)
                reason = SessionFailed("the server made a mistake while it served this session")
        finally:
            for task in (reader, writer):
                task.cancel()
            await asyncio.gather(reader, writer, return_exceptions=True)
            self._hub.leave(session, clean=clean)
        if reason is not None:
            if reason.final:
                self._hub.announcer.worker(
                    "refused", session.worker.id, code=session.worker.code, pid=session.worker.pid,
                    message=reason.message,
                )  # fmt: skip
            await _say_farewell(send, reason)

    async def _read(self, session: Session, messages: list[ToServer], receive: Receive) -> None:
        """Handle frames until the connection closes (_Closed); read nothing while too much waits."""
        outbox, settings = session.outbox, self._settings
        session.handle(messages)
        while True:
            session.handle(await _next_frame(receive))
            if outbox.weight > settings.outgoing_limit:
                await outbox.below(settings.outgoing_limit)
            if session.in_flight > settings.in_flight_limit:
                await session.settled(settings.in_flight_limit // 2)


async def _write(session: Session, send: Send) -> None:
    """Send what the outbox holds, as few frames."""
    outbox = session.outbox
    clock = asyncio.get_running_loop().time
    while True:
        await outbox.filled()
        session.sending_since = clock()
        await send({"type": "websocket.send", "bytes": outbox.take_frame()})
        session.sending_since = None


async def _next_frame(receive: Receive) -> list[ToServer]:
    """Return the messages of the next frame. Raises _Closed, FrameInvalid."""
    event = await receive()
    if event["type"] == "websocket.disconnect":
        raise _Closed(event.get("code") or 1005)
    data = event.get("bytes")
    if data is None:
        raise FrameInvalid("a text came, and binary frames are expected")
    try:
        return decode_from_worker(data)
    except (msgspec.DecodeError, UnicodeDecodeError, RecursionError) as error:
        raise FrameInvalid(f"a frame cannot be read: {error}") from error


async def refuse_handshake(receive: Receive, send: Send, error: TriggerError) -> None:
    """Answer a WebSocket handshake with a problem, as HTTP."""
    await receive()
    answer = answer_problem(error)
    headers = [(b"content-type", b"application/json"), (b"content-length", str(len(answer.body)).encode())]
    await send({"type": "websocket.http.response.start", "status": answer.status, "headers": headers})
    await send({"type": "websocket.http.response.body", "body": answer.body})
    with suppress(TimeoutError):
        async with asyncio.timeout(_FAREWELL_S):
            # The first event says that we closed, the second that the client is gone. Returning before makes uvicorn
            # log a handshake that was not completed, as an error of ours.
            await receive()
            await receive()


async def _say_farewell(send: Send, error: TriggerError) -> None:
    """Send the whole problem as a message of no run, then close with what fits into a close reason."""
    problem = error.problem
    final = isinstance(error, SessionEnded) and error.final
    code = error.close_code if isinstance(error, SessionEnded) else 1011
    refusal: list[ToWorker] = [Refused("", 0, 0, problem.code, problem.message, problem.hint)]
    frame = encode_frame(refusal)
    with suppress(OSError, TimeoutError, RuntimeError):
        async with asyncio.timeout(_FAREWELL_S):
            await send({"type": "websocket.send", "bytes": frame})
            await send(
                {"type": "websocket.close", "code": code, "reason": close_reason(error) if final else problem.code}
            )


def close_reason(error: TriggerError) -> str:
    """Return the problem as JSON that fits into a close reason: the message may be cut, the hint left out."""
    problem = error.problem
    whole = json.dumps({"code": problem.code, "message": problem.message, "hint": problem.hint}, ensure_ascii=False)
    if len(whole.encode()) <= REASON_LIMIT:
        return whole
    message = problem.message
    while True:
        text = json.dumps({"code": problem.code, "message": message}, ensure_ascii=False)
        over = len(text.encode()) - REASON_LIMIT
        if over <= 0 or not message:
            return text
        message = message[: -max(over // 4, 1)]
