"""Authorization: what a registry asks for, made from credentials; tokens, kept until shortly before they expire."""

from __future__ import annotations

import asyncio
import base64
import json
from collections.abc import Awaitable, Callable, Iterable
from dataclasses import dataclass, field
from urllib.parse import urlencode

import httpx

from bundler.registry.answers import read, refusal
from bundler.registry.auth_files import Credential
from bundler.registry.challenges import Challenge, Scope, covers, scopes_of, united
from bundler.registry.connection import Bytes, Request
from bundler.registry.credentials import Credentials, Found
from bundler.registry.errors import RegistryInsecure, RegistryUnauthorized, RegistryUnusable
from bundler.registry.retrying import Transient
from bundler.registry.secrets import Secrets, place

_DEFAULT_LIFE = 60.0
_LONGEST_LIFE = 86_400.0
_MAX_ANSWER = 1024 * 1024
_CLIENT_ID = "trigger"
_OK = 200

Send = Callable[[Request], Awaitable[httpx.Response]]
"""Sends one request, once."""


@dataclass(frozen=True, slots=True, kw_only=True)
class _Token:
    value: str = field(repr=False)
    until: float

    @property
    def header(self) -> str:
        return f"Bearer {self.value}"


@dataclass(slots=True, kw_only=True)
class _Host:
    """What is known of one registry."""

    challenge: Challenge | None = None
    tokens: dict[frozenset[Scope], _Token] = field(default_factory=dict)
    expected: frozenset[Scope] = frozenset()
    refresh_token: str = field(default="", repr=False)
    lock: asyncio.Lock = field(default_factory=asyncio.Lock)


class Authenticator:
    """The authorizations of all registries that a client talks to."""

    def __init__(self, credentials: Credentials, send: Send, *, clock: Callable[[], float], secrets: Secrets) -> None:
        """Take credentials from one place, tokens by way of ``send``; ``clock`` gives monotonic seconds."""
        self._credentials = credentials
        self._send = send
        self._clock = clock
        self._secrets = secrets
        self._hosts: dict[str, _Host] = {}

    def expect(self, host: str, scopes: Iterable[Scope]) -> None:
        """Say what will be needed: one token is then asked for, for all of it."""
        known = self._host(host)
        known.expected = united([*known.expected, *scopes])

    def learn(self, host: str, challenges: Iterable[Challenge]) -> None:
        """Remember how a registry wants to be asked: by tokens where it gives them, else by name and password."""
        by_scheme = {challenge.scheme: challenge for challenge in reversed(list(challenges))}
        found = by_scheme.get("bearer") or by_scheme.get("basic")
        if found is not None:
            self._host(host).challenge = found
        elif by_scheme:
            raise RegistryUnauthorized(f"'{host}' wants to be asked by {', '.join(sorted(by_scheme))}, not known here")

    async def header(self, host: str, scopes: frozenset[Scope]) -> str:
        """Return the header ``Authorization`` for a request; empty while nothing is asked for."""
        known = self._host(host)
        if known.challenge is None:
            return ""
        async with known.lock:
            if known.challenge.scheme == "basic":
                return self._basic(host, await self._find(host, scopes))
            token = self._held(known, scopes) or await self._widest(host, known, scopes)
            return token.header

    async def renew(
        self, host: str, challenges: Iterable[Challenge], scopes: frozenset[Scope], rejected: str
    ) -> frozenset[Scope]:
        """Take note of a 401: forget what was rejected.

        Returns:
            The scopes that the request needs by what is said now, to ask for the header with.
        """
        known = self._host(host)
        challenges = list(challenges)
        self.learn(host, challenges)
        async with known.lock:
            for held, token in list(known.tokens.items()):
                if token.header == rejected:
                    del known.tokens[held]
        asked = [scopes_of(challenge.parameters.get("scope", "")) for challenge in challenges]
        return united([*scopes, *(scope for found in asked for scope in found)])

    def source_of(self, host: str) -> str:
        """Return where the credentials that were used for a registry are from, for people."""
        return self._credentials.sources.get(host, "not asked for")

    def _host(self, host: str) -> _Host:
        return self._hosts.setdefault(host, _Host())

    def _held(self, known: _Host, scopes: frozenset[Scope]) -> _Token | None:
        now = self._clock()
        known.tokens = {held: token for held, token in known.tokens.items() if token.until > now}
        return next((token for held, token in known.tokens.items() if covers(held, scopes)), None)

    async def _widest(self, host: str, known: _Host, scopes: frozenset[Scope]) -> _Token:
        """Return a new token for all that is expected; when that is refused, for what is needed now."""
        needed = united(scopes)
        wide = united([*needed, *known.expected]) if covers(known.expected, needed) else needed
        try:
            token = await self._fetch(host, known, wide)
        except RegistryUnauthorized:
            if wide == needed:
                raise
            known.expected = frozenset()
            wide = needed
            token = await self._fetch(host, known, needed)
        known.tokens[wide] = token
        return token

    async def _find(self, host: str, scopes: Iterable[Scope]) -> Found:
        repository = min((scope.name for scope in scopes if "push" in scope.actions), default="")
        repository = repository or min((scope.name for scope in scopes), default="")
        found = await self._credentials.find(host, repository)
        if credential := found.credential:
            self._secrets.add(credential.password, username=credential.username)
            self._secrets.add(credential.identity_token)
            self._secrets.add(credential.registry_token)
        return found

    def _basic(self, host: str, found: Found) -> str:
        credential = found.credential
        if credential is None or not (credential.username or credential.password):
            raise RegistryUnauthorized(
                f"'{host}' wants a user name and a password, and none are configured",
                detail=found.source,
                hint=f"Run `docker login {host}`.",
            )
        return _basic_header(credential)

    async def _fetch(self, host: str, known: _Host, scopes: frozenset[Scope]) -> _Token:
        found = await self._find(host, scopes)
        credential = found.credential
        if credential is not None and credential.registry_token:
            return _Token(value=credential.registry_token, until=float("inf"))
        request = self._request(host, known, scopes, credential)
        asked_at = self._clock()
        response = await self._send(request)
        if response.status_code != _OK:
            raise await self._denial(host, found, response)
        # The answer is quoted nowhere: it is a secret.
        fields = _fields(await read(response, _MAX_ANSWER), request.url)
        value = fields.get("token") or fields.get("access_token")
        if not isinstance(value, str) or not value:
            raise RegistryUnusable(f"{place(request.url)} gave no token for '{host}'")
        self._secrets.add(value)
        rotated = fields.get("refresh_token")
        if isinstance(rotated, str) and rotated:
            self._secrets.add(rotated)
            known.refresh_token = rotated
        return _Token(value=value, until=asked_at + _useful_life(fields.get("expires_in")))

    def _request(self, host: str, known: _Host, scopes: frozenset[Scope], credential: Credential | None) -> Request:
        parameters = known.challenge.parameters if known.challenge else {}
        realm, service = _realm(host, parameters), parameters.get("service", "")
        words = sorted(map(str, scopes))
        if credential is not None and credential.identity_token:
            refresh = known.refresh_token or credential.identity_token
            form = {"grant_type": "refresh_token", "service": service, "client_id": _CLIENT_ID}
            body = urlencode({**form, "scope": " ".join(words), "refresh_token": refresh})
            headers = {"Content-Type": "application/x-www-form-urlencoded"}
            return Request(method="POST", url=realm, headers=headers, body=Bytes(content=body.encode()))
        query = [("service", service)] if service else []
        query += [("scope", word) for word in words]
        joint = "&" if realm.query else "?"
        url = httpx.URL(f"{realm}{joint}{urlencode(query, safe=':/')}") if query else realm
        has_password = credential is not None and (credential.username or credential.password)
        authorization = _basic_header(credential) if credential is not None and has_password else ""
        return Request(method="GET", url=url, authorization=authorization)

    async def _denial(self, host: str, found: Found, response: httpx.Response) -> Exception:
        error = await refusal(response, self._secrets)
        if isinstance(error, Transient | RegistryInsecure) or response.status_code not in {400, 401, 403}:
            return error
        known = f"the credentials are from {found.source}" if found.credential else found.source
        what = "does not accept the credentials for it" if found.credential else "gives no token without a login"
        detail = "\n".join(filter(None, [known, error.problem.detail]))
        return RegistryUnauthorized(f"'{host}' {what}", detail=detail, hint=f"Run `docker login {host}`.")


def _basic_header(credential: Credential) -> str:
    pair = f"{credential.username}:{credential.password}".encode()
    return f"Basic {base64.b64encode(pair).decode()}"


def _realm(host: str, parameters: dict[str, str]) -> httpx.URL:
    try:
        realm = httpx.URL(parameters.get("realm", ""))
    except httpx.InvalidURL:
        realm = httpx.URL("")
    if not realm.host:
        raise RegistryUnusable(f"'{host}' asks for a token and does not say where it is given")
    return realm


def _fields(content: bytes, url: httpx.URL) -> dict[str, object]:
    try:
        fields = json.loads(content)
    except (ValueError, RecursionError):
        fields = None
    if not isinstance(fields, dict):
        raise RegistryUnusable(f"{place(url)} gave no token, but something that is no JSON object") from None
    return fields


def _useful_life(stated: object) -> float:
    """Return for how many seconds a token is used: less than it lives, since requests take a while to arrive."""
    is_number = isinstance(stated, int | float) and not isinstance(stated, bool) and stated > 0
    life = float(min(stated, _LONGEST_LIFE)) if is_number and isinstance(stated, int | float) else _DEFAULT_LIFE
    return life - min(30.0, life * 0.2)
