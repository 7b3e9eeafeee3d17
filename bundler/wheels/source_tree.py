"""What a wheel built of a folder depends on, where that is known: then it is built again only when that has changed."""

from __future__ import annotations

import hashlib
import re
import stat
import tomllib
from typing import TYPE_CHECKING, Any, Final

from bundler.files.never import is_never_folder
from bundler.files.walk import walk

if TYPE_CHECKING:
    from pathlib import Path

    from bundler.files.walk import Found

_BACKENDS: Final = {
    "flit_core.buildapi": "flit-core",
    "hatchling.build": "hatchling",
    "pdm.backend": "pdm-backend",
    "poetry.core.masonry.api": "poetry-core",
    "setuptools.build_meta": "setuptools",
    "uv_build": "uv-build",
}
"""Backends that take nothing but what is in the folder, unless they are told to."""

_NAME: Final = re.compile(r"[A-Za-z0-9._-]+")
_ELSEWHERE: Final = re.compile(r"\.\./|hooks|build-script|\bscm\b|\bvcs\b|\bsource\s*=|script\s*=", re.IGNORECASE)
"""In a configuration: files outside the folder, programs of the user's, a version out of a repository or a variable."""

_MOST_FILES: Final = 20_000
_MOST_BYTES: Final = 1 << 28


def digest_of_tree(folder: Path) -> str:
    """Return the digest of the sources in a folder; empty where a build may depend on more than they."""
    if not _is_plain(folder):
        return ""
    found = hashlib.sha256()
    files, size = 0, 0
    outside: list[str] = []

    def enters(each: Found) -> bool:
        if each.outside:
            outside.append(each.place)
        return not each.outside and not is_never_folder(each.place.rpartition("/")[2], each.path)

    try:
        for each in walk(folder, enters=enters):
            files, size = files + 1, size + each.size
            is_file = stat.S_ISREG(each.mode) and not each.outside and not each.error
            if files > _MOST_FILES or size > _MOST_BYTES or outside or not is_file:
                return ""
            content = each.path.read_bytes()
            for part in (each.place.encode(), b"x" if each.mode & stat.S_IXUSR else b"", content):
                found.update(len(part).to_bytes(8) + part)
    except (OSError, UnicodeEncodeError):
        return ""
    return "" if outside else found.hexdigest()


def _is_plain(folder: Path) -> bool:
    """Tell whether a project is built by a backend that is known, and is told of nothing outside the folder."""
    try:
        text = (folder / "pyproject.toml").read_text(encoding="utf-8")
        system: Any = tomllib.loads(text).get("build-system")
    except (OSError, ValueError, RecursionError):
        return False
    if not isinstance(system, dict) or "backend-path" in system or (folder / "setup.py").exists():
        return False
    requires = system.get("requires")
    names = {
        found[0].replace("_", "-").lower()
        for line in (requires if isinstance(requires, list) else [])
        if isinstance(line, str) and (found := _NAME.match(line.strip()))
    }
    backend = _BACKENDS.get(str(system.get("build-backend", "")))
    return backend is not None and names <= {backend, "wheel"} and _ELSEWHERE.search(text) is None
