"""Classes of the project: their order of look-up, their fields, how instances are made."""

from __future__ import annotations

from typing import TYPE_CHECKING, Final

from analyzer.facts import tree
from analyzer.facts.module import decode_body
from analyzer.graph.atoms import Class, External, Object, Value, Wrapper
from analyzer.graph.effort import ITEMS
from analyzer.graph.values import NOTHING, Arguments, exactly, inexact, union

if TYPE_CHECKING:
    from analyzer.graph.frames import Frame
    from analyzer.graph.machine import Machine

_FIELD_DECORATORS: Final = frozenset(
    (
        "dataclasses.dataclass",
        "pydantic.dataclasses.dataclass",
        "attr.s",
        "attr.attrs",
        "attr.define",
        "attr.frozen",
        "attr.mutable",
        "attr.dataclass",
        "attrs.define",
        "attrs.frozen",
        "attrs.mutable",
    )
)
_FIELD_BASES: Final = frozenset(
    (
        "pydantic.BaseModel",
        "pydantic.main.BaseModel",
        "msgspec.Struct",
        "typing.NamedTuple",
        "pydantic_settings.BaseSettings",
    )
)
_FIELD_MAKERS: Final = frozenset(("dataclasses.field", "pydantic.Field", "msgspec.field", "attrs.field", "attr.ib"))
_FACTORIES: Final = ("default_factory", "factory")
_ABSTRACT_BASES: Final = frozenset(("abc.ABC", "typing.Protocol", "typing_extensions.Protocol"))
_DULL_BASES: Final = _ABSTRACT_BASES | {"builtins.object", "typing.Generic", "contextlib.ContextDecorator"}
"""Bases that add nothing to what instances hold."""

_HARMLESS_DECORATORS: Final = ("functools.total_ordering", "typing.final", "typing.runtime_checkable")
_AFTER_INIT: Final = ("__post_init__", "__attrs_post_init__", "model_post_init")
_MADE_DEEPEST: Final = 3


class Classes:
    """Looks attributes of classes up, and makes instances."""

    def __init__(self, machine: Machine) -> None:
        self._m = machine
        self._fields: dict[Class, list[tree.Annotate]] = {}
        self._found: dict[tuple[Class, str], Value | None] = {}
        self._changes = -1

    # --- look-up ------------------------------------------------------------------------------------------------------

    def order(self, cls: Class) -> tuple[Class | External, ...]:
        """Return the classes in which an attribute is looked up, the class itself first."""
        if cls.order_of is not None and cls.order_of == cls.bases:
            return cls.order
        cls.order, cls.order_of = (cls,), cls.bases  # for classes that are their own base
        lines: list[list[Class | External]] = []
        for base in cls.bases:
            for atom in sorted(base, key=lambda atom: getattr(atom, "name", "")):
                if type(atom) is Class and atom is not cls:
                    lines.append(list(self.order(atom)))
                elif type(atom) is External and atom.name not in ("builtins.object", "typing.Generic"):
                    lines.append([atom])
        cls.order = (cls, *_merge(lines))
        return cls.order

    def own(self, cls: Class, name: str) -> Value | None:
        """Return what a class's own body binds a name to, None when it does not."""
        value = cls.frame.env.get(name)
        stored = cls.frame.cells.get(name)
        if stored is not None:
            value = (value or NOTHING) | stored.value
        return value

    def find(self, cls: Class, name: str) -> Value | None:
        """Return what a class or its bases bind a name to; None when the project's classes do not."""
        if self._changes != self._m.class_changes:
            self._found.clear()
            self._changes = self._m.class_changes
        key = (cls, name)
        if key in self._found:
            return self._found[key]
        value = None
        for base in self.order(cls):
            if type(base) is Class:
                value = self.own(base, name)
                if value is not None:
                    break
        self._found[key] = value
        return value

    def setter(self, cls: Class, name: str) -> Value:
        """Return the function that sets a property."""
        for base in self.order(cls):
            if type(base) is Class:
                cell = base.frame.cells.get(f"{name}.setter")
                if cell is not None:
                    return cell.value
        return NOTHING

    def is_subclass(self, cls: Class, names: frozenset[str]) -> bool:
        """Tell whether a class has one of these library classes among its bases."""
        return any(
            type(base) is External and self._m.catalogue.canonical(base.name) in names for base in self.order(cls)
        )

    # --- fields -------------------------------------------------------------------------------------------------------

    def has_fields(self, cls: Class) -> bool:
        """Tell whether instances are made from annotated fields."""
        return any(type(base) is Class and base.flavour == "fields" for base in self.order(cls)) or any(
            type(base) is External and base.name in _FIELD_BASES for base in self.order(cls)
        )

    def is_plain(self, cls: Class) -> bool:
        """Tell whether a class is known to be nothing but a class: no fields are declared, nothing else is extended."""
        order = self.order(cls)
        return (
            not self.has_fields(cls)
            and all(type(base) is Class or (type(base) is External and base.name in _DULL_BASES) for base in order)
            and all(self._is_as_written(base) for base in order if isinstance(base, Class))
        )

    def _is_as_written(self, cls: Class) -> bool:
        """Tell whether all bases of a class are known, and nothing makes something else of it."""
        known = all(base and all(type(atom) in (Class, External) for atom in base) for base in cls.bases)
        decorators = [self._m.expressions.evaluate(each, cls.frame) for each in cls.facts.decorators]
        return known and not cls.facts.keywords and all(_are_harmless(found) for found in decorators)

    def is_abstract(self, cls: Class) -> bool:
        """Tell whether what is said to be of a class may be of any other: a protocol, an abstract class."""
        return self.is_subclass(cls, _ABSTRACT_BASES)

    def is_own(self, cls: Class) -> bool:
        """Tell whether nothing but the project's classes decides what an instance's attributes hold."""
        return all(isinstance(base, Class) or base.name in _DULL_BASES for base in self.order(cls))

    def always_sets(self, cls: Class, name: str) -> bool:
        """Tell whether every instance has an attribute of its own, so that the class's is never seen: a field."""
        own = [base for base in self.order(cls) if isinstance(base, Class)]
        return any(base.flavour == "fields" and name in base.facts.bound for base in own)

    @staticmethod
    def is_field_decorator(name: str) -> bool:
        """Tell whether a library's decorator makes a class one of fields."""
        return name in _FIELD_DECORATORS

    def fields(self, cls: Class) -> list[tree.Annotate]:
        """Return the annotated statements of a class's own body."""
        found = self._fields.get(cls)
        if found is None:
            found = self._fields[cls] = [
                node
                for node in decode_body(cls.facts.body)
                if type(node) is tree.Annotate and type(node.target) is tree.Name
            ]
        return found

    def _all_fields(self, cls: Class) -> list[tuple[Class, str, tree.Annotate]]:
        """Return fields with the class that declares them, in the order in which they are passed."""
        found: dict[str, tuple[Class, tree.Annotate]] = {}
        for base in reversed(self.order(cls)):
            if type(base) is Class:
                for node in self.fields(base):
                    if type(node.target) is tree.Name and not _is_class_variable(node.annotation):
                        found[node.target.id] = (base, node)
        return [(owner, name, node) for name, (owner, node) in found.items()]

    def declared(self, atom: Object, name: str, frame: Frame) -> Value:
        """Return what the annotation of a field says."""
        for base in self.order(atom.cls):
            if type(base) is Class:
                for node in self.fields(base):
                    if type(node.target) is tree.Name and node.target.id == name:
                        return self._m.annotations.instances(node.annotation, base.frame, frame)
        return NOTHING

    # --- instances ----------------------------------------------------------------------------------------------------

    def construct(self, cls: Class, arguments: Arguments, frame: Frame, at: int) -> Value:
        """Return what calling a class gives, and have its ``__init__`` evaluated."""
        self._m.consume(arguments.all())
        if self._m.enums.is_enum(cls):
            return self._m.enums.by_value(cls, arguments.get(0, "value") or NOTHING, frame)
        made = self._new(cls, arguments, frame, at)
        if made:
            return made
        depth = _depth(frame)
        maker = frame.leader if depth < _MADE_DEEPEST else None
        atom = self._m.make(("object", cls, maker, at), lambda: Object(cls, maker, depth))
        self.initialize(atom, arguments, frame, at)
        return exactly(atom)

    def any_instance(self, cls: Class, frame: Frame) -> Object:
        """Return the instance of a class of which nothing else is known: its parameters' types say what it holds."""
        atom = self._m.make(("any", cls), lambda: Object(cls, None))
        if self._m.enums.is_enum(cls):
            self._m.enums.fill_any(atom, frame)
        elif not atom.fields and self.find(cls, "__init__") is not None:
            self._m.attributes.field(atom, "__init__")
            self.initialize(atom, Arguments(is_open=True), frame, 0, silently=True)
        return atom

    def _new(self, cls: Class, arguments: Arguments, frame: Frame, at: int) -> Value:
        """Return what a ``__new__`` of the project or the metaclass's ``__call__`` gives, when there is one."""
        result = NOTHING
        for name, value in cls.facts.keywords:
            if name == "metaclass":
                for meta in self._m.expressions.evaluate(value, cls.frame):
                    if type(meta) is Class:
                        found = self.find(meta, "__call__")
                        if found is not None:
                            bound = arguments.before(frozenset((cls,)))
                            result |= self._m.calls.call(self._m.names.resolve(found, frame), bound, frame, at)
        found = self.find(cls, "__new__")
        if found is not None:
            functions = union(
                entry.function if type(entry) is Wrapper else frozenset((entry,))
                for entry in self._m.names.resolve(found, frame)
            )
            result |= self._m.calls.call(functions, arguments.before(frozenset((cls,))), frame, at)
        return frozenset(atom for atom in result if type(atom) is not Object or atom.cls is not cls)

    def initialize(self, atom: Object, arguments: Arguments, frame: Frame, at: int, *, silently: bool = False) -> None:
        """Have an instance made from arguments. Silently, nothing of it is the caller's."""
        init = self.find(atom.cls, "__init__")
        if init is not None:
            bound = arguments.before(exactly(atom))
            self._m.calls.call(self._m.names.resolve(init, frame), bound, frame, at, in_task=silently)
            return
        if self.has_fields(atom.cls):
            self._fill(atom, arguments, frame, at)
        for base in self.order(atom.cls):
            if type(base) is External and not silently:
                self._m.libraries.call(base.name, arguments, frame, at)

    def _fill(self, atom: Object, arguments: Arguments, frame: Frame, at: int) -> None:
        """Fill the fields of a dataclass or model, and call what makes its defaults."""
        fields = self._all_fields(atom.cls)
        self._m.effort.spent += len(fields) // ITEMS
        for position, (owner, name, node) in enumerate(fields):
            value = arguments.get(position, name)
            if arguments.is_open:
                value = inexact(value or NOTHING)
            elif value is None and node.value is not None:
                value = self._default(node.value, owner, frame, at)
            self._m.write(self._m.attributes.field(atom, name), value or NOTHING)
        for name in _AFTER_INIT:
            if self.find(atom.cls, name) is not None:
                self._m.calls.method(atom, name, (NOTHING,) if name == "model_post_init" else (), frame, at)

    def _default(self, node: tree.Expression, owner: Class, frame: Frame, at: int) -> Value:
        if type(node) is tree.Constant:
            return self._m.constant(node.value)
        if type(node) is not tree.Call:
            return self._m.expressions.evaluate(node, owner.frame)
        for atom in self._m.expressions.evaluate(node.function, owner.frame):
            if type(atom) is External and atom.name in _FIELD_MAKERS:
                for keyword, value in node.keywords:
                    if keyword in _FACTORIES:
                        factory = self._m.expressions.evaluate(value, owner.frame)
                        return self._m.calls.call(factory, Arguments(), frame, at)
                    if keyword == "default":
                        return self._m.expressions.evaluate(value, owner.frame)
                return NOTHING
        return self._m.expressions.evaluate(node, owner.frame)


def _are_harmless(decorators: Value) -> bool:
    """Tell whether decorators of a class are known to leave it what it is."""
    return bool(decorators) and all(type(atom) is External and atom.name in _HARMLESS_DECORATORS for atom in decorators)


def _merge(lines: list[list[Class | External]]) -> list[Class | External]:
    """Merge the orders of bases as Python does; when they contradict each other, depth first."""
    if len(lines) == 1:
        return lines[0]
    pending = [list(line) for line in lines] + [[line[0] for line in lines if line]]
    order: list[Class | External] = []
    while any(pending):
        pending = [line for line in pending if line]
        for line in pending:
            if not any(line[0] in other[1:] for other in pending):
                head = line[0]
                break
        else:
            head = pending[0][0]
        order.append(head)
        pending = [[entry for entry in line if entry is not head] for line in pending]
    return order


def _is_class_variable(annotation: tree.Expression) -> bool:
    inner = annotation.value if type(annotation) is tree.Subscript else annotation
    name = inner.name if type(inner) is tree.Attribute else inner.id if type(inner) is tree.Name else ""
    return name == "ClassVar"


def _depth(frame: Frame) -> int:
    """Return how many objects led to a frame, by its parameters: objects that make objects are told apart so deep."""
    return max(
        (1 + atom.depth for value in frame.parameters.values() for atom in value if type(atom) is Object), default=0
    )
