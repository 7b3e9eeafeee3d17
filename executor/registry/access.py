"""Who may do what: the port through which the executor's API keys decide, and the keys as clients show them."""

from __future__ import annotations

import base64
import binascii
from dataclasses import dataclass, field
from typing import Literal, Protocol

Action = Literal["pull", "push", "delete"]
"""What a request wants: to read, to add (to read too, where it pushes), to remove."""

Verdict = Literal["granted", "unknown", "denied"]
"""Go on; no or a wrong key (401, and the client asks for one); a good key that may not do this (403)."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Credential:
    """What a client showed.

    Attributes:
        scheme: ``basic``, as engines send it after `docker login`, or ``bearer``.
        username: of ``basic``; engines want one, and any is good. Empty for ``bearer``.
        secret: the password, or the token: an API key.
    """

    scheme: Literal["basic", "bearer"]
    username: str = ""
    secret: str = field(repr=False)


class Authority(Protocol):
    """Decides who may do what."""

    async def judge(self, credential: Credential | None, repository: str, action: Action) -> Verdict:
        """Return the verdict for one request.

        It is asked for each request, before anything is looked at, so that an answer does not tell what there is.

        Args:
            credential: what the client showed; None for nothing, or something malformed.
            repository: ``prod/app``; empty when the client only asks whether its key is known (`docker login`).
            action: what it wants.
        """
        ...


def read_credential(header: bytes | None) -> Credential | None:
    """Read a header ``Authorization``; None when there is none, or it is malformed or of another scheme."""
    if header is None:
        return None
    scheme, _, value = header.strip().partition(b" ")
    value = value.strip()
    if scheme.lower() == b"bearer" and value:
        return Credential(scheme="bearer", secret=value.decode("latin-1"))
    if scheme.lower() == b"basic":
        try:
            username, colon, secret = base64.b64decode(value, validate=True).decode().partition(":")
        except (binascii.Error, UnicodeDecodeError):
            return None
        if colon and secret:
            return Credential(scheme="basic", username=username, secret=secret)
    return None
