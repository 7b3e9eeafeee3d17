"""Names of environments: ``dev``, ``staging``, ``prod`` and ``preview/<branch>``."""

from __future__ import annotations

import hashlib
import re
from typing import Final

from executor.access.errors import EnvironmentInvalid

FIXED: Final = ("dev", "staging", "prod")
"""The environments that every server has."""

PREVIEW: Final = "preview/"

_BRANCH: Final = re.compile(r"[A-Za-z0-9_][A-Za-z0-9_.#+-]*(?:/[A-Za-z0-9_][A-Za-z0-9_.#+-]*)*", re.ASCII)
_LONGEST: Final = 128
_SLUG_LENGTH: Final = 24


def check_environment(name: str, where: str = "environment") -> str:
    """Return the name. Raises EnvironmentInvalid when no environment can be called so."""
    branch = name.removeprefix(PREVIEW)
    if name in FIXED:
        return name
    if name.startswith(PREVIEW) and len(name) <= _LONGEST and _BRANCH.fullmatch(branch):
        return name
    raise EnvironmentInvalid(f"no environment can be called '{name[:_LONGEST]}'", where=where)


def label_of(name: str) -> str:
    """Return the word for an environment in a key's prefix: ``prod``, ``preview``; ``server`` for all (empty)."""
    return name.partition("/")[0] if name else "server"


def slug_of(name: str) -> str:
    """Return a word for the environment's files and schemas: lower case, digits, underscores; one for each name."""
    if name in FIXED:
        return name
    plain = re.sub(r"[^a-z0-9]+", "_", name.removeprefix(PREVIEW).lower()).strip("_")[:_SLUG_LENGTH]
    return f"preview_{plain}_{hashlib.sha256(name.encode()).hexdigest()[:10]}"
