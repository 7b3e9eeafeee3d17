"""Which wheel of a distribution fits a target best, and what to do where none does."""

from __future__ import annotations

import platform
import sys
from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from functools import lru_cache
from typing import Final

from packaging.tags import Tag, compatible_tags, cpython_tags
from packaging.utils import BuildTag, InvalidWheelFilename, parse_wheel_filename
from packaging.version import InvalidVersion, Version

from bundler.locks.errors import LockInvalid, WheelMissing
from bundler.locks.markers import MACHINES
from bundler.locks.model import Distribution, Folder, Registry, WheelFile
from bundler.model import Architecture, Platform, Target

_OLDEST_GLIBC: Final[Mapping[Architecture, int]] = {"amd64": 5, "arm64": 17}
"""Minor version of glibc 2 from which on there are manylinux tags."""
_LEGACY: Final = {17: "manylinux2014", 12: "manylinux2010", 5: "manylinux1"}
_ARCHITECTURES: Final[Mapping[str, Architecture]] = {
    "x86_64": "amd64", "amd64": "amd64", "aarch64": "arm64", "arm64": "arm64",
}  # fmt: skip
_MAX_SHOWN: Final = 6


@dataclass(frozen=True, slots=True, kw_only=True)
class Plan:
    """Where the wheels of an image come from.

    Attributes:
        wheels: each distribution that has a wheel for the target, with the one that fits best.
        builds: the distributions whose wheel must be built from sources.
    """

    wheels: tuple[tuple[Distribution, WheelFile], ...]
    builds: tuple[Distribution, ...]


def plan_wheels(distributions: Iterable[Distribution], target: Target, own: Target | None) -> Plan:
    """Choose a wheel for each distribution, or its sources.

    Args:
        distributions: what the image needs.
        target: what it runs on.
        own: what this machine could build for, from :func:`own_target`.

    Raises:
        WheelMissing: distributions have no wheel for the target and none can be built here; names them all.
        LockInvalid: a wheel that the lock names is not one of its distribution.
    """
    wheels: list[tuple[Distribution, WheelFile]] = []
    builds: list[Distribution] = []
    refused: list[str] = []
    for entry in distributions:
        wheel = best_wheel(entry, target)
        if wheel is not None:
            wheels.append((entry, wheel))
        elif reason := _why_not_built(entry, target, own):
            refused.append(f"{entry}: {reason}")
        else:
            builds.append(entry)
    if refused:
        raise _missing(refused, target, own)
    return Plan(wheels=tuple(wheels), builds=tuple(builds))


def best_wheel(distribution: Distribution, target: Target) -> WheelFile | None:
    """Return the wheel that an installer on the target would take; None when none fits.

    Raises:
        LockInvalid: a wheel that the lock names is not one of the distribution.
    """
    ranks = _ranks(target)
    best: tuple[int, BuildTag, str] | None = None
    found: WheelFile | None = None
    parts = _parts(target)
    for wheel in distribution.wheels:
        if not _may_fit(wheel.filename, parts):
            continue
        build, tags = _parsed(wheel, distribution)
        rank = min((ranks[tag] for tag in tags if tag in ranks), default=None)
        if rank is None:
            continue
        # The first tag that fits, then the highest build number; the name only makes it the same every time.
        order = (-rank, build, wheel.filename)
        if best is None or order > best:
            best, found = order, wheel
    return found


@lru_cache(maxsize=64)
def tags_of(target: Target) -> tuple[Tag, ...]:
    """Return the tags that a target accepts, best first: its own ABI, abi3, then what is not tied to one."""
    python = target.python
    interpreter = f"cp{python[0]}{python[1]}"
    platforms = platforms_of(target)
    specific = cpython_tags(python, abis=[interpreter], platforms=platforms)
    general = compatible_tags(python, interpreter=interpreter, platforms=platforms)
    return (*specific, *general)


def platforms_of(target: Target) -> tuple[str, ...]:
    """Return the platform tags that a target accepts, best first, as installers order them."""
    architecture = target.platform.architecture
    machine = MACHINES[architecture]
    major, minor = target.glibc
    found = [f"linux_{machine}"]
    if major == 2:  # noqa: PLR2004 - glibc 2 is the only one that there are tags for
        for version in range(minor, _OLDEST_GLIBC[architecture] - 1, -1):
            found.append(f"manylinux_2_{version}_{machine}")
            if version in _LEGACY:
                found.append(f"{_LEGACY[version]}_{machine}")
    return tuple(found)


def own_target(python: tuple[int, int] | None = None) -> Target | None:
    """Return what this machine can build wheels for; None where images cannot run either.

    Args:
        python: version of the interpreter that builds; None for this one.
    """
    architecture = _ARCHITECTURES.get(platform.machine().lower())
    libc, version = platform.libc_ver()
    if sys.platform != "linux" or architecture is None or libc != "glibc":
        return None
    major, _, minor = version.partition(".")
    return Target(
        python=python or sys.version_info[:2],
        platform=Platform(architecture=architecture),
        glibc=(int(major), int(minor.partition(".")[0] or 0)),
    )


@lru_cache(maxsize=64)
def _ranks(target: Target) -> Mapping[Tag, int]:
    ranks: dict[Tag, int] = {}
    for rank, tag in enumerate(tags_of(target)):
        ranks.setdefault(tag, rank)
    return ranks


@lru_cache(maxsize=64)
def _parts(target: Target) -> tuple[frozenset[str], ...]:
    """Return which interpreters, ABIs and platforms are in the tags of a target."""
    tags = tags_of(target)
    return (
        frozenset(tag.interpreter for tag in tags),
        frozenset(tag.abi for tag in tags),
        frozenset(tag.platform for tag in tags),
    )


def _may_fit(filename: str, parts: tuple[frozenset[str], ...]) -> bool:
    """Tell whether it is worth while to read a wheel's name: locks list those for all platforms, and most fit none."""
    named = filename.lower().removesuffix(".whl").split("-")[-len(parts) :]
    return len(named) < len(parts) or all(
        not known.isdisjoint(text.split(".")) for text, known in zip(named, parts, strict=True)
    )


def _parsed(wheel: WheelFile, distribution: Distribution) -> tuple[BuildTag, frozenset[Tag]]:
    try:
        name, version, build, tags = parse_wheel_filename(wheel.filename)
        is_same = not distribution.version or version == Version(distribution.version)
    except (InvalidWheelFilename, InvalidVersion) as error:
        raise LockInvalid(f"the lock names '{wheel.filename}', which is no wheel: {error}") from None
    if name != distribution.name or not is_same:
        raise LockInvalid(f"the lock names '{wheel.filename}' as a wheel of {distribution}")
    return build, tags


def _why_not_built(entry: Distribution, target: Target, own: Target | None) -> str:
    """Return why a wheel cannot be built; empty when it can."""
    has_sources = entry.sdist is not None or not isinstance(entry.source, Registry)
    fits = ", ".join(sorted({_fit(wheel) for wheel in entry.wheels})[:_MAX_SHOWN])
    if not has_sources:
        return f"no sources, and wheels only for {fits}" if fits else "neither wheels nor sources are in the lock"
    if isinstance(entry.source, Folder) or _can_build(target, own):
        return ""
    return f"sources, and wheels only for {fits}" if fits else "only sources"


def _can_build(target: Target, own: Target | None) -> bool:
    """Tell whether a wheel built here may run on the target; that it needs a newer glibc is seen afterwards."""
    return own is not None and own.python == target.python and own.platform.architecture == target.platform.architecture


def _fit(wheel: WheelFile) -> str:
    return "-".join(wheel.filename.removesuffix(".whl").rsplit("-", 3)[1:])


def _missing(refused: list[str], target: Target, own: Target | None) -> WheelMissing:
    python = f"Python {target.python[0]}.{target.python[1]}"
    what = f"{python} on {target.platform} with glibc {target.glibc[0]}.{target.glibc[1]}"
    here = "nothing can be built on this system"
    if own is not None:
        here = f"here wheels can be built for Python {own.python[0]}.{own.python[1]} on {own.platform}"
    names = [line.partition(":")[0] for line in refused]
    first = names[0] if len(names) == 1 else f"{names[0]} and {len(names) - 1} more"
    verb = "has" if len(names) == 1 else "have"
    return WheelMissing(
        f"{first} {verb} no wheel for {what}, and {here}",
        detail="\n".join(refused),
        hint="Lock versions that have such a wheel, build on a machine of that kind, or leave the platform out.",
    )
