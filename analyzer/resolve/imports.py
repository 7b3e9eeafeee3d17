"""Which modules of the project a module's text imports, anywhere in it."""

from __future__ import annotations

from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Iterable

    from analyzer.resolve.modules import ModuleTable, SourceModule


def imported_by(source: SourceModule, modules: ModuleTable) -> Iterable[SourceModule]:
    """Give the project's modules that a module imports, packages above them included; some more than once."""
    for module, level, names in source.facts.imports:
        base = module
        if level:
            parts = source.package.split(".") if source.package else []
            parts = parts[: len(parts) - (level - 1)]
            base = ".".join([*parts, *([module] if module else [])])
        wanted = [base, *(f"{base}.{name}" if base else name for name in names if name != "*")]
        for name in (*wanted, *_parents(base)):
            found = modules.find(name) if name else None
            if found is not None:
                yield found


def _parents(name: str) -> Iterable[str]:
    while "." in name:
        name = name.rpartition(".")[0]
        yield name
