"""Logins of package indexes: in the addresses that uv and pip are given, and in netrc."""

from __future__ import annotations

import base64
import netrc
from collections.abc import Iterable, Mapping
from pathlib import Path
from typing import Final

import httpx

from bundler.registry.connection import same_origin
from bundler.registry.secrets import Secrets

_VARIABLES: Final = (
    "UV_DEFAULT_INDEX", "UV_INDEX", "UV_INDEX_URL", "UV_EXTRA_INDEX_URL", "PIP_INDEX_URL", "PIP_EXTRA_INDEX_URL",
)  # fmt: skip


class Logins:
    """What is known of logins. None is ever shown: what is sent is struck out of every message.

    A login goes to the server that it is for (scheme, host and port) and to no other.

    Args:
        environ: variables with the addresses of indexes, and where netrc is.
        home: for ``.netrc``.
        indexes: further addresses with a login, from the project's configuration.
    """

    def __init__(self, *, environ: Mapping[str, str], home: Path | None = None, indexes: Iterable[str] = ()) -> None:
        self.secrets = Secrets()
        addresses = [*indexes, *(word for name in _VARIABLES for word in environ.get(name, "").split())]
        # uv lets an index be named: `internal=https://…`.
        parsed = [_parsed(word if word.startswith("http") else word.partition("=")[2]) for word in addresses]
        self._addresses = [url for url in parsed if url is not None and url.userinfo]
        for url in self._addresses:
            self.secrets.add(url.password, username=url.username)
        file = environ.get("NETRC") or (str(home / ".netrc") if home else "")
        self._netrc = _read_netrc(Path(file)) if file else None

    def authorization(self, url: httpx.URL) -> str:
        """Return the header ``Authorization`` for an address; empty when no login is known."""
        username, password = self._login(url)
        if not username and not password:
            return ""
        self.secrets.add(password, username=username)
        return f"Basic {base64.b64encode(f'{username}:{password}'.encode()).decode()}"

    def _login(self, url: httpx.URL) -> tuple[str, str]:
        if url.userinfo:
            return url.username, url.password
        for known in self._addresses:
            if same_origin(known, url):
                return known.username, known.password
        found = self._netrc.hosts.get(url.host) if self._netrc is not None and url.scheme == "https" else None
        return (found[0], found[2]) if found is not None else ("", "")


def without_login(url: httpx.URL) -> httpx.URL:
    """Return an address without the login in it."""
    return url.copy_with(userinfo=b"") if url.userinfo else url


def _parsed(text: str) -> httpx.URL | None:
    try:
        return httpx.URL(text) if text else None
    except httpx.InvalidURL:
        return None


def _read_netrc(path: Path) -> netrc.netrc | None:
    try:
        return netrc.netrc(path)
    except (OSError, netrc.NetrcParseError, UnicodeDecodeError):
        return None
