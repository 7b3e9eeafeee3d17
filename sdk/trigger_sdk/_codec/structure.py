"""Reads plain data by an annotation, member by member, and collects every misfit on the way.

msgspec reads faster and stops at the first misfit; it also refuses a union of two dataclasses. This reading comes
second, to say all that is wrong, or to read what msgspec would not.
"""

from __future__ import annotations

import collections.abc
import dataclasses
import sys
import typing
from collections import deque
from typing import Annotated, Any, Final

import msgspec

from trigger_sdk._codec.annotations import field_types, has_fields, is_anything, is_union, name_of, unwrapped
from trigger_sdk._codec.leaves import Reading, read_leaf

FAILED: Final = object()
"""Returned in place of a value that does not fit."""

_LISTS: Final[dict[Any, Any]] = {
    list: list,
    set: set,
    frozenset: frozenset,
    deque: deque,
    collections.abc.Sequence: list,
    collections.abc.MutableSequence: list,
    collections.abc.Iterable: list,
    collections.abc.Collection: list,
    collections.abc.Set: set,
    collections.abc.MutableSet: set,
}
_MAPS: Final = (dict, collections.abc.Mapping, collections.abc.MutableMapping)


@dataclasses.dataclass(frozen=True, slots=True, kw_only=True)
class _Slot:
    """A field as input: its key in the data, the constructor's argument, and whether it has to be there."""

    key: str
    argument: str
    annotation: Any
    required: bool


def read_structure(value: Any, annotation: Any, path: str, reading: Reading) -> Any:  # noqa: PLR0911 - one for each kind
    """Return the value read by the annotation, or :data:`FAILED` after adding what does not fit to its misfits."""
    annotation = unwrapped(annotation)
    if is_anything(annotation):
        return value if annotation is not None else _leaf(value, type(None), path, reading)
    if is_union(annotation):
        return _read_union(value, typing.get_args(annotation), path, reading)
    origin = typing.get_origin(annotation) or annotation
    arguments = typing.get_args(annotation)
    if origin is Annotated:
        return _read_annotated(value, annotation, path, reading)
    if origin in _LISTS and arguments and isinstance(value, (list, tuple, set, frozenset)):
        return _read_list(value, _LISTS[origin], arguments[0], path, reading)
    if origin in _MAPS and arguments and isinstance(value, dict):
        return _read_map(value, arguments, path, reading)
    if origin is tuple and arguments and isinstance(value, (list, tuple)):
        return _read_tuple(value, annotation, path, reading)
    if has_fields(origin) and isinstance(value, dict) and not hasattr(origin, "__pydantic_validator__"):
        try:
            slots = _slots_of(origin, arguments, reading)
        except (NameError, TypeError) as error:
            reading.misfits.append((path, f"the annotations of {name_of(origin)} cannot be resolved: {error}"))
            return FAILED
        if slots is not None:
            return _read_fields(value, origin, slots, path, reading)
    return _leaf(value, annotation, path, reading)


def _leaf(value: Any, annotation: Any, path: str, reading: Reading) -> Any:
    found = len(reading.misfits)
    read = read_leaf(value, annotation, path, reading)
    return FAILED if len(reading.misfits) > found else read


def _read_annotated(value: Any, annotation: Any, path: str, reading: Reading) -> Any:
    inner = typing.get_args(annotation)[0]
    if not has_fields(typing.get_origin(inner) or inner) and not is_union(inner):
        return _leaf(value, annotation, path, reading)
    return read_structure(value, inner, path, reading)


def _read_list(value: Any, make: Any, member: Any, path: str, reading: Reading) -> Any:
    read = [read_structure(item, member, f"{path}[{index}]", reading) for index, item in enumerate(value)]
    return FAILED if any(item is FAILED for item in read) else make(read)


def _read_tuple(value: Any, annotation: Any, path: str, reading: Reading) -> Any:
    members = typing.get_args(annotation)
    if members[-1:] == (Ellipsis,):
        return _read_list(value, tuple, members[0], path, reading)
    if len(value) != len(members):
        reading.misfits.append((path, f"expected {len(members)} items, got {len(value)}"))
        return FAILED
    read = [read_structure(value[i], member, f"{path}[{i}]", reading) for i, member in enumerate(members)]
    return FAILED if any(item is FAILED for item in read) else tuple(read)


def _read_map(value: dict[Any, Any], arguments: tuple[Any, ...], path: str, reading: Reading) -> Any:
    key_type, item_type = arguments
    result = {}
    fits = True
    for key, item in value.items():
        place = _step(path, key)
        read_key = read_leaf_key(key, key_type, place, reading)
        read_item = read_structure(item, item_type, place, reading)
        if read_key is FAILED or read_item is FAILED:
            fits = False
        else:
            result[read_key] = read_item
    return result if fits else FAILED


def read_leaf_key(key: Any, annotation: Any, path: str, reading: Reading) -> Any:
    """Read a dict's key: JSON has strings only, so that ``"1"`` is an int where ints are expected."""
    annotation = unwrapped(annotation)
    if is_anything(annotation) or (isinstance(annotation, type) and isinstance(key, annotation)):
        return key
    try:
        return next(iter(msgspec.convert({key: None}, dict[annotation, None], str_keys=True)))
    except (msgspec.ValidationError, TypeError) as error:
        reading.misfits.append((path, f"the key does not fit: {str(error).partition(' - at ')[0]}"))
        return FAILED


def _read_fields(value: dict[Any, Any], cls: Any, slots: list[_Slot], path: str, reading: Reading) -> Any:
    arguments: dict[str, Any] = {}
    fits = True
    for slot in slots:
        place = _step(path, slot.key)
        if slot.key not in value:
            if slot.required:
                reading.misfits.append((place, "is required"))
                fits = False
            continue
        arguments[slot.argument] = read = read_structure(value[slot.key], slot.annotation, place, reading)
        fits = fits and read is not FAILED
    if not fits:
        return FAILED
    try:
        return cls(**arguments)
    except Exception as error:  # noqa: BLE001 - a constructor's own check, of whatever class
        reading.misfits.append((path, str(error) or type(error).__name__))
        return FAILED


def _read_union(value: Any, members: tuple[Any, ...], path: str, reading: Reading) -> Any:
    """Read by the member that fits and leaves the fewest keys unread; the first of several."""
    best: Any = FAILED
    best_unread: int | None = None
    attempts: list[tuple[Any, list[tuple[str, str]]]] = []
    for member in members:
        if member is type(None):
            if value is None:
                return None
            continue
        own = reading.attempt()
        read = read_structure(value, member, path, own)
        attempts.append((member, own.misfits))
        if read is FAILED:
            continue
        unread = _unread_keys(value, member, reading)
        if best_unread is None or unread < best_unread:
            best, best_unread = read, unread
    if best_unread is None:
        _report_union(value, attempts, path, reading)
    return best


def _report_union(value: Any, attempts: list[tuple[Any, list[tuple[str, str]]]], path: str, reading: Reading) -> None:
    """Report the misfits of the member that came closest, if any member knows something of the value."""
    if len(attempts) == 1:
        reading.misfits.extend(attempts[0][1])
        return
    names = ", ".join(name_of(member) for member, _ in attempts)
    near = [
        (_unread_keys(value, member, reading), len(own), member, own)
        for member, own in attempts
        if any(place != path for place, _ in own) and not _knows_nothing(value, member, reading)
    ]
    if not near:
        reading.misfits.append((path, f"fits none of {names}"))
        return
    _, _, member, closest = min(near, key=lambda attempt: attempt[:2])
    reading.misfits.extend(
        (place, f"{reason} (as {name_of(member)}; fits none of {names})") for place, reason in closest
    )


def _knows_nothing(value: Any, member: Any, reading: Reading) -> bool:
    return isinstance(value, dict) and _unread_keys(value, member, reading) == len(value)


def _unread_keys(value: Any, member: Any, reading: Reading) -> int:
    if not isinstance(value, dict):
        return 0
    cls = typing.get_origin(member) or member
    try:
        slots = _slots_of(cls, typing.get_args(member), reading) if has_fields(cls) else None
    except (NameError, TypeError):  # told where the member was read
        return 0
    return 0 if slots is None else len(value.keys() - {slot.key for slot in slots})


def _slots_of(cls: Any, arguments: tuple[Any, ...], reading: Reading) -> list[_Slot] | None:
    """Return the fields of a class as input, or None when only msgspec can read it."""
    if issubclass(cls, msgspec.Struct):
        config = cls.__struct_config__
        is_special = config.tag is not None or config.array_like or config.forbid_unknown_fields
        if is_special and not reading.by_name:
            return None
    hints = field_types(cls)
    bindings = dict(zip(getattr(cls, "__parameters__", ()), arguments, strict=False))
    return [
        _Slot(
            key=name if reading.by_name else key,
            argument=argument,
            annotation=_bound(hints.get(name, Any), bindings),
            required=required,
        )
        for name, key, argument, required in _inputs_of(cls, hints)
    ]


def _inputs_of(cls: Any, hints: dict[str, Any]) -> list[tuple[str, str, str, bool]]:
    """Return a class's inputs: field name, key in the data, argument of the constructor, whether it is required."""
    if issubclass(cls, msgspec.Struct):
        none = msgspec.NODEFAULT
        return [
            (each.name, each.encode_name, each.name, each.default is none and each.default_factory is none)
            for each in msgspec.structs.fields(cls)
        ]
    if dataclasses.is_dataclass(cls):
        missing = dataclasses.MISSING
        return [
            (each.name, each.name, each.name, each.default is missing and each.default_factory is missing)
            for each in cls.__dataclass_fields__.values()  # InitVars are among these only, and so are ClassVars
            if each.init and typing.get_origin(hints.get(each.name)) is not typing.ClassVar
        ]
    if hasattr(cls, "__attrs_attrs__"):
        nothing = sys.modules["attr"].NOTHING
        return [
            (each.name, each.name, each.alias, each.default is nothing) for each in cls.__attrs_attrs__ if each.init
        ]
    if typing.is_typeddict(cls):
        return [(name, name, name, _is_required(cls, name, hint)) for name, hint in hints.items()]
    return [(name, name, name, name not in cls._field_defaults) for name in cls._fields]


def _is_required(cls: Any, name: str, hint: Any) -> bool:
    """Tell whether a TypedDict requires a key: ``__required_keys__`` knows nothing of annotations that are strings."""
    qualifier = typing.get_origin(hint)
    if qualifier in {typing.Required, typing.NotRequired}:
        return qualifier is typing.Required
    return name in cls.__required_keys__


def _bound(annotation: Any, bindings: dict[Any, Any]) -> Any:
    """Put type arguments in place of type variables."""
    if annotation in bindings:
        return bindings[annotation]
    parameters = getattr(annotation, "__parameters__", ())
    if not parameters or isinstance(annotation, type):
        return annotation
    return annotation[tuple(bindings.get(each, Any) for each in parameters)]


def _step(path: str, key: Any) -> str:
    if isinstance(key, str) and key.isidentifier():
        return f"{path}.{key}" if path else key
    return f"{path}[{key!r}]"
