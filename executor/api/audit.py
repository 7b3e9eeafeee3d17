"""``GET /api/v1/audit``: who changed what, and when."""

from __future__ import annotations

import msgspec

from executor.access.admission import caller_of
from executor.access.register import Register
from executor.api.answers import Answer
from executor.api.call import Call
from executor.api.rendering import when
from executor.api.routes import Operation, Parameter
from executor.api.runs import LIMIT_SCHEMA, LONGEST_LIST, read_limit
from executor.errors import RequestInvalid

_DIGITS = 18


class ActView(msgspec.Struct, frozen=True, kw_only=True):
    """A change. ``key`` is who, null for the server itself; ``status`` is null when the server did not live to say."""

    num: int
    at: str
    key: str | None
    environment: str | None
    action: str
    target: str
    address: str
    status: int | None


class AuditPage(msgspec.Struct, frozen=True, kw_only=True):
    """Changes, the newest first. ``next`` is the cursor of the next page, or null."""

    acts: list[ActView]
    next: str | None


class Audit:
    """Shows the audit log."""

    def __init__(self, register: Register) -> None:
        self._register = register

    def operations(self) -> list[Operation]:
        """Return what this serves."""
        query = (
            Parameter(name="limit", about=f"How many, to {LONGEST_LIST}; 50 if not given.", schema=LIMIT_SCHEMA),
            Parameter(name="cursor", about="`next` of the page before."),
        )
        return [
            Operation(
                method="GET", path="/api/v1/audit", handler=self.list_acts, about="List changes, the newest first.",
                query=query, answer=AuditPage, refusals={400: "a parameter is malformed"},
            )
        ]  # fmt: skip

    async def list_acts(self, call: Call) -> Answer:
        """List changes: those in the caller's environment, or all."""
        query = call.query(("limit", "cursor"))
        limit = read_limit(query.get("limit"))
        before = _cursor(query.get("cursor"))
        acts = await self._register.acts(caller_of(call.scope).environment or None, before, limit)
        views = [
            ActView(
                num=act.num, at=when(act.at), key=act.key or None, environment=act.environment or None,
                action=act.action, target=act.target, address=act.address, status=act.status,
            )
            for act in acts
        ]  # fmt: skip
        return Answer.json(AuditPage(acts=views, next=str(acts[-1].num) if len(acts) == limit else None))


def _cursor(text: str | None) -> int | None:
    if not text:
        return None
    if not (text.isascii() and text.isdigit()) or len(text) > _DIGITS:
        raise RequestInvalid(f"cursor is '{text[:100]}', which no page has given", where="cursor")
    return int(text)
