"""API keys: ``tr_prod_`` and 49 letters and digits.

The first 43 characters are 32 random bytes, the last 6 a CRC-32 of all before them, so that secret scanners tell a key
from noise, and one with a typing error is refused unseen. A key is named by its beginning (``tr_prod_Ab3dE9xQ``), which
is kept in the clear: 48 of the 256 random bits. Of the whole, only the SHA-256 is kept, which is right for random keys:
there is nothing to guess, so a slow hash would protect nothing.
"""

from __future__ import annotations

import hashlib
import hmac
import re
import secrets
import zlib
from collections.abc import Callable
from dataclasses import dataclass
from typing import Final

from executor.access.environments import label_of
from executor.api.scopes import GRANTS, Purpose, ScopeName

PATTERN: Final = re.compile(r"\btr_(?:dev|staging|prod|preview|server)_[0-9A-Za-z]{49}\b", re.ASCII)
"""Finds keys in a text; what a secret scanner is given."""

_DIGITS: Final = "0123456789ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz"
_SECRET: Final = 43
_TAIL: Final = 6
_NAMED: Final = 8
RANDOM_BYTES: Final = 32


@dataclass(frozen=True, slots=True, kw_only=True)
class Key:
    """A key as it is kept.

    Attributes:
        id: its beginning, by which it is named.
        digest: SHA-256 of the whole.
        environment: the only one it works in; empty for all.
        purpose: what it is made for.
        note: what its maker wrote.
        created_at, created_by: when, and by which key; empty for the server itself.
        used_at: when it was last used, to the hour; None before.
        revoked_at: when it was revoked, or None.
    """

    id: str
    digest: bytes
    environment: str
    purpose: Purpose
    note: str
    created_at: float
    created_by: str
    used_at: float | None = None
    revoked_at: float | None = None

    @property
    def scopes(self) -> frozenset[ScopeName]:
        """What it may do."""
        return GRANTS[self.purpose]

    def matches(self, text: str) -> bool:
        """Tell whether a text is this key, in a time that does not depend on how much of it fits."""
        return hmac.compare_digest(digest_of(text), self.digest)


def make_key(environment: str, random_bytes: Callable[[int], bytes]) -> str:
    """Return a new key for an environment, or for all when it is empty."""
    secret = _in_base_62(int.from_bytes(random_bytes(RANDOM_BYTES), "big"), _SECRET)
    body = f"tr_{label_of(environment)}_{secret}"
    return body + _tail_of(body)


def new_key(environment: str, purpose: Purpose, *, at: float, note: str = "", by: str = "") -> tuple[str, Key]:
    """Return a new key's text, which is to be kept nowhere, and what is kept.

    Args:
        environment: the only one it works in; empty for all.
        purpose: what it is for.
        at: seconds since the epoch.
        note: what its maker writes.
        by: id of the key of its maker; empty for the server.
    """
    text = make_key(environment, secrets.token_bytes)
    key = Key(
        id=id_of(text), digest=digest_of(text), environment=environment, purpose=purpose, note=note, created_at=at,
        created_by=by,
    )  # fmt: skip
    return text, key


def is_well_formed(text: str) -> bool:
    """Tell whether a text can be a key: its form and its tail fit."""
    return PATTERN.fullmatch(text) is not None and text[-_TAIL:] == _tail_of(text[:-_TAIL])


def id_of(text: str) -> str:
    """Return by what a well-formed key is named: ``tr_prod_Ab3dE9xQ``."""
    return text[: text.rindex("_") + 1 + _NAMED]


def digest_of(text: str) -> bytes:
    """Return what is kept of a key."""
    return hashlib.sha256(text.encode()).digest()


def mask_keys(text: str) -> str:
    """Return a text in which keys are cut to what they are named by."""
    return PATTERN.sub(lambda found: f"{id_of(found[0])}***", text)


def _tail_of(body: str) -> str:
    return _in_base_62(zlib.crc32(body.encode()), _TAIL)


def _in_base_62(number: int, width: int) -> str:
    digits = []
    while number:
        number, digit = divmod(number, 62)
        digits.append(_DIGITS[digit])
    return "".join(reversed(digits)).rjust(width, "0")
