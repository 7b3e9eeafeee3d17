"""Where rules are explained. The documentation has no public home yet, so addresses are paths in the repository."""

from __future__ import annotations

from typing import Final
from urllib.parse import urlsplit

PAGE: Final = "docs/reference/rules.md"
"""The page of all rules: relative to the repository, or absolute once it is published."""


def address_of(code: str, page: str = PAGE) -> str:
    """Return the address of a rule's explanation."""
    return f"{page}#{code.lower()}"


def is_absolute(address: str) -> bool:
    """Tell whether an address leads somewhere by itself: what SARIF and editors make links of."""
    parts = urlsplit(address)
    return bool(parts.scheme and parts.netloc)
