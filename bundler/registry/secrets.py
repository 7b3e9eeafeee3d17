"""What must not be shown: secrets are struck out of everything that a registry or a program says."""

from __future__ import annotations

import base64
import re
from urllib.parse import quote, quote_plus

import httpx

_MAX_TEXT = 400
_CONTROL = re.compile(r"[\x00-\x08\x0b-\x1f\x7f-\x9f\u200b-\u200f\u2028-\u202e\u2066-\u2069]")


class Secrets:
    """All secrets that a client holds, in every form in which they are sent."""

    def __init__(self) -> None:
        self._values: set[str] = set()

    def add(self, secret: str, *, username: str | None = None) -> None:
        """Strike out a secret from now on; with a user name, also the two in the form of Basic."""
        if not secret:
            return
        self._values |= {secret, quote(secret, safe=""), quote_plus(secret), repr(secret)[1:-1]}
        self._values.add(base64.b64encode(secret.encode()).decode())
        if username is not None:
            self._values.add(base64.b64encode(f"{username}:{secret}".encode()).decode())

    def strike(self, text: str) -> str:
        """Return a text of somebody else as it may be shown: without secrets and control characters, not too long."""
        for value in sorted(self._values, key=len, reverse=True):
            text = text.replace(value, "***")
        text = _CONTROL.sub("", text)
        return text if len(text) <= _MAX_TEXT else f"{text[:_MAX_TEXT]}..."


def place(url: httpx.URL) -> str:
    """Return an address as it may be shown: queries carry signatures, and the part before the host a password."""
    return f"{url.scheme}://{url.netloc.decode('ascii', 'replace')}{url.path}"
