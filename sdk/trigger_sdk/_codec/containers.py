"""Subclasses of the built-in containers, default dicts and enums: rules and how they are put together again."""

from __future__ import annotations

import collections
import enum
from typing import Any, Final

from msgspec.msgpack import Ext

from trigger_sdk._codec.errors import ClassChanged
from trigger_sdk._codec.natives import lower_members
from trigger_sdk._codec.refs import Unnameable, display_name, ref_of
from trigger_sdk._codec.shapes import attributes_of, slots_of
from trigger_sdk._codec.walk import Refused, Rule, Walk, pack
from trigger_sdk.protocol import value_kinds as kinds

_CONTAINERS: Final = (list, dict, tuple, set, frozenset, collections.deque)
_ALTERABLE: Final = (list, dict, set, collections.deque)


def container_of(cls: type) -> type | None:
    """Return the built-in container that a class extends, or None."""
    return next((base for base in _CONTAINERS if issubclass(cls, base)), None)


def container_rule(cls: type, base: Any) -> Rule:
    """Return the rule for a subclass of a built-in container: its content, and its attributes.

    Raises:
        Refused: the class cannot be found by its name, or holds more than can be seen.
    """
    ref = named(cls)
    if issubclass(cls, collections.defaultdict):
        raise Refused(cls, "it extends defaultdict", "convert it with dict(...)")
    if _is_struct_sequence(cls):
        return _struct_sequence_rule(ref)
    slots = slots_of(cls)

    def rule(walk: Walk, value: Any, depth: int) -> Ext:
        # The container's own iterators: a subclass may show something else than it holds.
        if base is dict:
            content = walk.mapping(dict(dict.items(value)), depth)
        elif base in {set, frozenset}:
            content = lower_members(walk, base.__iter__(value), depth)
        else:
            content = walk.items(list(base.__iter__(value)), depth)
        if base is collections.deque:
            content = Ext(kinds.DEQUE, pack([value.maxlen, content]))
        attributes = attributes_of(value, cls, slots, without=frozenset())
        return Ext(kinds.CONTAINER, pack([ref, content, walk.fields(attributes, depth)]))

    return rule


def _is_struct_sequence(cls: Any) -> bool:
    """Tell whether a class is one of C's named tuples: ``os.stat_result``, ``time.struct_time``."""
    return issubclass(cls, tuple) and isinstance(getattr(cls, "n_sequence_fields", None), int)


def _struct_sequence_rule(ref: str) -> Rule:
    def rule(walk: Walk, value: Any, depth: int) -> Ext:
        _, (items, further) = value.__reduce__()  # fields beyond the sequence have names only
        return Ext(kinds.CONTAINER, pack([ref, walk.items(list(items), depth), walk.fields(further, depth)]))

    return rule


def make_container(cls: type, content: Any, attributes: dict[str, Any]) -> Any:
    """Return an object of a subclass of a built-in container, without calling its constructor.

    Raises:
        ClassChanged: the class is not a container any more.
    """
    base: Any = container_of(cls)
    if _is_struct_sequence(cls):
        return cls(content, attributes)
    if base is None:
        raise ClassChanged(f"a stored {display_name(cls)} was a container, which the class is not any more")
    if base in _ALTERABLE:
        value = base.__new__(cls)
        if base is collections.deque:
            base.__init__(value, content, content.maxlen)
        elif base is dict and issubclass(cls, collections.OrderedDict):
            for key, item in content.items():
                collections.OrderedDict.__setitem__(value, key, item)
        else:
            base.__init__(value, content)
    else:
        value = base.__new__(cls, content)
    for name, attribute in attributes.items():
        object.__setattr__(value, name, attribute)
    return value


def lower_defaultdict(walk: Walk, value: collections.defaultdict[Any, Any], depth: int) -> Ext:
    """Lower a defaultdict whose default factory is a class."""
    factory = value.default_factory
    if factory is not None and not isinstance(factory, type):
        raise Refused(value, "its default factory is not a class", "convert it with dict(...)")
    try:
        ref = None if factory is None else named(factory)
    except Refused as refused:
        raise Refused(value, f"of its default factory, {refused.reason}", "convert it with dict(...)") from refused
    return Ext(kinds.DEFAULTDICT, pack([ref, walk.mapping(dict(value), depth)]))


def enum_rule(cls: type) -> Rule:
    """Return the rule for an enum's members, flags included."""
    ref = named(cls)

    def rule(walk: Walk, value: Any, depth: int) -> Ext:
        try:
            lowered = walk.lower(value._value_, depth + 1)
        except Refused:  # a member may stand for anything: its name says which it is
            if value._name_ is None:
                raise
            lowered = None
        return Ext(kinds.ENUM, pack([ref, value._name_, lowered]))

    return rule


def make_enum(cls: Any, name: str | None, value: Any) -> Any:
    """Return the member of a name; when the name is gone, the member of a value.

    Raises:
        ClassChanged: the enum has neither.
    """
    if not isinstance(cls, enum.EnumMeta):
        raise ClassChanged(f"a stored {display_name(cls)} was an enum, which the class is not any more")
    if name is not None and name in cls.__members__:
        return cls.__members__[name]
    try:
        return cls(value)
    except ValueError as error:
        raise ClassChanged(
            f"{display_name(cls)} has no member {name} = {value!r} any more", hint="keep members that were stored"
        ) from error


def named(cls: type) -> str:
    """Return a class's ref.

    Raises:
        Refused: it cannot be found by its name.
    """
    try:
        return ref_of(cls)
    except Unnameable as error:
        raise Refused(cls, str(error), "define the class at the top level of a module, under its own name") from error
