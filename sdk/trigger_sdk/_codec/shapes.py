"""Shapes: how objects of a class are taken apart into fields, and put together again without running user code.

Neither ``__init__`` nor validators run when an object is put together: it had passed them when it was made.
"""

from __future__ import annotations

import dataclasses
import sys
from collections.abc import Callable, Iterable
from functools import cached_property
from types import MemberDescriptorType
from typing import Any, Final, Protocol

from trigger_sdk._codec.errors import ClassChanged
from trigger_sdk._codec.refs import display_name
from trigger_sdk._codec.walk import Refused

_set_attribute: Final = object.__setattr__
_IGNORED_ATTRIBUTES: Final = frozenset(("__orig_class__", "_attrs_cached_hash"))
_IGNORED_SLOTS: Final = frozenset(("__dict__", "__weakref__"))

Taken = tuple[dict[str, Any], dict[str, Any] | None]
"""Fields, and what else the object holds (``attributes``, ``extra``, ``private``: maps; ``set``: list of names)."""


class Shape(Protocol):
    """How objects of one class are taken apart and put together."""

    def take(self, value: Any) -> Taken:
        """Return the fields of an object, and what else it holds.

        Raises:
            Refused: a field has no value.
        """

    def make(self, fields: dict[str, Any], more: dict[str, Any]) -> Any:
        """Return the object. Fields that the class has not are dropped, missing ones take their defaults.

        Raises:
            ClassChanged: a missing field has no default, or the class has another kind of constructor now.
        """


@dataclasses.dataclass(frozen=True, slots=True, kw_only=True)
class Field:
    """A field of a dataclass or attrs class.

    Attributes:
        name: the attribute's name.
        default: makes the default, given the object; None when there is none.
        may_be_unset: the constructor does not set it, so that an object need not have it.
    """

    name: str
    default: Callable[[Any], Any] | None
    may_be_unset: bool


class FieldsShape:
    """Dataclasses and attrs classes, frozen or not, with slots or without."""

    def __init__(self, cls: type, fields: Iterable[Field], *, slots: Iterable[str]) -> None:
        self._cls = cls
        self._fields = tuple(fields)
        self._keys = frozenset(field.name for field in self._fields)
        self._has_dict = bool(cls.__dictoffset__)
        self._slots = tuple(name for name in slots if name not in self._keys)
        hash_code = getattr(cls.__hash__, "__code__", None)
        self._resets_hash = hash_code is not None and "_attrs_cached_hash" in hash_code.co_names
        # The usual class: every field lives in __dict__, and nothing stands between.
        self._simple = self._has_dict and not any(_is_data_descriptor(cls, name) for name in self._keys)
        try:
            object.__new__(cls)
        except TypeError as error:
            raise Refused(cls, f"it cannot be made without its constructor: {error}") from error

    def take(self, value: Any) -> Taken:
        """See :class:`Shape`."""
        if self._simple and not self._slots and value.__dict__.keys() == self._keys:
            return value.__dict__, None
        fields = {}
        for field in self._fields:
            try:
                fields[field.name] = getattr(value, field.name)
            except AttributeError:
                if not field.may_be_unset:
                    raise Refused(value, f"its field {field.name} is not set") from None
        attributes = attributes_of(value, self._cls, self._slots, without=self._keys)
        return fields, {"attributes": attributes} if attributes else None

    def make(self, fields: dict[str, Any], more: dict[str, Any]) -> Any:
        """See :class:`Shape`."""
        value: Any = object.__new__(self._cls)
        if self._simple and fields.keys() == self._keys:
            value.__dict__.update(fields)
        else:
            self._fill(value, fields)
        for name, attribute in more.get("attributes", {}).items():
            _set_attribute(value, name, attribute)
        if self._resets_hash:
            _set_attribute(value, "_attrs_cached_hash", None)
        return value

    def _fill(self, value: Any, fields: dict[str, Any]) -> None:
        for field in self._fields:
            if field.name in fields:
                _set_attribute(value, field.name, fields[field.name])
        for field in self._fields:
            if field.name in fields:
                continue
            if field.default is not None:
                _set_attribute(value, field.name, field.default(value))
            elif not field.may_be_unset:
                raise missing_field(self._cls, field.name)


class TupleShape:
    """Named tuples."""

    def __init__(self, cls: Any) -> None:
        self._cls = cls
        self._names: tuple[str, ...] = cls._fields
        self._defaults: dict[str, Any] = cls._field_defaults

    def take(self, value: Any) -> Taken:
        """See :class:`Shape`."""
        if len(self._names) != tuple.__len__(value):
            # platform.uname() finds its last member out when it is looked at.
            reason = f"it holds {tuple.__len__(value)} of its {len(self._names)} members"
            raise Refused(value, reason, "convert it with tuple(...), or return the members that are needed")
        fields = dict(zip(self._names, tuple.__iter__(value), strict=True))
        attributes = attributes_of(value, self._cls, (), without=frozenset())
        return fields, {"attributes": attributes} if attributes else None

    def make(self, fields: dict[str, Any], more: dict[str, Any]) -> Any:
        """See :class:`Shape`."""
        members = []
        for name in self._names:
            if name in fields:
                members.append(fields[name])
            elif name in self._defaults:
                members.append(self._defaults[name])
            else:
                raise missing_field(self._cls, name)
        value = tuple.__new__(self._cls, members)
        for name, attribute in more.get("attributes", {}).items():
            _set_attribute(value, name, attribute)
        return value


def dataclass_shape(cls: Any) -> FieldsShape:
    """Return the shape of a dataclass of the standard library or of pydantic."""
    return FieldsShape(cls, [_dataclass_field(field) for field in dataclasses.fields(cls)], slots=slots_of(cls))


def attrs_shape(cls: Any) -> FieldsShape:
    """Return the shape of a class made by attrs."""
    # Other slots than the fields' hold what attrs itself remembers: hashes and cached properties.
    return FieldsShape(cls, [_attrs_field(attribute) for attribute in cls.__attrs_attrs__], slots=())


def missing_field(cls: type, name: str) -> ClassChanged:
    """Return the error for a field that a stored object has not and that has no default."""
    return ClassChanged(f"a stored {display_name(cls)} has no {name}, which the class requires now", where=name)


def slots_of(cls: type) -> list[str]:
    """Return the names of all slots of a class and its bases."""
    return [
        name
        for base in reversed(cls.__mro__)
        for name, member in vars(base).items()
        if type(member) is MemberDescriptorType and name not in _IGNORED_SLOTS
    ]


def attributes_of(value: Any, cls: type, slots: Iterable[str], without: frozenset[str]) -> dict[str, Any]:
    """Return what an object holds beside the fields named in ``without``, but for what is computed from them."""
    held = dict(getattr(value, "__dict__", {}))
    for name in slots:
        try:
            held[name] = getattr(value, name)
        except AttributeError:
            continue
    return {
        name: attribute
        for name, attribute in held.items()
        if name not in without and name not in _IGNORED_ATTRIBUTES and not is_cached(cls, name)
    }


def is_cached(cls: type, name: str) -> bool:
    """Tell whether an attribute is the remembered result of a cached_property."""
    return isinstance(_on_class(cls, name), cached_property)


def _on_class(cls: type, name: str) -> Any:
    return next((vars(base)[name] for base in cls.__mro__ if name in vars(base)), None)


def _is_data_descriptor(cls: type, name: str) -> bool:
    return hasattr(type(_on_class(cls, name)), "__set__")


def _dataclass_field(field: dataclasses.Field[Any]) -> Field:
    make: Callable[[Any], Any] | None = None
    if field.default_factory is not dataclasses.MISSING:
        factory = field.default_factory
        make = lambda _value: factory()  # noqa: E731 - one of two ways to make it
    elif field.default is not dataclasses.MISSING:
        default = field.default
        make = lambda _value: default  # noqa: E731
    return Field(name=field.name, default=make, may_be_unset=not field.init)


def _attrs_field(attribute: Any) -> Field:
    default = attribute.default
    make: Callable[[Any], Any] | None = None
    attr = sys.modules["attr"]
    if isinstance(default, attr.Factory):
        make = default.factory if default.takes_self else lambda _value: default.factory()
    elif default is not attr.NOTHING:
        make = lambda _value: default  # noqa: E731
    return Field(name=attribute.name, default=make, may_be_unset=not attribute.init)
