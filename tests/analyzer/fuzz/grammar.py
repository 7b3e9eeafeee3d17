"""How programs grow: which ways are taken, over which functions."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from typing import Final, TypeVar

from tests.analyzer.fuzz import ways
from tests.analyzer.fuzz.known import KNOWN
from tests.analyzer.fuzz.programs import LOUD_LEAVES, PURE_LEAVES, Callee, Expected, Program
from tests.analyzer.fuzz.ways import Way

T = TypeVar("T")

_RECENT: Final = 8
"""How many of the last functions are taken most often, so that chains of calls become long."""


class Growth:
    """Grows one program.

    Args:
        choose: picks one of several; the first is the simplest.
    """

    def __init__(self, choose: Callable[[Sequence[object]], object]) -> None:
        self._choose_one = choose
        self._program = Program(choose)
        self._plain: list[Callee] = [*PURE_LEAVES, *LOUD_LEAVES]
        self._async: list[Callee] = []

    def program(self) -> tuple[dict[str, str], list[Expected]]:
        """Return the files, and what is expected of the body."""
        is_async = self._choose((False, True, True))
        for _ in range(self._choose(range(14))):
            self._define()
        for _ in range(1 + self._choose(range(8))):
            if is_async:
                self._add_to_async()
            else:
                self._program.add(self._way(ways.LOUD, ways.SILENT), self._recent(self._plain))
        return self._program.files(is_async=is_async)

    def _define(self) -> None:
        define = self._program.define
        kind = self._choose(("plain",) * 6 + ("two", "quiet", "async", "over", "task"))
        if kind == "plain":
            self._plain.append(define(self._way(ways.PLAIN), self._recent(self._plain)))
        elif kind == "two":
            way = self._way(ways.TWO)
            self._plain.append(define(way, self._recent(self._plain), self._choose(self._plain)))
        elif kind == "quiet":
            self._plain.append(define(self._way(ways.QUIET), self._recent(self._plain)))
        elif kind == "over" and self._async:
            self._async.append(define(self._way(ways.ASYNC_OVER_ASYNC), self._choose(self._async)))
        elif kind == "task":
            self._async.append(define(self._way(ways.TASKS), self._recent(self._plain)))
        else:
            self._async.append(define(self._way(ways.ASYNC), self._recent(self._plain)))

    def _add_to_async(self) -> None:
        if not self._async or self._choose((True, True, False)):
            way = self._way(ways.LOUD, ways.SILENT, ways.LOUD_IN_ASYNC, ways.SILENT_IN_ASYNC)
            self._program.add(way, self._recent(self._plain))
            return
        callee = self._recent(self._async)
        # A task inside a task is another finding.
        silent = () if callee.is_durable else ways.SILENT_OVER_ASYNC
        self._program.add(self._way(ways.LOUD_OVER_ASYNC, silent), callee)

    def _way(self, *groups: Sequence[Way]) -> Way:
        return self._choose([way for group in groups for way in group if way.name not in KNOWN])

    def _recent(self, callees: Sequence[Callee]) -> Callee:
        return self._choose(callees[-_RECENT:] if self._choose((True, True, True, False)) else callees)

    def _choose(self, options: Sequence[T]) -> T:
        return self._choose_one(options)  # type: ignore[return-value]  # one of them
