"""What a lock says, whatever tool wrote it."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import Literal

from bundler.model import Digest

Kind = Literal["uv", "pylock", "requirements", "poetry", "pdm", "resolved"]
"""Who wrote it; ``resolved``: nobody, the requirements were resolved now."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Registry:
    """An index of packages.

    Attributes:
        index: its address as the lock has it; empty where the lock does not say.
    """

    index: str = ""


@dataclass(frozen=True, slots=True, kw_only=True)
class Archive:
    """One file at an address or a path of its own, which may be a wheel or sources."""

    location: str


@dataclass(frozen=True, slots=True, kw_only=True)
class Folder:
    """Sources in a folder: a member of the workspace, a path dependency.

    Attributes:
        path: where it is.
        is_editable: whether it is used in place.
        is_package: False for a project that only has dependencies and is never installed.
    """

    path: Path
    is_editable: bool = False
    is_package: bool = True


@dataclass(frozen=True, slots=True, kw_only=True)
class Git:
    """Sources in a repository.

    Attributes:
        url: of the repository, without a login.
        commit: the 40 or 64 digits that the lock fixes.
        subdirectory: where in the repository; empty for its root.
    """

    url: str
    commit: str
    subdirectory: str = ""


Source = Registry | Archive | Folder | Git


@dataclass(frozen=True, slots=True, kw_only=True)
class LockedFile:
    """A file that a lock names.

    Attributes:
        filename: its last part.
        url: where it is; empty for a file on this machine. May hold a login: never show it.
        path: where it is on this machine; None for one at an address.
        sha256s: what its sha256 may be, as 64 digits each; empty when the lock does not say.
        size: in bytes; None when the lock does not say.
    """

    filename: str
    url: str = field(default="", repr=False)
    path: Path | None = None
    sha256s: frozenset[str] = frozenset()
    size: int | None = None


class WheelFile(LockedFile):
    """A wheel that a lock names."""

    __slots__ = ()


class SourceFile(LockedFile):
    """An archive of sources that a lock names."""

    __slots__ = ()


@dataclass(frozen=True, slots=True, kw_only=True)
class Dependency:
    """That something needs a distribution.

    Attributes:
        name: of the distribution, normalised.
        extras: of the distribution that are needed.
        marker: when it is needed, as the lock has it; empty for always.
        version: which of several versions in the lock; empty when there is one.
        source: which of several sources in the lock; None when there is one.
    """

    name: str
    extras: frozenset[str] = frozenset()
    marker: str = ""
    version: str = ""
    source: Source | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class Distribution:
    """A distribution in a lock.

    Attributes:
        name: normalised.
        version: empty for sources whose version is found when they are built.
        source: where it comes from.
        wheels: those that the lock names, for all platforms.
        sdist: its sources, when the lock names them.
        requires: what it always needs.
        extras: what each of its extras needs.
        groups: what each of its dependency groups needs.
    """

    name: str
    version: str = ""
    source: Source = field(default_factory=Registry)
    wheels: tuple[WheelFile, ...] = ()
    sdist: SourceFile | None = None
    requires: tuple[Dependency, ...] = ()
    extras: Mapping[str, tuple[Dependency, ...]] = field(default_factory=dict)
    groups: Mapping[str, tuple[Dependency, ...]] = field(default_factory=dict)

    def __str__(self) -> str:
        return f"{self.name} {self.version}".rstrip()


@dataclass(frozen=True, slots=True, kw_only=True)
class Lock:
    """A lock.

    Attributes:
        path: the file; for ``resolved``, the one that was resolved.
        kind: who wrote it.
        digest: of what was read; two locks with the same digest say the same.
        requires_python: which versions of Python it is for, a specifier; empty for any.
        project: the project's own entry, which need not be installed: its requirements are where the choice begins.
        distributions: all others.
        notes: what the user should be told, a sentence each.
    """

    path: Path
    kind: Kind
    digest: Digest
    project: Distribution
    distributions: tuple[Distribution, ...]
    requires_python: str = ""
    notes: tuple[str, ...] = ()
