"""Which names star imports may bring into a module, told from the texts alone.

Modules that import each other with stars in a circle may all bring the same names; they are one component.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

from analyzer.resolve.imports import origin_of

if TYPE_CHECKING:
    from analyzer.resolve.modules import ModuleTable, SourceModule


class _Component:
    """Modules that import each other with stars.

    Attributes:
        names: what they bind for those that import them so.
        libraries: libraries that they import so.
        following: components that they import so.
    """

    __slots__ = ("following", "libraries", "names")

    def __init__(self) -> None:
        self.names: set[str] = set()
        self.libraries: dict[str, None] = {}
        self.following: dict[_Component, None] = {}


class StarImports:
    """Answers for the project's modules.

    Args:
        modules: the project's modules.
    """

    def __init__(self, modules: ModuleTable) -> None:
        self._modules = modules
        self._components: dict[SourceModule, _Component] = {}
        self._without: dict[str, set[_Component]] = {}
        self._libraries: dict[_Component, tuple[str, ...]] = {}

    def may_give(self, source: SourceModule, name: str) -> bool:
        """Tell whether the project has a module that gives a name to those that import ``source`` with a star."""
        first = self._component(source)
        without = self._without.setdefault(name, set())
        seen, pending = {first}, [first]
        while pending:
            component = pending.pop()
            if component in without:
                continue
            if name in component.names:
                return True
            new = [other for other in component.following if other not in seen]
            seen.update(new)
            pending += new
        without |= seen
        return False

    def libraries(self, source: SourceModule) -> tuple[str, ...]:
        """Return the libraries whose names may come with those of ``source``."""
        first = self._component(source)
        found = self._libraries.get(first)
        if found is None:
            names: dict[str, None] = {}
            seen, pending = {first}, [first]
            while pending:
                component = pending.pop()
                names |= component.libraries
                new = [other for other in component.following if other not in seen]
                seen.update(new)
                pending += new
            found = self._libraries[first] = tuple(names)
        return found

    def _component(self, source: SourceModule) -> _Component:
        found = self._components.get(source)
        if found is None:
            self._find_components(source)
            found = self._components[source]
        return found

    def _find_components(self, first: SourceModule) -> None:
        """Find the components of a module and of all that it imports with stars, as Tarjan does."""
        lowest: dict[SourceModule, int] = {}
        order: dict[SourceModule, int] = {}
        open_modules: list[SourceModule] = []
        path = [(first, iter(self._imported(first)))]
        order[first] = lowest[first] = 0
        open_modules.append(first)
        while path:
            module, following = path[-1]
            other = next((each for each in following if each not in self._components), None)
            if other is None:
                path.pop()
                if path:
                    above = path[-1][0]
                    lowest[above] = min(lowest[above], lowest[module])
                if lowest[module] == order[module]:
                    self._close(module, open_modules)
            elif other in order:
                lowest[module] = min(lowest[module], order[other])
            else:
                order[other] = lowest[other] = len(order)
                open_modules.append(other)
                path.append((other, iter(self._imported(other))))

    def _close(self, module: SourceModule, open_modules: list[SourceModule]) -> None:
        """Make a component of the modules that were opened last, down to ``module``."""
        at = open_modules.index(module)
        members = open_modules[at:]
        del open_modules[at:]
        component = _Component()
        for member in members:
            self._components[member] = component
        for member in members:
            facts = member.facts
            if facts.exports is not None:
                component.names.update(facts.exports)
                continue
            component.names.update(name for name in facts.bound if not name.startswith("_"))
            for name, found in self._starred(member):
                if found is None:
                    component.libraries[name] = None
            for other in self._imported(member):
                if self._components[other] is not component:
                    component.following[self._components[other]] = None

    def _imported(self, source: SourceModule) -> list[SourceModule]:
        """Return the modules that a module passes on: one that lists what it exports has no other names."""
        if source.facts.exports is not None:
            return []
        return [found for _, found in self._starred(source) if found is not None]

    def _starred(self, source: SourceModule) -> list[tuple[str, SourceModule | None]]:
        """Return what a module imports with a star: by name, and the module where it is the project's."""
        found = []
        for module, level, names in source.facts.imports:
            if "*" in names:
                name = origin_of(source, module, level)
                found.append((name, self._modules.find(name) if name else None))
        return found
