"""Where names lead in a library's source: through imports, re-exports, classes and instances."""

from __future__ import annotations

import ast
from typing import TYPE_CHECKING, Final

from analyzer.catalogue.library_scope import Place, Scope
from analyzer.catalogue.library_source import Bound, Function, Libraries, Module

if TYPE_CHECKING:
    from collections.abc import Iterator

    from analyzer.catalogue.loader import Catalogue

_FARTHEST: Final = 12
"""Re-exports that are followed for one name, at most."""


class SourceTypes:
    """Finds places and types in the libraries."""

    def __init__(self, libraries: Libraries, catalogue: Catalogue) -> None:
        self.libraries = libraries
        self.catalogue = catalogue
        self._attributes: dict[str, dict[str, str]] = {}
        self._returned: dict[str, str | None] = {}
        self._globals: dict[tuple[str, str], str | None] = {}

    def find(self, qualname: str, *, bound_to: str | None = None) -> Place | None:
        """Return the place of a name: constructing a class leads to its ``__init__``, None when it leads nowhere."""
        place = self.resolve(qualname)
        if place is None:
            return None
        if place.cls is not None and place.function is None:
            return self.method(place.name, "__init__") or place
        if place.bound_class and bound_to and self.inherits(bound_to, place.bound_class):
            # A method called on `self`: what runs is the implementation of the class that one began with.
            return self.method(bound_to, qualname.rpartition(".")[2]) or place
        return place

    def resolve(self, qualname: str, hops: int = 0) -> Place | None:  # noqa: PLR0911 - one for each kind of binding
        """Return what a name stands for, imports followed."""
        if hops > _FARTHEST:
            return None
        if self.catalogue.covers(qualname):
            return Place(name=qualname)
        module, rest = self._split(qualname)
        if module is None or not rest:
            return None
        bound = self._bound(module, rest[0], hops)
        tail = rest[1:]
        match bound:
            case str():
                return self.resolve(".".join((bound, *tail)), hops + 1)
            case ast.FunctionDef() | ast.AsyncFunctionDef():
                return None if tail else Place(name=qualname, module=module, function=bound)
            case ast.ClassDef():
                name = f"{module.name}.{rest[0]}"
                if not tail:
                    return Place(name=name, module=module, cls=bound)
                return self._member(name, tail)
            case ast.expr():
                return self._instance(module, rest[0], tail, hops)
        return None

    def _member(self, class_name: str, tail: list[str]) -> Place | None:
        """Return the place of ``class.attribute...``: a method, or one of an attribute whose type is evident."""
        if len(tail) == 1:
            return self.method(class_name, tail[0])
        kind = self.attribute(class_name, tail[0])
        return None if kind is None else self.resolve(".".join((kind, *tail[1:])))

    def _instance(self, module: Module, name: str, tail: list[str], hops: int) -> Place | None:
        """Return the place of a name that is assigned: an alias, or something made by a call."""
        value = module.names[name]
        if not isinstance(value, ast.expr):
            return None
        if not isinstance(value, ast.Call):
            alias = Scope(module=module, types=self).name_of(value)
            return None if alias is None else self.resolve(".".join((alias, *tail)), hops + 1)
        kind = self.global_type(module, name)
        if kind is None or not tail:
            return None
        return self.resolve(".".join((kind, *tail)), hops + 1)

    def method(self, class_name: str, name: str) -> Place | None:
        """Return the implementation of a method that runs for an instance of ``class_name``."""
        for each in self.ancestry(class_name):
            if each.cls is None or each.module is None:
                # A base in the catalogue: the method has the effect that is said of it there.
                known = f"{each.name}.{name}"
                if self.catalogue.lookup(known) is not None:
                    return Place(name=known)
                continue
            for statement in each.cls.body:
                if isinstance(statement, (ast.FunctionDef, ast.AsyncFunctionDef)) and statement.name == name:
                    return Place(
                        name=f"{each.name}.{name}",
                        module=each.module,
                        function=statement,
                        cls=each.cls,
                        bound_class=class_name,
                    )
        return None

    def ancestry(self, class_name: str) -> Iterator[Place]:
        """Yield a class and its bases, nearest first, depth before breadth."""
        seen: set[str] = set()
        pending = [class_name]
        while pending and len(seen) < 50:  # noqa: PLR2004 - no class has that many bases
            name = pending.pop(0)
            place = self.resolve(name)
            if place is None or place.name in seen:
                continue
            seen.add(place.name)
            yield place
            if place.cls is not None and place.module is not None:
                scope = Scope(module=place.module, types=self)
                bases = (base.value if isinstance(base, ast.Subscript) else base for base in place.cls.bases)
                pending[:0] = [found for base in bases if (found := scope.name_of(base)) is not None]

    def inherits(self, class_name: str, other: str) -> bool:
        """Tell whether ``class_name`` is ``other`` or comes from it."""
        return any(each.name == other for each in self.ancestry(class_name))

    def attribute(self, class_name: str, name: str) -> str | None:
        """Return the type of ``instance.name`` when ``__init__``, an annotation or a property makes it evident."""
        for each in self.ancestry(class_name):
            if each.cls is None or each.module is None:
                known = self.catalogue.attribute(each.name, name)
                if known is not None:
                    return known
                continue
            if each.name not in self._attributes:
                self._attributes[each.name] = {}  # for classes whose attributes are of their own type
                self._attributes[each.name] = dict(self._find_attributes(each))
            found = self._attributes[each.name].get(name)
            if found is not None:
                return found
        return None

    def _find_attributes(self, place: Place) -> Iterator[tuple[str, str]]:
        if place.cls is None or place.module is None:
            return
        scope = Scope(module=place.module, types=self)
        for statement in place.cls.body:
            kind = None
            match statement:
                case ast.AnnAssign(target=ast.Name(id=name), annotation=annotation):
                    kind = scope.annotated(annotation)
                case ast.Assign(targets=[ast.Name(id=name)], value=ast.Call() as value):
                    kind = scope.type_of(value)
                case ast.FunctionDef(name=name, returns=ast.expr() as annotation, decorator_list=[ast.expr(), *_]):
                    kind = scope.annotated(annotation)  # a property, as a rule
                case ast.FunctionDef(name="__init__"):
                    yield from self._assigned_in(statement, place)
                    continue
                case _:
                    continue
            if kind is not None:
                yield name, kind

    def _assigned_in(self, init: ast.FunctionDef, owner: Place) -> Iterator[tuple[str, str]]:
        place = Place(
            name=f"{owner.name}.__init__", module=owner.module, function=init, cls=owner.cls, bound_class=owner.name
        )
        scope = Scope.of(place, self)
        for statement in ast.walk(init):
            kind = None
            match statement:
                case ast.Assign(targets=[ast.Attribute(value=ast.Name(id="self"), attr=name)], value=value):
                    kind = scope.type_of(value)
                case ast.AnnAssign(target=ast.Attribute(value=ast.Name(id="self"), attr=name), annotation=annotation):
                    kind = scope.annotated(annotation)
                case ast.Assign():
                    scope.read(statement)
                    continue
                case _:
                    continue
            if kind is not None:
                yield name, kind

    def returns(self, qualname: str) -> str | None:
        """Return the type of what calling ``qualname`` gives."""
        if self.catalogue.covers(qualname):
            return self.catalogue.returns(qualname)
        if qualname not in self._returned:
            self._returned[qualname] = None  # for functions that call each other in circles
            self._returned[qualname] = self._find_returned(qualname)
        return self._returned[qualname]

    def global_type(self, module: Module, name: str) -> str | None:
        """Return the type of a module's variable that is assigned the result of a call."""
        key = (module.name, name)
        if key not in self._globals:
            self._globals[key] = None  # for `app = app.wrapped()`
            value = module.names.get(name)
            self._globals[key] = (
                Scope(module=module, types=self).type_of(value) if isinstance(value, ast.Call) else None
            )
        return self._globals[key]

    def _find_returned(self, qualname: str) -> str | None:
        place = self.resolve(qualname) or self.resolve(f"{qualname}.__call__")  # or an instance that is called
        if place is None:
            return None
        if place.function is None or place.module is None:
            return place.name if place.cls is not None else self.catalogue.returns(place.name)
        return self._returned_by(place, place.function, place.module)

    def _returned_by(self, place: Place, function: Function, module: Module) -> str | None:
        annotated = None if function.returns is None else Scope(module=module, types=self).annotated(function.returns)
        if annotated is not None:
            return annotated
        own = Scope.of(place, self)
        for statement in function.body:
            own.read(statement)
            if isinstance(statement, ast.Return) and isinstance(statement.value, ast.Call):
                return own.type_of(statement.value)
        return None

    def _split(self, qualname: str) -> tuple[Module | None, list[str]]:
        """Return the module with the longest name that ``qualname`` begins with, and the parts after it."""
        parts = qualname.split(".")
        found: Module | None = None
        length = 0
        for end in range(1, len(parts) + 1):
            module = self.libraries.module(".".join(parts[:end]))
            if module is None:
                if found is not None:
                    break
                continue
            bound_here = found is not None and parts[end - 1] in found.names
            if bound_here:
                break  # `package.name` is what the package says, even when a submodule has the same name
            found, length = module, end
        return found, parts[length:]

    def _bound(self, module: Module, name: str, hops: int) -> Bound | None:
        found = module.names.get(name)
        if found is not None or name.startswith("_"):
            return found
        for star in module.stars:
            origin = self.libraries.module(star)
            if origin is not None and hops < _FARTHEST and self._bound(origin, name, hops + 1) is not None:
                return f"{star}.{name}"
        return None
