"""Contexts: which calls of a function are evaluated apart, and which are taken together."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, Final

from analyzer.graph.atoms import Class, Constant, Function
from analyzer.graph.frames import Frame
from analyzer.graph.values import NOTHING, Exact, inexact, joined

if TYPE_CHECKING:
    from collections.abc import Hashable

    from analyzer.graph.atoms import Value
    from analyzer.graph.frames import Era

FEWEST_CALLS: Final = {"run": 6, "import": 2, "coarse": 0}
MOST_CALLS: Final = 32
CALLS_BYTES: Final = {"run": 20_000, "import": 5_000, "coarse": 500}
"""Calls of one function with different arguments after which constants are no longer told apart: so many that their
statements together are of this size, but not fewer and not more than that. On import it is what small functions give
that matters, decorators and factories."""

MORE_CALLS: Final = {"run": 8, "import": 2, "coarse": 0}
"""Further calls of one function after which all its calls are one."""

FORGET_CLOSURES: Final = 96
"""Calls of one function in all its closures after which each closure's calls are all one."""

TELL_MAKERS_APART: Final = 6
"""Calls of one function whose objects are told apart by the call that makes them."""


class Contexts:
    """Finds the frame of a call: its own, or one that it shares with other calls of the function.

    Attributes:
        frames: the frames of all functions that were called, by what they were called with.
    """

    def __init__(self) -> None:
        self.frames: dict[Hashable, Frame] = {}
        self._counts: dict[Hashable, int] = {}
        self._leaders: dict[Hashable, Frame] = {}

    @property
    def tables(self) -> tuple[dict[Any, Any], ...]:
        """What grows with each call."""
        return (self.frames, self._counts, self._leaders)

    def frame(
        self, function: Function, parameters: dict[str, Value], caller: Frame, *, is_coarse: bool = False
    ) -> Frame:
        """Return the frame of a function called with these arguments; coarsely, one for all that are new."""
        era = caller.era
        group = (function, era)
        key: Hashable = (group, _told_apart(parameters))
        frame = self.frames.get(key)
        if frame is None:
            count = self._counts.get(group, 0)
            detail = "coarse" if is_coarse else era
            limit = _calls_apart(function, detail)
            if count >= limit:
                parameters = {name: _without_constants(value) for name, value in parameters.items()}
                key = (group, _told_apart(parameters))
            whole = self._counts.get((function.facts.index, function.home, era), 0)
            is_full = count >= limit + MORE_CALLS[detail] or (whole >= FORGET_CLOSURES and count > 0)
            if is_full and not _is_decorated(parameters, caller) and key not in self.frames:
                frame = self._joined(function, parameters, caller, (group, "all"))
            else:
                frame = self.frames.get(key)
        if frame is None:
            frame = self.frames[key] = _new_frame(function, parameters, caller)
            self._count(frame, group)
        return frame

    def entry(self, function: Function, parameters: dict[str, Value], root: Frame, *, is_job: bool) -> Frame:
        """Return the frame of a body, in which all ways to effects are kept."""
        key: Hashable = ("entry", function, is_job)
        frame = self.frames.get(key)
        if frame is None:
            frame = self.frames[key] = _new_frame(function, parameters, root)
            frame.entry = True
            frame.is_job = is_job
        return frame

    def _count(self, frame: Frame, group: tuple[Function, Era]) -> None:
        """Count the calls of a function; of many, one makes the objects of the rest."""
        function, era = group
        count = self._counts[group] = self._counts.get(group, 0) + 1
        whole = (function.facts.index, function.home, era)
        self._counts[whole] = self._counts.get(whole, 0) + 1
        if count == 1:
            self._leaders[group] = frame
        elif count > TELL_MAKERS_APART:
            frame.leader = self._leaders[group]

    def _joined(self, function: Function, parameters: dict[str, Value], caller: Frame, key: Hashable) -> Frame:
        frame = self.frames.get(key)
        if frame is None:
            frame = self.frames[key] = _new_frame(function, parameters, caller)
            frame.leader = self._leaders.setdefault(key, frame)
        else:
            for name, value in parameters.items():
                known = frame.parameters.get(name, NOTHING)
                grown = joined(known, value)
                if len(grown) > len(known):
                    frame.parameters[name] = grown
                    frame.is_done = False
        return frame


def _new_frame(function: Function, parameters: dict[str, Value], caller: Frame) -> Frame:
    return Frame(
        "function", function.home, function=function, parent=function.parent, era=caller.era, parameters=parameters
    )


def _calls_apart(function: Function, era: str) -> int:
    return max(FEWEST_CALLS[era], min(MOST_CALLS, CALLS_BYTES[era] // (len(function.facts.body) + 1)))


def _is_decorated(parameters: dict[str, Value], caller: Frame) -> bool:
    """Tell whether a module or class gives a function of its own to another: a decorator, of which each has one call.

    There are as many of these calls as there are in the text, and what one decorator makes of a hundred functions is a
    hundred functions.
    """
    return caller.kind != "function" and any(
        type(atom) is Function or type(atom) is Class for value in parameters.values() for atom in value
    )


def _told_apart(parameters: dict[str, Value]) -> Hashable:
    """Return what tells calls apart: what each argument is, and whether it can be nothing else."""
    return tuple([(name, value, type(value) is Exact) for name, value in parameters.items()])


def _without_constants(value: Value) -> Value:
    if any(type(atom) is Constant for atom in value):
        return frozenset(atom for atom in value if type(atom) is not Constant)
    return inexact(value)
