"""Names of repositories, tags and digests, as the distribution protocol has them; everything else is refused."""

from __future__ import annotations

import hashlib
import re
from typing import Final

from executor.registry.errors import DigestInvalid, NameInvalid

MAX_REPOSITORY: Final = 200
"""Characters; a repository is one folder, and host and name together must stay under 255."""

_COMPONENT = r"[a-z0-9]+(?:(?:\.|_|__|-+)[a-z0-9]+)*"
_REPOSITORY = re.compile(rf"{_COMPONENT}(?:/{_COMPONENT})*")
_TAG = re.compile(r"[A-Za-z0-9_][A-Za-z0-9._-]{0,127}")
_HEX: Final = {"sha256": re.compile(r"[0-9a-f]{64}"), "sha512": re.compile(r"[0-9a-f]{128}")}
_SHOWN: Final = 100


def check_repository(text: str) -> str:
    """Return the name of a repository; NameInvalid when it is none."""
    if len(text) > MAX_REPOSITORY or not _REPOSITORY.fullmatch(text):
        raise NameInvalid(f"'{text[:_SHOWN]}' is no name of a repository")
    return text


def is_repository(text: str) -> bool:
    """Tell whether a text is the name of a repository."""
    return len(text) <= MAX_REPOSITORY and _REPOSITORY.fullmatch(text) is not None


def is_tag(text: str) -> bool:
    """Tell whether a text is a tag."""
    return _TAG.fullmatch(text) is not None


def is_digest(text: str) -> bool:
    """Tell whether a text is a digest of an algorithm that is known here."""
    algorithm, _, encoded = text.partition(":")
    return algorithm in _HEX and _HEX[algorithm].fullmatch(encoded) is not None


def check_digest(text: str) -> str:
    """Return a digest; DigestInvalid when it is none."""
    if not is_digest(text):
        raise DigestInvalid(f"'{text[:_SHOWN]}' is no digest")
    return text


def check_algorithm(text: str) -> str:
    """Return the name of an algorithm for digests; DigestInvalid when it is not known here."""
    if text not in _HEX:
        raise DigestInvalid(f"'{text[:_SHOWN]}' is no algorithm for digests that is known here")
    return text


def algorithm_of(digest: str) -> str:
    """Return a digest's algorithm, ``sha256`` or ``sha512``."""
    return digest.partition(":")[0]


def digest_of(content: bytes, algorithm: str = "sha256") -> str:
    """Return the digest of some bytes."""
    return f"{algorithm}:{hashlib.new(algorithm, content).hexdigest()}"
