"""A request as a handler sees it."""

from __future__ import annotations

from collections.abc import Collection
from dataclasses import dataclass
from typing import Any
from urllib.parse import parse_qsl

from starlette.types import Receive, Scope

from executor.api.bodies import check_keys, read_body, read_object
from executor.errors import RequestInvalid


@dataclass(frozen=True, slots=True)
class Call:
    """One request.

    Attributes:
        scope: ASGI's.
        receive: ASGI's.
        body_limit: most bytes of its body.
    """

    scope: Scope
    receive: Receive
    body_limit: int

    def path(self, name: str) -> str:
        """Return a parameter of the path."""
        return str(self.scope["path_params"][name])

    def query(self, known: Collection[str]) -> dict[str, str]:
        """Return the query's parameters. Raises RequestInvalid for an unknown or a repeated one."""
        text = self.scope["query_string"]
        if not text:
            return {}
        pairs = parse_qsl(text.decode("latin-1"), keep_blank_values=True)
        parameters = dict(pairs)
        check_keys(parameters, known, "the query")
        if len(parameters) != len(pairs):
            raise RequestInvalid("a parameter of the query is given twice", where="the query")
        return parameters

    async def body(self) -> bytes:
        """Return the body, of any type. Raises BodyTooLarge."""
        return await read_body(self.receive, self.scope, self.body_limit)

    async def object(self, known: Collection[str]) -> dict[str, Any]:
        """Return the JSON object that the body is. Raises RequestInvalid for a key that is not ``known``."""
        data = await read_object(self.receive, self.scope, self.body_limit)
        check_keys(data, known, "")
        return data

    async def gone(self) -> None:
        """Return when the client closed the connection. To be called after the body was read."""
        while (await self.receive())["type"] != "http.disconnect":
            pass
