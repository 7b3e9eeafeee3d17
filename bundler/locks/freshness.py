"""Whether a lock knows what its project requires today: the requirements may have been edited since it was made."""

from __future__ import annotations

import tomllib
from typing import TYPE_CHECKING, Any

from packaging.requirements import InvalidRequirement, Requirement
from packaging.utils import canonicalize_name
from packaging.version import InvalidVersion

from bundler.locks.errors import LockStale
from bundler.locks.model import Registry

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator, Mapping
    from pathlib import Path

    from bundler.locks.model import Distribution


def require_fresh(lock: Path, project: Path, known: Iterable[str], distributions: Iterable[Distribution]) -> None:
    """See that everything that a project requires is in its lock, in a version that it takes.

    Texts of the lock and the project are not compared: a tool may write them otherwise.

    Args:
        lock: the lock, for messages.
        project: the folder of the project.
        known: normalised names of what the project required when it was locked.
        distributions: what the lock has.

    Raises:
        LockStale: naming the first requirement that it does not know.
    """
    names = set(known)
    versions: dict[str, list[str]] = {}
    for entry in distributions:
        if isinstance(entry.source, Registry):
            versions.setdefault(entry.name, []).append(entry.version)
    for requirement in _required(project / "pyproject.toml"):
        name = canonicalize_name(requirement.name)
        if name not in names:
            raise _stale(lock, f"the project requires '{requirement}', and {lock.name} does not have it")
        locked = versions.get(name, [])
        if locked and requirement.url is None and not any(_fits(version, requirement) for version in locked):
            listed = " and ".join(locked)
            raise _stale(lock, f"the project requires '{requirement}', and {lock.name} has {listed}")


def _stale(lock: Path, message: str) -> LockStale:
    return LockStale(message, hint="It was made for other requirements: run `uv lock`.", where=str(lock))


def _fits(version: str, requirement: Requirement) -> bool:
    try:
        return requirement.specifier.contains(version, prereleases=True)
    except InvalidVersion:
        return True  # whoever chooses the wheel says what is wrong with it


def _required(pyproject: Path) -> Iterator[Requirement]:
    """Yield what a project requires, extras included; nothing of what cannot be read: others say what is wrong."""
    try:
        table = tomllib.loads(pyproject.read_text(encoding="utf-8")).get("project")
    except (OSError, ValueError):
        return
    if not isinstance(table, dict):
        return
    for text in _texts(table):
        try:
            yield Requirement(text)
        except InvalidRequirement:
            continue


def _texts(project: Mapping[str, Any]) -> Iterator[str]:
    extras = project.get("optional-dependencies")
    lists = [project.get("dependencies"), *(extras.values() if isinstance(extras, dict) else ())]
    for listed in lists:
        if isinstance(listed, list):
            yield from (text for text in listed if isinstance(text, str))
