"""Files with credentials: Docker's ``config.json`` and the ``auth.json`` of containers' tools."""

from __future__ import annotations

import base64
import binascii
import json
from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from bundler.registry.errors import CredentialsUnusable
from bundler.registry.reference import HUB_ALIASES

HUB_SERVER = "https://index.docker.io/v1/"
"""Docker Hub's name in configurations, and for helpers."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Credential:
    """What a registry can be asked with. One of the three is set; a password goes with its user name.

    Attributes:
        username: of the password.
        password: sent as Basic, to the registry or to the server that gives its tokens.
        identity_token: exchanged for tokens of a registry.
        registry_token: sent to the registry as it is.
    """

    username: str = ""
    password: str = field(default="", repr=False)
    identity_token: str = field(default="", repr=False)
    registry_token: str = field(default="", repr=False)


@dataclass(frozen=True, slots=True, kw_only=True)
class AuthFile:
    """What one file says.

    Attributes:
        place: the file, or the variable, for people.
        helpers: keys as they are written to names of helpers.
        store: the helper of all hosts; empty for none.
        auths: keys as they are written to entries.
    """

    place: str
    helpers: Mapping[str, str] = field(default_factory=dict)
    store: str = ""
    auths: Mapping[str, Mapping[str, Any]] = field(default_factory=dict, repr=False)

    def helper_for(self, host: str, repository: str) -> tuple[str, str] | None:
        """Return the key and the name of the helper of a host; None when none is named for it."""
        key = match(self.helpers, host, repository)
        return (key, self.helpers[key]) if key is not None else None

    def entry_for(self, host: str, repository: str) -> tuple[str, Credential] | None:
        """Return the key and the credential written for a host; None for none, or an empty entry."""
        key = match(self.auths, host, repository)
        if key is None:
            return None
        credential = _credential(self.auths[key], f"auths['{key}'] in {self.place}")
        return (key, credential) if credential is not None else None


def read_auth_file(path: Path) -> AuthFile:
    """Read a file; CredentialsUnusable when it is none, without quoting from it."""
    try:
        text = path.read_text(encoding="utf-8-sig")
    except (OSError, UnicodeDecodeError) as error:
        reason = getattr(error, "strerror", None) or "it is no UTF-8 text"
        raise CredentialsUnusable(f"{path} cannot be read: {reason}", where=str(path)) from None
    return read_auth_text(text, str(path))


def read_auth_text(text: str, place: str) -> AuthFile:
    """Read the contents of such a file."""
    try:
        data = json.loads(text) if text.strip() else {}
    except ValueError as error:
        line = getattr(error, "lineno", 1)
        # From None: the exception carries the whole text.
        raise CredentialsUnusable(f"{place} is no JSON", where=f"{place}:{line}") from None
    if not isinstance(data, dict):
        raise CredentialsUnusable(f"{place} is no JSON object", where=place)
    helpers, store, auths = data.get("credHelpers") or {}, data.get("credsStore") or "", data.get("auths") or {}
    if (
        not (isinstance(helpers, dict) and isinstance(store, str) and isinstance(auths, dict))
        or not all(isinstance(name, str) for name in helpers.values())
        or not all(isinstance(entry, dict) for entry in auths.values())
    ):
        raise CredentialsUnusable(f"credHelpers, credsStore or auths in {place} has not the expected form", where=place)
    return AuthFile(place=place, helpers=helpers, store=store, auths=auths)


def match(keys: Mapping[str, Any], host: str, repository: str) -> str | None:
    """Return which key is for a repository of a host: the most precise, among equals the one written plainest."""
    by_form: dict[str, str] = {}
    for key in sorted(keys, key=len, reverse=True):
        by_form[_form(key)] = key
    return next((by_form[form] for form in _forms(host, repository) if form in by_form), None)


def _forms(host: str, repository: str) -> Iterator[str]:
    """Give what a key may be, after :func:`_form`: the repository, folders above it, the host, its other names."""
    hosts = [host, *sorted(HUB_ALIASES - {host})] if host in HUB_ALIASES else [host]
    parts = repository.split("/") if repository else []
    for length in range(len(parts), -1, -1):
        for name in hosts:
            yield "/".join([name.lower(), *parts[:length]])


def _form(key: str) -> str:
    """Return a key without what does not matter: ``https://index.docker.io/v1/`` is ``index.docker.io``."""
    _, scheme, rest = key.partition("://")
    host, _, path = (rest if scheme else key).strip("/").partition("/")
    is_version = path.partition("/")[0] in {"v1", "v2"}
    return host.lower() if scheme or not path or is_version else f"{host.lower()}/{path}"


def _credential(entry: Mapping[str, Any], place: str) -> Credential | None:
    fields = {
        name: entry.get(name) or "" for name in ("auth", "username", "password", "identitytoken", "registrytoken")
    }
    if not all(isinstance(value, str) for value in fields.values()):
        raise CredentialsUnusable(f"{place} has a field that is no text", where=place)
    if fields["registrytoken"]:
        return Credential(registry_token=fields["registrytoken"])
    username, password = fields["username"], fields["password"]
    if fields["auth"]:
        username, password = _pair(fields["auth"], place)
    if fields["identitytoken"]:
        return Credential(identity_token=fields["identitytoken"], username=username)
    return Credential(username=username, password=password) if username or password else None


def _pair(text: str, place: str) -> tuple[str, str]:
    try:
        decoded = base64.b64decode(text.strip() + "=" * (-len(text.strip()) % 4), validate=True).decode()
    except (binascii.Error, UnicodeDecodeError):
        decoded = ""
    username, colon, password = decoded.partition(":")
    if not colon:
        raise CredentialsUnusable(f"'auth' of {place} is not 'user:password' in Base64", where=place) from None
    return username, password.rstrip("\0")
