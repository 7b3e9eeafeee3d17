"""A scope that keeps its journal in a list."""

from __future__ import annotations

import contextlib
from collections.abc import Callable, Iterator
from typing import Any, TypeVar

from trigger_sdk._runtime.scope import current_scope

T = TypeVar("T")


class FakeScope:
    """A run's scope: records into ``journal``, and returns what is there already before it records anew.

    Args:
        in_body: True for a body, False for a task.
        journal: (name, value) pairs to replay first.
    """

    def __init__(self, *, in_body: bool = True, journal: tuple[tuple[str, Any], ...] = ()) -> None:
        self._in_body = in_body
        self._replayed = 0
        self._lines = 0
        self.journal: list[tuple[str, Any]] = list(journal)
        self.fresh = 0

    @property
    def in_body(self) -> bool:
        return self._in_body

    @property
    def run_id(self) -> str:
        return "run_fake"

    @property
    def step_id(self) -> str:
        return "" if self._in_body else "1"

    @property
    def names(self) -> list[str]:
        """The names recorded, in order."""
        return [name for name, _ in self.journal]

    def record(self, name: str, produce: Callable[[], T]) -> T:
        position = self._replayed
        self._replayed += 1
        if position < len(self.journal):
            recorded, value = self.journal[position]
            assert recorded == name, f"journal holds {recorded}, the body asks for {name}"
            return value  # type: ignore[no-any-return]
        value = produce()
        self.journal.append((name, value))
        self.fresh += 1
        return value

    def next_line_ordinal(self) -> int:
        if not self._in_body:
            return 0
        self._lines += 1
        return self._lines

    def replay(self) -> FakeScope:
        """Return a scope for the same body, to be replayed from this journal."""
        return FakeScope(in_body=True, journal=tuple(self.journal))

    @contextlib.contextmanager
    def entered(self) -> Iterator[FakeScope]:
        """Let the code under ``with`` stand in this scope."""
        token = current_scope.set(self)
        try:
            yield self
        finally:
            current_scope.reset(token)
