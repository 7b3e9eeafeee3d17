"""Variables: where a name is found, where it is bound, what an import binds."""

from __future__ import annotations

import builtins
from typing import TYPE_CHECKING, Final

from analyzer.graph.atoms import Constant, Imported, Module, Value
from analyzer.graph.frames import Frame, Leaf, ModuleState, Mutation
from analyzer.graph.stars import Stars
from analyzer.graph.values import NOTHING, Exact, either, inexact, union

if TYPE_CHECKING:
    from analyzer.facts import tree
    from analyzer.facts.spans import Span
    from analyzer.graph.machine import Machine

_BUILTINS: Final = frozenset(dir(builtins))
STATE: Final = "TRG108"
"""The code of changed global state."""


class Names:
    """Looks names up and binds them."""

    def __init__(self, machine: Machine) -> None:
        self._machine = machine
        self._stars = Stars(machine)

    # --- reading ------------------------------------------------------------------------------------------------------

    def load(self, name: str, frame: Frame) -> Value:
        """Return what a name holds where ``frame`` stands."""
        value = frame.env.get(name)
        function = frame.function
        if value is not None:
            if function is not None and name in function.facts.captured and name in frame.cells:
                value = either(value, self._machine.read(frame.cells[name], frame))
            return self.resolve(value, frame)
        if function is not None and name in function.facts.bound:
            return NOTHING
        around = frame.parent
        while around is not None:
            facts = None if around.function is None else around.function.facts
            if facts is not None and (name in facts.bound or (name in facts.captured and name in around.cells)):
                return self.resolve(self._machine.read(self._machine.cell(around.cells, name), frame), frame)
            around = around.parent
        return self.load_global(name, frame.home, frame)

    def load_global(self, name: str, state: ModuleState, frame: Frame) -> Value:
        """Return what a name holds at the top of a module, or as a builtin."""
        value = self._of_module(state, name, frame)
        if value is not None:
            return value
        return self._machine.external(f"builtins.{name}") if name in _BUILTINS else NOTHING

    def attribute(self, state: ModuleState, name: str, frame: Frame) -> Value:
        """Return an attribute of a module of the project: a variable of it, or a submodule."""
        value = self._of_module(state, name, frame)
        if value is not None:
            return value
        below = self._machine.module(f"{state.source.name}.{name}")
        return NOTHING if below is None else self._machine.make(("module", below), lambda: frozenset((Module(below),)))

    def own(self, state: ModuleState, name: str, frame: Frame) -> Value | None:
        """Return what a module's own statements and functions bind a name to; None when they do not."""
        value = self._machine.module_frame(state, frame).env.get(name)
        stored = state.stores.get(name)
        return value if stored is None else (value or NOTHING) | self._machine.read(stored, frame)

    def _of_module(self, state: ModuleState, name: str, frame: Frame) -> Value | None:
        top = self._machine.module_frame(state, frame)
        value = top.env.get(name)
        stored = state.stores.get(name)
        if stored is not None:
            value = (value or NOTHING) | self._machine.read(stored, frame)
        if value is None:
            value = self._stars.find(top, name, frame)
            if value is None:
                return None
        return self._unsettled(self.resolve(value, frame))

    @staticmethod
    def _unsettled(value: Value) -> Value:
        """Return what a module's variable holds: one that holds a constant is often there to be changed."""
        return inexact(value) if type(value) is Exact and any(type(atom) is Constant for atom in value) else value

    def resolve(self, value: Value, frame: Frame) -> Value:
        """Return a value with the names that were imported looked up."""
        for atom in value:
            if type(atom) is Imported:
                break
        else:
            return value
        kept = frozenset(atom for atom in value if type(atom) is not Imported)
        found = union([self.imported(atom, frame) for atom in value if type(atom) is Imported])
        return kept | found if kept else found

    def imported(self, atom: Imported, frame: Frame) -> Value:
        """Return what an imported name is; imports in a circle give nothing."""
        seen = {(atom.module, atom.name)}
        while True:
            top = self._machine.module_frame(atom.module, frame)
            raw = top.env.get(atom.name, NOTHING)
            following = [other for other in raw if type(other) is Imported]
            if not following:
                return self.attribute(atom.module, atom.name, frame)
            if len(raw) > 1 or len(following) > 1:
                return self._all_imported(raw, frame, seen)
            atom = following[0]
            if (atom.module, atom.name) in seen:
                return NOTHING
            seen.add((atom.module, atom.name))

    def _all_imported(self, raw: Value, frame: Frame, seen: set[tuple[ModuleState, str]]) -> Value:
        """Return what a name is that is imported from one of several places."""
        result = NOTHING
        pending = list(raw)
        while pending:
            atom = pending.pop()
            if type(atom) is not Imported:
                result |= {atom}
                continue
            if (atom.module, atom.name) in seen:
                continue
            seen.add((atom.module, atom.name))
            top = self._machine.module_frame(atom.module, frame)
            inner = top.env.get(atom.name)
            if inner is None:
                result |= self.attribute(atom.module, atom.name, frame)
            else:
                pending.extend(inner)
        return result

    # --- binding ------------------------------------------------------------------------------------------------------

    def store(self, name: str, value: Value, frame: Frame, at: Span) -> None:
        """Bind a name."""
        function = frame.function
        if function is None:
            frame.env[name] = value
            return
        facts = function.facts
        if name in facts.global_names:
            self.store_global(name, value, frame, at)
            return
        if name in facts.nonlocal_names:
            around = frame.parent
            while around is not None:
                if around.function is not None and name in around.function.facts.bound:
                    self._machine.write(self._machine.cell(around.cells, name), value)
                    self._machine.changes(Mutation(around, around, name, frame, at))
                    return
                around = around.parent
            return
        frame.env[name] = value
        if name in facts.captured:
            self._machine.write(self._machine.cell(frame.cells, name), value)

    def store_global(self, name: str, value: Value, frame: Frame, at: Span) -> None:
        """Bind a name at the top of the frame's module, as ``global`` does."""
        self._machine.touches(frame.home)
        self._machine.write(self._machine.cell(frame.home.stores, name), value)
        self._machine.happens(frame, at, Leaf(STATE, f"the global variable `{name}`", is_code=False))

    # --- imports ------------------------------------------------------------------------------------------------------

    def bind_import(self, node: tree.Import, frame: Frame) -> None:
        """Carry out ``import a.b`` or ``import a.b as c``."""
        root = node.module.partition(".")[0]
        name = node.name or root
        wanted = node.module if node.name else root
        self.store(name, self._module_value(wanted), frame, 0)

    def _module_value(self, name: str) -> Value:
        state = self._machine.module(name)
        if state is not None:
            return self._machine.make(("module", state), lambda: frozenset((Module(state),)))
        return NOTHING if self._machine.module(name.partition(".")[0]) is not None else self._machine.external(name)

    def bind_from(self, node: tree.ImportFrom, frame: Frame) -> None:
        """Carry out ``from a import b as c``."""
        source = self._source(node, frame)
        if source is None:
            for name, bound in node.names:
                if name != "*":
                    self.store(bound, NOTHING, frame, 0)
            return
        state = self._machine.module(source)
        local_root = self._machine.module(source.partition(".")[0]) is not None
        for name, bound in node.names:
            if name == "*":
                self._bind_star(source, state, frame)
            elif state is not None:
                # A package's own submodule is not looked up in the package, which is just being made.
                own = self._machine.module(f"{source}.{name}") if state is frame.home else None
                value = self._module_value(own.source.name) if own is not None else self.lazily(state, name)
                self.store(bound, value, frame, 0)
            else:
                self.store(bound, NOTHING if local_root else self._machine.external(f"{source}.{name}"), frame, 0)

    def lazily(self, state: ModuleState, name: str) -> Value:
        """Return a name of a module that is looked up when it is read."""
        return self._machine.make(("imported", state, name), lambda: frozenset((Imported(state, name),)))

    @staticmethod
    def _source(node: tree.ImportFrom, frame: Frame) -> str | None:
        """Return the absolute name of the module that is imported from; None when dots lead out of the top."""
        if node.level == 0:
            return node.module
        parts = frame.home.source.package.split(".") if frame.home.source.package else []
        keep = len(parts) - (node.level - 1)
        if keep < 0 or (keep == 0 and not node.module):
            return None
        return ".".join([*parts[:keep], *([node.module] if node.module else [])]) or None

    def _bind_star(self, source: str, state: ModuleState | None, frame: Frame) -> None:
        if state is None and self._machine.module(source.partition(".")[0]) is not None:
            return
        if frame.kind == "module":
            self._stars.bind(source, state, frame)
        elif state is not None:  # it is no valid Python there
            for name in list(self._machine.module_frame(state, frame).env):
                if name.isidentifier() and not name.startswith("_"):
                    self.store(name, self.lazily(state, name), frame, 0)
