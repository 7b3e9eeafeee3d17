"""``/api/v1/keys``: making, listing and revoking API keys."""

from __future__ import annotations

from collections.abc import Awaitable, Callable
from typing import Annotated

import msgspec
from msgspec import Meta

from executor.access.admission import Caller, caller_of
from executor.access.environments import check_environment
from executor.access.errors import EnvironmentMissing, EnvironmentRefused, KeyUnknown
from executor.access.keys import Key, id_of, is_well_formed
from executor.access.register import Register
from executor.api.answers import Answer
from executor.api.bodies import convert
from executor.api.call import Call
from executor.api.rendering import iso, when
from executor.api.routes import Operation
from executor.api.scopes import GRANTS, Purpose

FOR_ALL: frozenset[Purpose] = frozenset({"admin", "read"})
"""Purposes of keys that may work in all environments."""


class KeyBody(msgspec.Struct, frozen=True, kw_only=True):
    """A key to make. Without an environment it works in all; only keys for ``admin`` and ``read`` may."""

    purpose: Purpose
    environment: str | None = None
    note: Annotated[str, Meta(max_length=200)] = ""


class KeyView(msgspec.Struct, frozen=True, kw_only=True):
    """A key. ``environment`` is null for one that works in all; ``used_at`` is the hour of the last use."""

    id: str
    environment: str | None
    purpose: Purpose
    scopes: list[str]
    note: str
    created_at: str
    created_by: str | None
    used_at: str | None
    revoked_at: str | None


class NewKeyView(msgspec.Struct, frozen=True, kw_only=True):
    """A new key. ``key`` is shown here and never again."""

    key: str
    about: KeyView


class KeysView(msgspec.Struct, frozen=True, kw_only=True):
    """Keys, the newest first."""

    keys: list[KeyView]


class Keys:
    """Makes, lists and revokes keys.

    Args:
        register: keeps them.
        require: raises EnvironmentUnknown when there is no such environment.
    """

    def __init__(self, register: Register, require: Callable[[str], Awaitable[None]]) -> None:
        self._register = register
        self._require = require

    def operations(self) -> list[Operation]:
        """Return what this serves."""
        path = "/api/v1/keys"
        return [
            Operation(method="GET", path=path, handler=self.list_keys, about="List the API keys.", answer=KeysView),
            Operation(
                method="POST", path=path, handler=self.create_key, about="Make an API key; it is shown once.",
                body=KeyBody, status=201, answer=NewKeyView,
                refusals={400: "malformed", 404: "no such environment"},
            ),
            Operation(
                method="POST", path=f"{path}/{{id}}/revoke", handler=self.revoke_key, about="Revoke an API key.",
                answer=KeyView, refusals={404: "no key has this id"},
            ),
        ]  # fmt: skip

    async def list_keys(self, call: Call) -> Answer:
        """List the keys: those of the caller's environment, or all."""
        call.query(())
        keys = await self._register.keys(caller_of(call.scope).environment or None)
        return Answer.json(KeysView(keys=[show_key(key) for key in keys]))

    async def create_key(self, call: Call) -> Answer:
        """Make a key."""
        call.query(())
        body = convert(await call.object(KeyBody.__struct_fields__), KeyBody, "")
        caller = caller_of(call.scope)
        environment = await self._environment(caller, body)
        text, key = await self._register.create_key(environment, body.purpose, body.note, caller.key.id)
        return Answer.json(NewKeyView(key=text, about=show_key(key)), status=201)

    async def _environment(self, caller: Caller, body: KeyBody) -> str:
        """Return the environment of the key that is asked for; empty for all."""
        name = caller.environment if body.environment is None else check_environment(body.environment)
        if caller.key.environment not in ("", name):
            raise EnvironmentRefused(f"the API key {caller.key.id} makes keys for '{caller.key.environment}' only")
        if name:
            await self._require(name)
        elif body.purpose not in FOR_ALL:
            raise EnvironmentMissing(
                f"a key for '{body.purpose}' is for one environment",
                hint="Name it: trigger keys create --environment prod",
                where="environment",
            )
        return name

    async def revoke_key(self, call: Call) -> Answer:
        """Revoke a key; to revoke it again changes nothing."""
        await call.object(())
        caller = caller_of(call.scope)
        text = call.path("id")
        id = id_of(text) if is_well_formed(text) else text
        key = await self._register.key(id)
        if key is None or caller.key.environment not in ("", key.environment):
            raise KeyUnknown(f"no API key begins with '{text[:24]}'")
        await self._register.revoke(id)
        return Answer.json(show_key(await self._register.key(id) or key))


def show_key(key: Key) -> KeyView:
    """Return a key as the API shows it."""
    return KeyView(
        id=key.id,
        environment=key.environment or None,
        purpose=key.purpose,
        scopes=sorted(GRANTS[key.purpose]),
        note=key.note,
        created_at=when(key.created_at),
        created_by=key.created_by or None,
        used_at=iso(key.used_at),
        revoked_at=iso(key.revoked_at),
    )
