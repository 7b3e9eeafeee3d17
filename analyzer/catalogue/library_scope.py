"""Names and types inside one function of a library: what an expression calls, as far as it is evident."""

from __future__ import annotations

import ast
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Protocol

from analyzer.catalogue.library_source import Bound, Function, Module

if TYPE_CHECKING:
    from analyzer.catalogue.loader import Catalogue


@dataclass(frozen=True, slots=True, kw_only=True)
class Place:
    """Where a qualified name leads.

    Attributes:
        name: the qualified name of what is there.
        module: the module that defines it; None outside of the libraries that can be read.
        function: the function, or None when it is something else.
        cls: the class, for a class; for a method the class that defines it.
        bound_class: for a method, the qualified name of the class of ``self``.
    """

    name: str
    module: Module | None = None
    function: Function | None = None
    cls: ast.ClassDef | None = None
    bound_class: str = ""


class Types(Protocol):
    """What a scope asks of the libraries around it."""

    @property
    def catalogue(self) -> Catalogue:
        """What is known of names outside."""
        ...

    def resolve(self, qualname: str) -> Place | None:
        """Return what a name stands for."""
        ...

    def attribute(self, class_name: str, name: str) -> str | None:
        """Return the type of an attribute of the class's instances."""
        ...

    def returns(self, qualname: str) -> str | None:
        """Return the type of what a call gives."""
        ...

    def global_type(self, module: Module, name: str) -> str | None:
        """Return the type of a module's variable."""
        ...


@dataclass(kw_only=True)
class Scope:
    """The names in a function: its own, and those of its module.

    Attributes:
        module: where the function stands.
        types: to ask about other places.
        imported: names that the function itself imports.
        kinds: types of parameters and local variables.
        owner: the class of ``self``, or empty.
        hidden: names that are something unknown here, whatever the module says of them.
    """

    module: Module
    types: Types
    imported: dict[str, Bound] = field(default_factory=dict)
    kinds: dict[str, str] = field(default_factory=dict)
    owner: str = ""
    hidden: set[str] = field(default_factory=set)

    @classmethod
    def of(cls, place: Place, types: Types) -> Scope:
        """Return the scope in which a function's body begins. The place must be one of a function."""
        if place.module is None or place.function is None:
            message = f"{place.name} is not a function with a source"
            raise ValueError(message)
        scope = cls(module=place.module, types=types, owner=place.bound_class)
        arguments = place.function.args
        parameters = [*arguments.posonlyargs, *arguments.args, *arguments.kwonlyargs]
        parameters.extend(extra for extra in (arguments.vararg, arguments.kwarg) if extra is not None)
        for parameter in parameters:
            scope.hidden.add(parameter.arg)
            kind = None if parameter.annotation is None else scope.annotated(parameter.annotation)
            if kind is not None:
                scope.kinds[parameter.arg] = kind
        if place.bound_class and parameters:
            scope.kinds[parameters[0].arg] = place.bound_class
        return scope

    def read(self, statement: ast.stmt) -> None:
        """Take up what a statement binds."""
        match statement:
            case ast.Import() | ast.ImportFrom():
                self.module.bind_import(statement, self.imported)
                self.hidden.difference_update(self.imported)
            case ast.Assign(targets=[ast.Name(id=name)], value=value):
                self._bind(name, self.type_of(value))
            case ast.AnnAssign(target=ast.Name(id=name), annotation=annotation):
                self._bind(name, self.annotated(annotation))
            case ast.With() | ast.AsyncWith():
                for item in statement.items:
                    if isinstance(item.optional_vars, ast.Name):
                        enter = "__aenter__" if isinstance(statement, ast.AsyncWith) else "__enter__"
                        self._bind(item.optional_vars.id, self._entered(item.context_expr, enter))
            case ast.For(target=ast.Name(id=name)) | ast.AsyncFor(target=ast.Name(id=name)):
                self._bind(name, None)
            case ast.FunctionDef(name=name) | ast.AsyncFunctionDef(name=name) | ast.ClassDef(name=name):
                self._bind(name, None)

    def _bind(self, name: str, kind: str | None) -> None:
        self.hidden.add(name)
        self.kinds.pop(name, None)
        if kind is not None:
            self.kinds[name] = kind

    def _entered(self, expression: ast.expr, method: str) -> str | None:
        kind = self.type_of(expression)
        if kind is None or not self.types.catalogue.covers(kind):
            return kind
        return self.types.catalogue.returns(f"{kind}.{method}")

    def name_of(self, expression: ast.expr) -> str | None:
        """Return the qualified name that an expression stands for, None when it is not evident."""
        match expression:
            case ast.Name(id=name):
                return self._name(name)
            case ast.Attribute(value=value, attr=attr):
                kind = self.type_of(value)
                if kind is not None:
                    return f"{kind}.{attr}"
                owner = None if _is_instance(value, self) else self.name_of(value)
                return None if owner is None else f"{owner}.{attr}"
        return None

    def _name(self, name: str) -> str | None:
        if name in self.hidden:
            return None
        bound = self.imported.get(name) or self.module.names.get(name)
        if isinstance(bound, str):
            return bound
        if bound is not None or any(True for _ in self.module.stars):
            return f"{self.module.name}.{name}"
        return f"builtins.{name}"

    def type_of(self, expression: ast.expr) -> str | None:
        """Return the type of an expression's value, None when it is not evident."""
        kind: str | None = None
        match expression:
            case ast.Await(value=value) | ast.BoolOp(op=ast.Or(), values=[*_, value]):
                kind = self.type_of(value)
            case ast.Name(id=name):
                kind = self.kinds.get(name)
                if kind is None and name not in self.hidden:
                    kind = self.types.global_type(self.module, name)
            case ast.Call(func=func):
                called = self.name_of(func)
                kind = None if called is None else self.types.returns(called)
            case ast.Attribute(value=value, attr=attr):
                owner = self.type_of(value)
                kind = None if owner is None else self._attribute(owner, attr)
            case ast.IfExp(body=body, orelse=orelse):
                kind = self.type_of(body) or self.type_of(orelse)
        return kind

    def _attribute(self, kind: str, name: str) -> str | None:
        if self.types.catalogue.covers(kind):
            return self.types.catalogue.attribute(kind, name)
        return self.types.attribute(kind, name)

    def annotated(self, annotation: ast.expr) -> str | None:
        """Return the class that an annotation names; of a union with None, the other one."""
        match annotation:
            case ast.Constant(value=str(text)):
                try:
                    return self.annotated(ast.parse(text, mode="eval").body)
                except (SyntaxError, ValueError):
                    return None
            case ast.BinOp(op=ast.BitOr(), left=left, right=ast.Constant(value=None)):
                return self.annotated(left)
            case ast.Subscript(value=ast.Name(id="Optional") | ast.Attribute(attr="Optional"), slice=inner):
                return self.annotated(inner)
            case ast.Name() | ast.Attribute():
                return self._class_named(annotation)
        return None

    def _class_named(self, annotation: ast.expr) -> str | None:
        name = self.name_of(annotation)
        place = None if name is None else self.types.resolve(name)
        if place is None:
            return None
        return place.name if place.cls is not None or self.types.catalogue.is_class(place.name) else None


def _is_instance(expression: ast.expr, scope: Scope) -> bool:
    """Tell whether an expression is a variable, whose attributes no module's name stands for."""
    return isinstance(expression, ast.Name) and expression.id in scope.hidden
