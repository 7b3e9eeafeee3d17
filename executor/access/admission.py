"""Who may use a route: on loopback whoever is on this machine, and workers with their token; else whoever has a key."""

from __future__ import annotations

import hmac
import logging
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from typing import Final

from starlette.types import Scope

from executor.access.environments import check_environment
from executor.access.errors import (
    EnvironmentMissing,
    EnvironmentRefused,
    KeyMissing,
    KeyRefused,
    KeyRevoked,
    RateLimited,
    ScopeMissing,
)
from executor.access.keys import Key, is_well_formed, mask_keys
from executor.access.rates import Rates
from executor.access.register import Register
from executor.api.routes import needed_scope
from executor.api.scopes import AUDITED
from executor.errors import RequestInvalid, SessionEnded, TokenRefused
from trigger_sdk.protocol.problem import TriggerError

logger = logging.getLogger("trigger.executor")

ENVIRONMENT_HEADER: Final = b"trigger-environment"
"""Says in which environment a key of all environments is used."""

_CALLER: Final = "trigger.caller"


class WorkerToken:
    """Admits everything but workers without the token; for a server that nobody else can reach.

    Args:
        token: the bearer token a worker must show.
    """

    def __init__(self, token: str) -> None:
        self._token = token

    async def admit(self, scope: Scope, method: str, path: str) -> int:
        """Let a request in. TokenRefused."""
        if needed_scope(method, path) == "workers:connect":
            shown = list(_headers(scope, b"authorization"))
            expected = b"Bearer " + self._token.encode()
            if len(shown) != 1 or not self._token or not hmac.compare_digest(shown[0], expected):
                raise TokenRefused("the bearer token is missing or is not this server's")
        return 0

    async def answered(self, number: int, status: int) -> None:
        """Do nothing: nothing is on record."""

    def watch(self, scope: Scope, end: Callable[[SessionEnded], None]) -> Callable[[], None]:
        """Do nothing: the token is good as long as the server lives."""
        del scope, end
        return _nothing


@dataclass(frozen=True, slots=True)
class Caller:
    """Who sent a request.

    Attributes:
        key: the API key.
        environment: where the request is to work; empty: not said, by a key of all environments.
    """

    key: Key
    environment: str

    def require_environment(self) -> str:
        """Return the environment. Raises EnvironmentMissing."""
        if not self.environment:
            raise EnvironmentMissing("the API key works in all environments, and the request does not say in which")
        return self.environment


class KeyAdmission:
    """Admits requests by API key.

    Args:
        register: knows the keys, and keeps the audit log.
        rates: limits the requests of each key.
    """

    def __init__(self, register: Register, rates: Rates) -> None:
        self._register = register
        self._rates = rates
        self._open: dict[str, list[Callable[[SessionEnded], None]]] = {}

    async def identify(self, scope: Scope) -> Caller:
        """Return who sent a request; it is found out, and counted, once for each request.

        Raises:
            KeyMissing, KeyRefused, RateLimited, EnvironmentRefused, EnvironmentInvalid, StoreUnavailable.
        """
        known: Caller | None = scope.get(_CALLER)
        if known is not None:
            return known
        key = await self._find(_bearer(scope))
        wait_s = self._rates.take(key.id)
        if wait_s:
            raise RateLimited(f"the API key {key.id} is used too often", retry_after_s=wait_s)
        self._register.note_use(key)
        caller = Caller(key, _environment(scope, key))
        scope[_CALLER] = caller
        return caller

    async def _find(self, text: str) -> Key:
        if not is_well_formed(text):
            raise KeyRefused("what the request shows is no API key: its form or its check digits are wrong")
        key = await self._register.find_key(text)
        if key is None:
            raise KeyRefused("the API key is none of this server's")
        if key.revoked_at is not None:
            raise KeyRefused(f"the API key {key.id} was revoked")
        return key

    async def admit(self, scope: Scope, method: str, path: str) -> int:
        """Let a request in when its key has the scope, and write it down when it changes something.

        Raises:
            ScopeMissing, and what :meth:`identify` raises.
        """
        needed = needed_scope(method, path)
        if needed is None:
            return 0
        caller = await self.identify(scope)
        key = caller.key
        if needed not in key.scopes:
            raise ScopeMissing(
                f"the API key {key.id} is for '{key.purpose}', and this needs the scope {needed}",
                hint=f"A key for '{key.purpose}' has: {', '.join(sorted(key.scopes))}.",
            )
        if (method, path) not in AUDITED:
            return 0
        client = scope.get("client")
        return await self._register.begin_act(
            key=key.id,
            environment=caller.environment,
            action=f"{method} {path}",
            target=mask_keys(scope["path"])[:1000],
            address=client[0] if client else "",
        )

    async def answered(self, number: int, status: int) -> None:
        """Write down how what is on record ended."""
        try:
            await self._register.end_act(number, status)
        except TriggerError as error:
            logger.warning("line %d of the audit log stays without its end: %s", number, error)

    # --- what is open -------------------------------------------------------------------------------------------

    def watch(self, scope: Scope, end: Callable[[SessionEnded], None]) -> Callable[[], None]:
        """Have ``end`` called when the key of an open connection is revoked; returns what stops that."""
        caller: Caller = scope[_CALLER]
        id = caller.key.id
        self._open.setdefault(id, []).append(end)

        def stop() -> None:
            watching = self._open.get(id, [])
            if end in watching:
                watching.remove(end)
            if not watching:
                self._open.pop(id, None)

        return stop

    @property
    def in_use(self) -> list[str]:
        """Ids of the keys that have connections open."""
        return list(self._open)

    def revoked(self, id: str) -> None:
        """End what a key has open."""
        self._rates.forget(id)
        for end in self._open.pop(id, []):
            end(KeyRevoked(f"the API key {id} was revoked"))


def caller_of(scope: Scope) -> Caller:
    """Return who sent a request that was admitted by its key."""
    caller: Caller = scope[_CALLER]
    return caller


def _bearer(scope: Scope) -> str:
    shown = list(_headers(scope, b"authorization"))
    if not shown:
        raise KeyMissing("this needs an API key")
    kind, _, text = shown[0].partition(b" ")
    if len(shown) > 1 or kind.lower() != b"bearer":
        raise KeyRefused("the header Authorization is given twice, or is not of the kind Bearer")
    return text.strip().decode("latin-1")


def _environment(scope: Scope, key: Key) -> str:
    asked = list(_headers(scope, ENVIRONMENT_HEADER))
    if len(asked) > 1:
        raise RequestInvalid("the header Trigger-Environment is given twice")
    if not asked or not asked[0]:
        return key.environment
    name = check_environment(asked[0].decode("latin-1"), "Trigger-Environment")
    if key.environment not in ("", name):
        raise EnvironmentRefused(f"the API key {key.id} is of '{key.environment}', and the request is about '{name}'")
    return name


def _headers(scope: Scope, wanted: bytes) -> Iterator[bytes]:
    return (value for name, value in scope["headers"] if name == wanted)


def _nothing() -> None:
    """Do nothing."""
