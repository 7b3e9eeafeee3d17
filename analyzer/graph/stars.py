"""Star imports: a name is looked up in what they bring when it is read, and nothing is copied before.

A module that imports others with stars passes on what they pass on; in large packages everything does, in circles too.
Which of them a name comes from is found by way of what the modules' own statements have bound.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Final

from analyzer.graph.atoms import Star, Value
from analyzer.graph.sdk_names import EXPORTED, SDK
from analyzer.graph.values import NOTHING, either, in_order
from analyzer.resolve.stars import StarImports
from trigger_sdk.protocol.recorded import BY_NAME

if TYPE_CHECKING:
    from analyzer.graph.frames import Frame, ModuleState
    from analyzer.graph.machine import Machine

_STARS: Final = "*"
"""The variable of a module that holds its star imports: branches join it as they do others."""


class Stars:
    """Binds star imports, and looks names up in them."""

    def __init__(self, machine: Machine) -> None:
        self._m = machine
        self._imports = StarImports(machine.modules)
        self._asked: set[tuple[ModuleState, str]] = set()

    def bind(self, source: str, state: ModuleState | None, frame: Frame) -> None:
        """Carry out ``from source import *`` at the top of a module; what was bound before is bound anew."""
        if state is not None:
            self._m.module_frame(state, frame)
        before = frame.env.get(_STARS, NOTHING)
        made = self._m.make(("star", state, source, before), lambda: Star(state, source, before))
        for name in list(frame.env):
            if name != _STARS and self._may_give(made, name) and self._given(made, name, frame) is not None:
                frame.env[name] = (
                    self._m.external(f"{source}.{name}") if state is None else self._m.names.lazily(state, name)
                )
        frame.env[_STARS] = frozenset((made,))

    def find(self, top: Frame, name: str, frame: Frame) -> Value | None:
        """Return what star imports of a module bind a name to; None when they do not.

        Args:
            top: the module's statements.
            name: what is looked up.
            frame: who asks.
        """
        stars = top.env.get(_STARS)
        if not stars or (top.home, name) in self._asked:
            return None
        self._asked.add((top.home, name))
        try:
            return self._find(stars, name, frame)
        finally:
            self._asked.discard((top.home, name))

    def _find(self, stars: Value, name: str, frame: Frame) -> Value | None:
        """Look a name up, the last import first; where one of several was carried out, in all of them."""
        found: Value | None = None
        seen: set[Star] = set()
        pending: list[tuple[Star, int]] = []
        _open(stars, pending, 0)
        while pending:
            star, rest = pending.pop()
            if star in seen:
                continue
            seen.add(star)
            if self._may_give(star, name):
                value = self._given(star, name, frame)
                if value is not None:
                    found = value if found is None else either(found, value)
                    del pending[rest:]
                    continue
            _open(star.before, pending, rest)
            if star.state is not None and self._passes_on(star.state, name) and self._may_give(star, name):
                _open(self._m.module_frame(star.state, frame).env.get(_STARS, NOTHING), pending, rest)
        return found

    @staticmethod
    def _passes_on(state: ModuleState, name: str) -> bool:
        """Tell whether a module gives a name that it has from star imports of its own, without saying so."""
        return state.source.facts.exports is None and not name.startswith("_")

    def _may_give(self, star: Star, name: str) -> bool:
        if star.state is None:
            return self._exports(star.name, name)
        source = star.state.source
        if self._imports.may_give(source, name):
            return True
        return any(self._exports(library, name) for library in self._imports.libraries(source))

    def _given(self, star: Star, name: str, frame: Frame) -> Value | None:
        """Return what a module's own statements, or a library, bind a name to."""
        if star.state is None:
            return self._m.external(f"{star.name}.{name}") if self._exports(star.name, name) else None
        exports = star.state.source.facts.exports
        if exports is not None:
            return self._m.names.attribute(star.state, name, frame) or None if name in exports else None
        return None if name.startswith("_") else self._m.names.own(star.state, name, frame)

    def _exports(self, library: str, name: str) -> bool:
        """Tell whether a library is known to have a name, as far as the catalogue knows it."""
        if name.startswith("_"):
            return False
        if library == SDK:
            return name in EXPORTED
        qualname = f"{library}.{name}"
        catalogue = self._m.catalogue
        return qualname in BY_NAME or catalogue.lookup(qualname) is not None or catalogue.is_class(qualname)


def _open(stars: Value, pending: list[tuple[Star, int]], rest: int) -> None:
    """Have star imports looked at next. One that has the name ends the search, but for others that stand for it."""
    for star in in_order(stars):
        if isinstance(star, Star):
            pending.append((star, rest if len(stars) == 1 else len(pending)))
