"""Spelling of names in the catalogue's data: braces, relative names."""

from __future__ import annotations

import re
from typing import TYPE_CHECKING, Final

if TYPE_CHECKING:
    from collections.abc import Iterator

_BRACES: Final = re.compile(r"\{([^{}]*)\}")


def expand(text: str) -> Iterator[str]:
    """Yield the names that a spelling with braces stands for: ``os.{getpid,getppid}`` is two."""
    found = _BRACES.search(text)
    if found is None:
        yield text
        return
    for choice in found.group(1).split(","):
        yield from expand(text[: found.start()] + choice.strip() + text[found.end() :])


def absolute(name: str, owner: str) -> str:
    """Return a type's name, which is relative to ``owner`` when it begins with a dot."""
    return f"{owner}{name}" if name.startswith(".") else name


def prefixes(name: str) -> Iterator[str]:
    """Yield the proper dotted prefixes of a name, the longest first."""
    end = name.rfind(".")
    while end > 0:
        yield name[:end]
        end = name.rfind(".", 0, end)
