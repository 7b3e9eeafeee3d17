"""Which modules of the project a module's text imports, anywhere in it."""

from __future__ import annotations

from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Iterable

    from analyzer.resolve.modules import ModuleTable, SourceModule


def imported_by(source: SourceModule, modules: ModuleTable) -> Iterable[SourceModule]:
    """Give the project's modules that a module imports, packages above them included; some more than once."""
    for module, level, names in source.facts.imports:
        base = origin_of(source, module, level)
        wanted = [base, *(f"{base}.{name}" if base else name for name in names if name != "*")]
        for name in (*wanted, *_parents(base)):
            found = modules.find(name) if name else None
            if found is not None:
                yield found


def origin_of(source: SourceModule, module: str, level: int) -> str:
    """Return the absolute name of what ``from .module import`` imports from; empty when dots lead out of the top."""
    if not level:
        return module
    parts = source.package.split(".") if source.package else []
    parts = parts[: len(parts) - (level - 1)]
    return ".".join([*parts, *([module] if module else [])])


def _parents(name: str) -> Iterable[str]:
    while "." in name:
        name = name.rpartition(".")[0]
        yield name
