"""What becomes of a call of a body that is moved into a task: what it gives is stored, what it changes is lost."""

from __future__ import annotations

from typing import TYPE_CHECKING

from analyzer.graph.bodies import is_lost, reached_by
from analyzer.graph.values import NOTHING

if TYPE_CHECKING:
    from collections.abc import Set as AbstractSet

    from analyzer.facts.spans import Span
    from analyzer.graph.frames import Frame, Step
    from analyzer.graph.storable import Storable


class Moves:
    """Tells what speaks against moving a call.

    Args:
        storable: tells what a journal can store.
        reached: the frames that the body reaches outside of tasks.
    """

    def __init__(self, storable: Storable, reached: AbstractSet[Frame]) -> None:
        self._storable = storable
        self._makers = frozenset(reached) | {frame.leader for frame in reached}

    def gives_object(self, frame: Frame, at: Span) -> bool:
        """Tell whether what a call gives is not known to be storable."""
        return self._storable.is_object(frame.results.get(at, NOTHING))

    def changes_body(self, frame: Frame, at: Span, step: Step) -> bool:
        """Tell whether the function that a call is of changes what belongs to the body, which looks at it."""
        callee, given = step.callee, frame.changes.get(at, {})
        if callee is None or not (callee.mutations or given):
            return False
        bodys = self._makers - reached_by((callee,))
        changes = [(mutation.target, mutation.maker, mutation) for mutation in callee.mutations.values()]
        changes += [(atom, getattr(atom, "frame", None), mutation) for atom, mutation in given.items()]
        made = frame.results.get(at, NOTHING)
        return any(
            target not in made and is_lost(target, maker, mutation, frame, bodys) for target, maker, mutation in changes
        )
