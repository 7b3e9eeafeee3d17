"""Which distributions of a lock one image needs."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field

from packaging.specifiers import InvalidSpecifier, SpecifierSet

from bundler.locks.errors import LockInvalid, LockStale
from bundler.locks.fields import normalised
from bundler.locks.markers import Environment
from bundler.locks.model import Dependency, Distribution, Folder, Lock
from bundler.model import Target

_PATCH_RELEASES = ("0", "99")


def select(
    lock: Lock, target: Target, groups: Iterable[str] = (), extras: Iterable[str] = ()
) -> tuple[Distribution, ...]:
    """Return what must be installed beside the project, by name.

    Projects of a workspace that only have dependencies are left out; what they need is there.

    Args:
        lock: the lock.
        target: what the image runs on.
        groups: dependency groups of the project that are wanted too.
        extras: extras of the project that are wanted too.

    Raises:
        LockStale: the lock does not know a group or an extra, or is for other Pythons.
        LockInvalid: it names something that is not in it, or two versions of one distribution at once.
    """
    where = str(lock.path)
    _check_python(lock, target)
    wanted = frozenset(normalised(name, where) for name in extras)
    chosen = frozenset(normalised(name, where) for name in groups)
    project = lock.project
    own_groups = _section(project.groups, chosen, "dependency group", where)
    own_extras = _section(project.extras, wanted, "extra", where)
    marks = {f"extra-{len(project.name)}-{project.name}-{name}" for name in wanted}
    marks |= {f"group-{len(project.name)}-{project.name}-{name}" for name in chosen}
    environment = Environment(target=target, extras=wanted, groups=chosen, conflicting=frozenset(marks))
    walk = _Walk(lock=lock, environment=environment)
    walk.follow((*project.requires, *own_groups, *own_extras))
    found = [entry for entry in walk.found.values() if _is_installed(entry)]
    _check_single(found, where)
    return tuple(sorted(found, key=lambda entry: entry.name))


def _is_installed(entry: Distribution) -> bool:
    return not isinstance(entry.source, Folder) or entry.source.is_package


def _check_python(lock: Lock, target: Target) -> None:
    try:
        wanted = SpecifierSet(lock.requires_python)
    except InvalidSpecifier:
        raise LockInvalid(f"'{lock.requires_python}' is no range of versions", where=str(lock.path)) from None
    python = f"{target.python[0]}.{target.python[1]}"
    if not any(wanted.contains(f"{python}.{patch}") for patch in _PATCH_RELEASES):
        raise LockStale(
            f"the lock is for Python {lock.requires_python}, and the image has {python}",
            hint="Choose a base image with such a Python, or change requires-python and lock again.",
            where=str(lock.path),
        )


def _section(
    sections: Mapping[str, tuple[Dependency, ...]], names: frozenset[str], what: str, where: str
) -> tuple[Dependency, ...]:
    known = {normalised(name, where): requires for name, requires in sections.items()}
    missing = sorted(names - known.keys())
    if missing:
        listed = ", ".join(f"'{name}'" for name in sorted(known)) or "none"
        raise LockStale(f"the lock has no {what} '{missing[0]}'; it has {listed}", where=where)
    return tuple(dependency for name in sorted(names) for dependency in known[name])


def _check_single(found: list[Distribution], where: str) -> None:
    seen: dict[str, Distribution] = {}
    for entry in found:
        other = seen.setdefault(entry.name, entry)
        if other is not entry:
            both = " and ".join(sorted(str(one) for one in (other, entry)))
            raise LockInvalid(f"the lock wants {both} at the same time", where=where)


@dataclass(slots=True, kw_only=True)
class _Walk:
    """Follows what needs what, each distribution once and each of its extras once."""

    lock: Lock
    environment: Environment
    found: dict[int, Distribution] = field(default_factory=dict)
    _by_name: dict[str, list[Distribution]] = field(default_factory=dict)
    _done: set[tuple[int, str]] = field(default_factory=set)

    def __post_init__(self) -> None:
        for entry in (self.lock.project, *self.lock.distributions):
            self._by_name.setdefault(entry.name, []).append(entry)

    def follow(self, dependencies: Iterable[Dependency]) -> None:
        """Add what is needed, and what that needs."""
        left = list(dependencies)
        while left:
            dependency = left.pop()
            if not self.environment.fulfils(dependency.marker, str(self.lock.path)):
                continue
            entry = self._entry(dependency)
            if entry is not self.lock.project:
                self.found[id(entry)] = entry
                left += self._once(entry, "", entry.requires)
            for extra in sorted(dependency.extras):
                # An extra that a distribution does not have is a warning of every installer, no error.
                left += self._once(entry, extra, entry.extras.get(extra, ()))

    def _once(self, entry: Distribution, part: str, requires: tuple[Dependency, ...]) -> tuple[Dependency, ...]:
        key = (id(entry), part)
        if key in self._done:
            return ()
        self._done.add(key)
        return requires

    def _entry(self, dependency: Dependency) -> Distribution:
        found = [
            entry
            for entry in self._by_name.get(dependency.name, ())
            if (not dependency.version or entry.version == dependency.version)
            and (dependency.source is None or entry.source == dependency.source)
        ]
        if len(found) != 1:
            named = f"{dependency.name} {dependency.version}".rstrip()
            what = "is not in it" if not found else "is in it more than once"
            raise LockInvalid(f"the lock needs {named}, which {what}", where=str(self.lock.path))
        return found[0]
