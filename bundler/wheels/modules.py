"""Which modules wheels bring, by the names that imports use."""

from __future__ import annotations

from typing import TYPE_CHECKING, Final

from bundler.layers.archive import Archive

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator, Mapping, Sequence

    from bundler.cache import Cache
    from bundler.model import Wheel

_KIND: Final = "modules-1"
_SUFFIXES: Final = (".py", ".so", ".pyd", ".pyc")
_SITE: Final = ("purelib", "platlib")
_DATA: Final = 2
"""Parts of ``NAME-VERSION.data/KEY/`` in front of a path."""


def modules_of(wheels: Sequence[Wheel], cache: Cache) -> Mapping[str, str]:
    """Return modules to the names of the distributions that have them.

    A package is named by its topmost folder with an ``__init__.py``: ``yaml``, and ``google.auth`` where ``google`` is
    a folder that several distributions fill.

    Args:
        wheels: those of the image.
        cache: remembers what each wheel has.

    Raises:
        WheelInvalid, WheelUnsafe, WheelTooLarge: one cannot be read.
    """
    found: dict[str, str] = {}
    for wheel in sorted(wheels, key=lambda each: each.name):
        for module in _modules(wheel, cache):
            found.setdefault(module, wheel.name)
    return found


def _modules(wheel: Wheel, cache: Cache) -> Sequence[str]:
    known = cache.recall(_KIND, wheel.sha256)
    if known is None:
        with Archive(wheel.path) as archive:
            names = sorted(set(_roots(list(_paths(member.name for member in archive.members)))))
        known = {"modules": names}
        cache.remember(_KIND, wheel.sha256, known)
    modules: Sequence[str] = known["modules"]
    return modules


def _paths(names: Iterable[str]) -> Iterator[tuple[str, ...]]:
    """Yield the files that can be imported, by their path from the folder of modules."""
    for name in names:
        parts = tuple(name.split("/"))
        if parts[0].endswith(".data"):
            if len(parts) <= _DATA or parts[1] not in _SITE:
                continue
            parts = parts[_DATA:]
        if parts[-1].endswith(_SUFFIXES) and all(part.isidentifier() for part in (*parts[:-1], _stem(parts[-1]))):
            yield parts


def _roots(paths: Sequence[tuple[str, ...]]) -> Iterator[str]:
    packages = {path[:-1] for path in paths if _stem(path[-1]) == "__init__"}
    for path in paths:
        depth = next((count for count in range(1, len(path)) if path[:count] in packages), 0)
        yield ".".join(path[:depth] if depth else (*path[:-1], _stem(path[-1])))


def _stem(filename: str) -> str:
    return filename.partition(".")[0]
