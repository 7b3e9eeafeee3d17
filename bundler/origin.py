"""Where a project's code comes from, for the labels of its image: what others with the same tree find too."""

from __future__ import annotations

import subprocess
import tomllib
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Any, Final

if TYPE_CHECKING:
    from collections.abc import Mapping

_SECONDS: Final = 10.0
_SOURCE_KEYS: Final = ("source", "sourcecode", "repository", "code", "github", "gitlab")
"""What projects call the address of their sources in ``[project.urls]``; the first that is there counts."""

_MOST: Final = 2_000
"""Characters of a label."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Origin:
    """Where the code comes from; empty where that is not known.

    Attributes:
        revision: the commit, with ``-dirty`` behind it when files differ from it.
        source: address of the sources, as the project itself states it. That of git's remote would not do: it differs
            between people who cloned by other ways, and with it the digest of the image.
        version: of the project.
    """

    revision: str = ""
    source: str = ""
    version: str = ""


def origin_of(root: Path, environ: Mapping[str, str]) -> Origin:
    """Return where the code in a folder comes from.

    Args:
        root: of the project.
        environ: variables that git is run with.
    """
    project = _metadata(root / "pyproject.toml")
    version = project.get("version")
    return Origin(
        revision=_revision(root, environ), source=_source(project), version=version if isinstance(version, str) else ""
    )


def _metadata(path: Path) -> Mapping[str, Any]:
    try:
        project = tomllib.loads(path.read_text(encoding="utf-8")).get("project")
    except (OSError, ValueError):
        return {}  # whoever needs the file to be right says so
    return project if isinstance(project, dict) else {}


def _source(project: Mapping[str, Any]) -> str:
    urls = project.get("urls")
    if not isinstance(urls, dict):
        return ""
    known = {"".join(filter(str.isalnum, name.lower())): url for name, url in urls.items() if isinstance(url, str)}
    found = next((known[key] for key in _SOURCE_KEYS if key in known), "")
    return found if found.isprintable() and len(found) <= _MOST else ""


def _revision(root: Path, environ: Mapping[str, str]) -> str:
    """Return the commit of the tree that a folder is in; empty without git."""
    command = ["git", "-c", "core.fsmonitor=false", "status", "--porcelain=v2", "--branch", "--", "."]
    try:
        done = subprocess.run(
            command, cwd=root, env={**environ, "GIT_OPTIONAL_LOCKS": "0", "LC_ALL": "C"}, capture_output=True,
            check=False, timeout=_SECONDS, stdin=subprocess.DEVNULL,
        )  # fmt: skip
    except (OSError, subprocess.TimeoutExpired):
        return ""
    if done.returncode:
        return ""
    lines = done.stdout.decode(errors="replace").splitlines()
    commit = next((line.removeprefix("# branch.oid ") for line in lines if line.startswith("# branch.oid ")), "")
    if not commit or not commit.isalnum():  # "(initial)": nothing is committed yet
        return ""
    is_dirty = any(not line.startswith("#") for line in lines)
    return f"{commit}-dirty" if is_dirty else commit
