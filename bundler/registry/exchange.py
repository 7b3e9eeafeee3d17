"""Requests to a registry: where it is, with the authorization it wants, again where that helps."""

from __future__ import annotations

import asyncio
from collections.abc import Collection, Mapping
from dataclasses import dataclass, field, replace

import httpx

from bundler.errors import BundlerError
from bundler.registry.answers import TRANSIENT, read, refusal
from bundler.registry.auth import Authenticator
from bundler.registry.challenges import Scope, challenges_of
from bundler.registry.connection import Body, Connections, Network, Request, same_origin
from bundler.registry.errors import RegistryUnauthorized, RegistryUnreachable
from bundler.registry.reference import Reference
from bundler.registry.retrying import Retrying, Transient
from bundler.registry.secrets import Secrets

_OK = 200
_UNAUTHORIZED = 401
_ROUNDS = 3
_MAX_PING = 64 * 1024
_HANDSHAKE = 3.0
"""Seconds after which a server that hung up on plain HTTP, and says nothing to TLS either, is taken to be broken."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Call:
    """A request to a registry.

    Attributes:
        method: of HTTP.
        path: below the repository, ``manifests/latest``; or a complete address that the registry gave.
        scopes: what a token must be good for.
        expected: statuses that are no error.
        headers: beside the usual ones.
        body: sent again with every attempt.
    """

    method: str
    path: str | httpx.URL
    scopes: frozenset[Scope]
    expected: Collection[int] = (_OK,)
    headers: Mapping[str, str] = field(default_factory=dict)
    body: Body | None = None


class Exchange:
    """Asks registries."""

    def __init__(
        self,
        connections: Connections,
        network: Network,
        authenticator: Authenticator,
        retrying: Retrying,
        secrets: Secrets,
    ) -> None:
        """Put the parts together."""
        self._connections = connections
        self._network = network
        self._authenticator = authenticator
        self._secrets = secrets
        self._origins: dict[str, httpx.URL] = {}
        self._locks: dict[str, asyncio.Lock] = {}
        self.retrying = retrying

    async def ask(self, reference: Reference, call: Call) -> httpx.Response:
        """Return an expected answer, with its body unread, after as many attempts as it takes; the caller closes it."""
        return await self.retrying.run(lambda: self.once(reference, call))

    async def once(self, reference: Reference, call: Call) -> httpx.Response:
        """Do it with one attempt (and one more for each new authorization that is asked for)."""
        origin = await self._origin(reference.endpoint)
        url = call.path if isinstance(call.path, httpx.URL) else None
        if url is None:
            url = origin.copy_with(raw_path=f"/v2/{reference.repository}/{call.path}".encode())
        is_own = same_origin(url, origin)
        request = Request(method=call.method, url=url, headers=call.headers, body=call.body)
        response = await self._authorized(reference.endpoint, request, call, is_own=is_own)
        if response.status_code in call.expected:
            return response
        raise await self.refused(reference, response)

    async def _authorized(self, host: str, request: Request, call: Call, *, is_own: bool) -> httpx.Response:
        """Send it; on a 401 once more for each thing that is asked for and was not given."""
        scopes, was_rejected = call.scopes, False
        for remaining in range(_ROUNDS, 0, -1):
            authorization = await self._authenticator.header(host, scopes) if is_own else ""
            response = await self._connections.send(replace(request, authorization=authorization))
            is_ours = response.status_code == _UNAUTHORIZED and same_origin(response.request.url, request.url)
            challenges = challenges_of(response.headers.get_list("WWW-Authenticate")) if is_ours and is_own else ()
            if response.status_code in call.expected or not challenges or remaining == 1:
                return response
            wanted = await self._authenticator.renew(host, challenges, scopes, authorization)
            # Refused with a new authorization for all that is named: more of the same changes nothing.
            if authorization.startswith("Basic ") or (was_rejected and wanted == scopes):
                return response
            was_rejected, scopes = bool(authorization), wanted
            await response.aclose()
        raise AssertionError  # the last round returns

    async def refused(
        self, reference: Reference, response: httpx.Response, content: bytes | None = None
    ) -> BundlerError | Transient:
        """Return what to raise for an answer that is a refusal; ``content`` is its body when it was read."""
        error = await refusal(response, self._secrets, content)
        if not isinstance(error, RegistryUnauthorized):
            return error
        source = self._authenticator.source_of(reference.endpoint)
        detail = "\n".join(filter(None, [f"credentials: {source}", error.problem.detail]))
        hint = f"Run `docker login {reference.host}`, as somebody who may do this."
        return RegistryUnauthorized(error.message, detail=detail, hint=hint)

    async def _origin(self, host: str) -> httpx.URL:
        """Return scheme and host of a registry, and learn how it wants to be asked; once for each."""
        if host in self._origins:
            return self._origins[host]
        async with self._locks.setdefault(host, asyncio.Lock()):
            if host not in self._origins:
                self._origins[host] = await self._ping(host)
            return self._origins[host]

    async def _ping(self, host: str) -> httpx.URL:
        if self._network.allows_plain(host):
            plain = httpx.URL(f"http://{host}")
            try:
                response = await self._connections.send(Request(method="GET", url=plain.copy_with(path="/v2/")))
            except Transient as failure:
                # A server of TLS hangs up on plain HTTP, unless it says so; one that is not there is not asked twice.
                if failure.attempts is not None:
                    raise
                try:
                    async with asyncio.timeout(_HANDSHAKE):
                        return await self._ping_secure(host)
                except (RegistryUnreachable, Transient, TimeoutError):
                    raise failure from None
            if await self._is_for_tls(response):
                return await self._ping_secure(host)
            return await self._learn(host, plain, response)
        return await self._ping_secure(host)

    async def _is_for_tls(self, response: httpx.Response) -> bool:
        if response.status_code != httpx.codes.BAD_REQUEST:
            return False
        return b"HTTPS" in await read(response, _MAX_PING, check=False)

    async def _ping_secure(self, host: str) -> httpx.URL:
        secure = httpx.URL(f"https://{host}")
        response = await self._connections.send(Request(method="GET", url=secure.copy_with(path="/v2/")))
        return await self._learn(host, secure, response)

    async def _learn(self, host: str, origin: httpx.URL, response: httpx.Response) -> httpx.URL:
        """Take what the answer to ``GET /v2/`` asks for; some registries have no such page, which is no error."""
        if response.status_code in TRANSIENT:
            raise await refusal(response, self._secrets)
        await response.aclose()
        if response.status_code == _UNAUTHORIZED and same_origin(response.request.url, origin):
            self._authenticator.learn(host, challenges_of(response.headers.get_list("WWW-Authenticate")))
        return origin
