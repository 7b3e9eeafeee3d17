"""Which diagnostics the source silences, and which suppressions silence nothing."""

from __future__ import annotations

from typing import TYPE_CHECKING

from analyzer.facts.spans import end_row_of, row_of
from analyzer.graph.frames import DURABLE, SENDS

if TYPE_CHECKING:
    from collections.abc import Collection, Iterable

    from analyzer.facts.module import FunctionFacts, Suppression
    from analyzer.facts.spans import Span
    from analyzer.graph.frames import Frame
    from analyzer.resolve.modules import SourceModule


class Suppressions:
    """Answers whether a code is silenced somewhere, and remembers which comments did it."""

    def __init__(self) -> None:
        self._of_module: dict[SourceModule, list[Suppression]] = {}
        self.used: set[tuple[SourceModule, int, str]] = set()

    def is_silenced(self, frame: Frame, at: Span, code: str) -> bool:
        """Tell whether an effect is silenced where it stands, or by the function that has it."""
        if code in (DURABLE, SENDS):
            return False
        suppressions = self._suppressions(frame.home.source)
        if not suppressions:
            return False
        function = None if frame.function is None else frame.function.facts
        return self._find(frame.home.source, suppressions, at, code, function)

    def all(self, module: SourceModule) -> list[Suppression]:
        """Return a module's suppressions."""
        return self._suppressions(module)

    def _suppressions(self, module: SourceModule) -> list[Suppression]:
        found = self._of_module.get(module)
        if found is None:
            found = self._of_module[module] = list(module.facts.suppressions)
        return found

    def _find(
        self, module: SourceModule, suppressions: list[Suppression], at: Span, code: str, function: FunctionFacts | None
    ) -> bool:
        found = silencing(suppressions, at, code, None if function is None else function.rows)
        self.used.update((module, row, listed) for row, listed in found)
        return bool(found)


def silencing(
    suppressions: Iterable[Suppression], at: Span, code: str, function: tuple[int, int] | None = None
) -> list[tuple[int, str]]:
    """Return the suppressions of a module that silence a code at a place: line, and code as it stands there.

    Args:
        suppressions: those of the module.
        at: the place.
        code: the code.
        function: rows of the function that has the effect, None when it is not about one.
    """
    first, last = row_of(at), end_row_of(at)
    found = []
    for suppression in suppressions:
        start, end = suppression.rows
        if suppression.scope == "line":
            covers = start <= last and end >= first
        elif suppression.scope == "function":
            covers = start <= first <= end or function == suppression.rows
        else:
            covers = True
        if covers:
            found += [(suppression.row, listed) for listed in suppression.codes if code.startswith(listed)]
    return found


def unused(
    suppressions: Iterable[Suppression], reached: Iterable[tuple[int, int]], used: Collection[tuple[int, str]]
) -> list[tuple[Suppression, str]]:
    """Return suppressions, with the code, that silenced nothing.

    Args:
        suppressions: those of a module.
        reached: rows of the functions that were checked; what lies in others may have a purpose still.
        used: line and code of those that silenced something.
    """
    found = []
    rows = list(reached)
    for suppression in suppressions:
        if suppression.scope != "file" and not any(
            first <= suppression.rows[1] <= last or first <= suppression.row <= last for first, last in rows
        ):
            continue
        found += [(suppression, code) for code in suppression.codes if (suppression.row, code) not in used]
    return found
