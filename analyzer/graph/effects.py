"""Effects: what frames do, how it gets from a frame to those that call it, and what is put off until it is iterated."""

from __future__ import annotations

from contextlib import contextmanager
from typing import TYPE_CHECKING, Final

from analyzer.graph.atoms import Deferred
from analyzer.graph.frames import DURABLE, SENDS, Frame, Leaf, Mutation, Step
from analyzer.graph.heap import Cell, Heap

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable, Iterator

    from analyzer.facts.spans import Span

DURABLES: Final = frozenset((DURABLE, SENDS))
"""Codes of the pseudo effects that durable steps are."""

_MOST_MUTATIONS: Final = 64
"""Changes of other functions' variables that are followed to the callers of a function."""


class Effects(Heap):
    """Notes effects.

    Args:
        is_silenced: tells whether the source silences a code at a place in a frame.
    """

    def __init__(self, is_silenced: Callable[[Frame, Span, str], bool]) -> None:
        super().__init__()
        self._deferring: dict[Frame, Cell] = {}
        self._is_silenced = is_silenced
        self._order = 0

    def happens(self, frame: Frame, at: Span, leaf: Leaf, callee: Frame | None = None) -> None:
        """Note that a frame has an effect, by itself or in a frame that it calls."""
        code = leaf.code
        if code in (DURABLE, SENDS):
            frame.durables += 1
        if frame in self._deferring:
            self._defer(frame, at, leaf, callee)
            return
        known = frame.steps.get(code)
        if known is not None and not frame.entry:
            return
        if known is not None and code in frame.sites.get(at, ()):
            return
        if frame.era == "import" or self._is_silenced(frame, at, code):
            return
        self._order += 1
        step = Step(at, leaf, callee, self._order)
        if known is None:
            frame.steps[code] = step
        if frame.entry:
            frame.sites.setdefault(at, {}).setdefault(code, step)

    @contextmanager
    def deferring(self, frame: Frame, effects: Cell) -> Iterator[None]:
        """Keep what a frame does meanwhile for whoever iterates over what is made of it."""
        outer = self._deferring.get(frame)
        self._deferring[frame] = effects
        try:
            yield
        finally:
            if outer is None:
                del self._deferring[frame]
            else:
                self._deferring[frame] = outer

    def _defer(self, frame: Frame, at: Span, leaf: Leaf, callee: Frame | None) -> None:
        if not self._is_silenced(frame, at, leaf.code):
            key = ("deferred", frame, at, leaf.code)
            made = self.make(key, lambda: frozenset((Deferred(frame, at, leaf, callee),)))
            self.write(self._deferring[frame], made)

    def passes_on(self, frame: Frame, at: Span, callee: Frame) -> None:
        """Note that a frame has all effects of one that it calls, and those that it turns out to have later."""
        if frame.era == "import":
            return
        for step in list(callee.steps.values()):
            self._pass_on(frame, at, step, callee)
        if callee.era == "run":
            sites = callee.sites_of_callers
            sites[frame, at] = frame in self._deferring or sites.get((frame, at), False)
        if len(frame.mutations) > _MOST_MUTATIONS:
            return
        for mutation in list(callee.mutations.values()):
            if mutation.maker is not frame.leader and not getattr(mutation.target, "parameter", ""):
                frame.mutations.setdefault((mutation.target, mutation.name), mutation)

    def _pass_on(self, frame: Frame, at: Span, step: Step, callee: Frame) -> None:
        self.happens(frame, at, step.leaf, step.callee if callee.function is None else callee)

    def spread(self, frame: Frame, codes: Iterable[str]) -> None:
        """Have the callers of a frame have the effects that it has now, and theirs; nothing else has changed for them.

        Durable steps are none of these: where one is met decides about the statements around it.
        """
        pending = [(frame, tuple(codes))]
        while pending:
            callee, found = pending.pop()
            for (caller, at), is_deferred in list(callee.sites_of_callers.items()):
                if is_deferred or caller.kind != "function":
                    self.enqueue(caller)
                    continue
                known = len(caller.steps)
                new = tuple([code for code in found if code not in caller.steps])
                for code in found if caller.entry else new:
                    self._pass_on(caller, at, callee.steps[code], callee)
                if len(caller.steps) != known:
                    pending.append((caller, tuple([code for code in new if code in caller.steps])))

    def changes(self, mutation: Mutation) -> None:
        """Note that a frame changes something that it did not make."""
        if mutation.frame.era == "import":
            return
        mutation.frame.mutations.setdefault((mutation.target, mutation.name), mutation)
