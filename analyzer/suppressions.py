"""Which diagnostics the source silences, and which suppressions silence nothing."""

from __future__ import annotations

from typing import TYPE_CHECKING

from analyzer.facts.spans import end_row_of, row_of
from analyzer.graph.frames import DURABLE, SENDS

if TYPE_CHECKING:
    from collections.abc import Iterable

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

    def is_silenced_at(self, module: SourceModule, at: Span, code: str) -> bool:
        """Tell whether a code is silenced at a place."""
        return self._find(module, self._suppressions(module), at, code, None)

    def unused(self, module: SourceModule, reached: Iterable[tuple[int, int]]) -> list[tuple[Suppression, str]]:
        """Return suppressions, with the code, that silenced nothing.

        Args:
            module: where to look.
            reached: rows of the functions that were checked; what lies in others may have a purpose still.
        """
        found = []
        rows = list(reached)
        for suppression in self._suppressions(module):
            if suppression.scope != "file" and not any(
                first <= suppression.rows[1] <= last or first <= suppression.row <= last for first, last in rows
            ):
                continue
            found += [
                (suppression, code)
                for code in (suppression.codes or ("",))
                if (module, suppression.row, code) not in self.used
            ]
        return found

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
        first, last = row_of(at), end_row_of(at)
        silenced = False
        for suppression in suppressions:
            start, end = suppression.rows
            if suppression.scope == "line":
                covers = start <= last and end >= first
            elif suppression.scope == "function":
                covers = start <= first <= end or (function is not None and function.rows == suppression.rows)
            else:
                covers = True
            if not covers:
                continue
            for listed in suppression.codes or ("",):
                if code.startswith(listed):
                    self.used.add((module, suppression.row, listed))
                    silenced = True
        return silenced
