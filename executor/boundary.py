"""The outermost layer: who may come in, and what happens to a mistake of ours that nothing else caught."""

from __future__ import annotations

import asyncio
import logging
from collections.abc import Callable

from starlette.types import ASGIApp, Message, Receive, Scope, Send

from executor.api.problems import answer_internal, answer_problem
from executor.errors import RequestRefused
from executor.sessions.endpoint import refuse_handshake

logger = logging.getLogger("trigger.executor")


class Boundary:
    """An ASGI application around another.

    Args:
        app: answers what may come in.
        new_id: makes ids for errors in the log.
        check: says why a request must be refused, or None.
    """

    def __init__(
        self, app: ASGIApp, *, new_id: Callable[[], str], check: Callable[[Scope], RequestRefused | None]
    ) -> None:
        self._app = app
        self._new_id = new_id
        self._check = check

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Answer a request, serve a connection, or take part in starting and stopping."""
        if scope["type"] == "lifespan":
            await _take_part(receive, send)
            return
        refusal = self._check(scope)
        if refusal is None:
            await self._pass_on(scope, receive, send)
        elif scope["type"] == "http":
            await answer_problem(refusal).send(scope, receive, send)
        else:
            await refuse_handshake(receive, send, refusal)

    async def _pass_on(self, scope: Scope, receive: Receive, send: Send) -> None:
        started = False

        async def noting_send(message: Message) -> None:
            nonlocal started
            started = started or message["type"] == "http.response.start"
            await send(message)

        http = scope["type"] == "http"
        try:
            await self._app(scope, receive, noting_send if http else send)
        except asyncio.CancelledError:
            logger.debug("%s was given up: the server stops", scope["path"])
        except Exception as error:  # noqa: BLE001 - told in the log
            answer = answer_internal(error, doing=f"{scope['type']} {scope['path']}", id=self._new_id())
            if http and not started:
                await answer.send(scope, receive, send)


async def _take_part(receive: Receive, send: Send) -> None:
    """Answer the server's start and stop; what is started and stopped is the caller's affair."""
    while True:
        message = await receive()
        await send({"type": f"{message['type']}.complete"})
        if message["type"] == "lifespan.shutdown":
            return
