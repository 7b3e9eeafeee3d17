"""The one description of the API: paths, methods, parameters, bodies and answers, and what serves them.

The router and the OpenAPI document are both made from :class:`Operation` values. Which scope a route needs stands in
``executor.api.scopes``; a route that is not listed there cannot be made.
"""

from __future__ import annotations

import asyncio
from collections.abc import Awaitable, Callable, Iterable, Mapping
from dataclasses import dataclass, field
from typing import Protocol

from starlette.routing import Route
from starlette.types import Receive, Scope, Send

from executor.api.answers import Answer
from executor.api.bodies import ClientGone
from executor.api.call import Call
from executor.api.problems import answer_internal, answer_problem
from executor.api.scopes import NEEDS, ScopeName
from executor.errors import MethodRefused, PathUnknown, ServerStopping
from trigger_sdk.protocol.problem import TriggerError

Handler = Callable[[Call], Awaitable[Answer]]

ROUTE = "trigger.route"
"""Where an ASGI scope says which route it came to: its path with parameters in braces."""


class Admission(Protocol):
    """Says who may use a route, and remembers who did."""

    async def admit(self, scope: Scope, method: str, path: str) -> int:
        """Let a request to a route in, and return the number under which it is on record, or 0.

        TriggerError: the request is refused.
        """

    async def answered(self, number: int, status: int) -> None:
        """Note how a request that is on record ended. Never raises."""


def needed_scope(method: str, path: str) -> ScopeName | None:
    """Return the scope that a route needs, or None when it needs no key. LookupError: it is not listed."""
    return NEEDS[method, path]


@dataclass(frozen=True, slots=True, kw_only=True)
class Parameter:
    """A parameter of the query. ``schema`` is JSON schema."""

    name: str
    about: str
    schema: Mapping[str, object] = field(default_factory=lambda: {"type": "string"})


@dataclass(frozen=True, slots=True, kw_only=True)
class Operation:
    """One call of the API.

    Attributes:
        method: GET or POST.
        path: with parameters in braces.
        handler: what answers.
        about: one sentence.
        query: its parameters.
        body: the Struct that describes the JSON body, or None.
        content: the type of the body.
        status: of a good answer.
        answer: the Struct that describes it, or a JSON schema.
        answer_content: the type of a good answer.
        refusals: status to the reasons.
    """

    method: str
    path: str
    handler: Handler
    about: str
    query: tuple[Parameter, ...] = ()
    body: type | None = None
    content: str = "application/json"
    status: int = 200
    answer: type | Mapping[str, object] | None = None
    answer_content: str = "application/json"
    refusals: Mapping[int, str] = field(default_factory=dict)


class Endpoint:
    """Serves one path as an ASGI application: picks the operation, and turns errors into problems."""

    def __init__(
        self,
        path: str,
        operations: Iterable[Operation],
        admission: Admission,
        *,
        body_limit: int,
        new_id: Callable[[], str],
    ) -> None:
        self._path = path
        self._handlers = {operation.method: operation.handler for operation in operations}
        self._admission = admission
        self._body_limit = body_limit
        self._new_id = new_id

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Answer a request."""
        scope[ROUTE] = self._path
        try:
            answer = await self._answer(scope, receive)
        except ClientGone:
            return
        await answer.send(scope, receive, send)

    async def _answer(self, scope: Scope, receive: Receive) -> Answer:
        method = "GET" if scope["method"] == "HEAD" else scope["method"]
        handler = self._handlers.get(method)
        if handler is None:
            return self._wrong_method(method, scope["path"])
        number = 0
        try:
            number = await self._admission.admit(scope, method, self._path)
        except TriggerError as error:
            return answer_problem(error, discard=True)
        answer = await self._handle(handler, scope, receive)
        if number:
            await self._admission.answered(number, answer.status)
        return answer

    async def _handle(self, handler: Handler, scope: Scope, receive: Receive) -> Answer:
        try:
            return await handler(Call(scope, receive, self._body_limit))
        except TriggerError as error:
            return answer_problem(error)
        except asyncio.CancelledError:
            return answer_problem(ServerStopping("the server is stopping"))
        except ClientGone:
            raise
        except Exception as error:  # noqa: BLE001 - our mistake: told in the log, and not to the client
            return answer_internal(error, doing=f"{scope['method']} {scope['path']}", id=self._new_id())

    def _wrong_method(self, method: str, path: str) -> Answer:
        allowed = sorted({*self._handlers, *(["HEAD"] if "GET" in self._handlers else [])})
        error = MethodRefused(f"{method} is not possible at {path[:200]}", hint=f"Use {' or '.join(allowed)}.")
        problem = answer_problem(error)
        return Answer(status=405, body=problem.body, headers=[(b"allow", ", ".join(allowed).encode())])


def make_routes(
    operations: Iterable[Operation], admission: Admission, *, body_limit: int, new_id: Callable[[], str]
) -> list[Route]:
    """Return a route for each path, in the order of first mention. LookupError: one is not in the table of scopes."""
    by_path: dict[str, list[Operation]] = {}
    for operation in operations:
        needed_scope(operation.method, operation.path)
        by_path.setdefault(operation.path, []).append(operation)
    return [
        Route(path, Endpoint(path, found, admission, body_limit=body_limit, new_id=new_id), name=path)
        for path, found in by_path.items()
    ]


async def nowhere(scope: Scope, receive: Receive, send: Send) -> None:
    """Answer 404 to a path that is not there; as an ASGI application."""
    if scope["type"] == "http":
        error = PathUnknown(f"there is nothing at {scope['path'][:200]}")
        await answer_problem(error).send(scope, receive, send)
    elif scope["type"] == "websocket":
        await receive()
        await send({"type": "websocket.close", "code": 1000})
