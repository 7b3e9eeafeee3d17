"""Exceptions as values: taken apart with what they hold, put together without calling their constructors.

A constructor's signature is of no matter: the object is made by ``__new__``, then given ``args`` and attributes.
Arguments and attributes are stored one by one, so that one which cannot be read back does not take the others along.
"""

from __future__ import annotations

from collections.abc import Callable
from types import MemberDescriptorType
from typing import Any, Final

from msgspec.msgpack import Ext

from trigger_sdk._codec.errors import NotKept, OriginalTraceback, TaskError
from trigger_sdk._codec.pydantic_errors import is_validation_error, lines_of, make_validation_error
from trigger_sdk._codec.refs import Unnameable, display_name, ref_of
from trigger_sdk._codec.traceback_text import cut, traceback_text
from trigger_sdk._codec.walk import Refused, Walk, lower_text, pack
from trigger_sdk.protocol import value_kinds as kinds
from trigger_sdk.protocol.limits import BIG_VALUE_BYTES
from trigger_sdk.protocol.problem import Problem

_MAX_MESSAGE: Final = 64 * 1024
_MAX_LINE: Final = 1000
_set_attribute: Final = BaseException.__setattr__  # past the class's own, which may refuse (frozen classes do)
_ROOM: Final = 4 * BIG_VALUE_BYTES
"""Bytes that arguments and attributes of one exception may take together."""

_LEFT_OUT: Final = frozenset(("__notes__", "obj", "exceptions"))
"""Kept elsewhere, or (``obj`` of AttributeError and NameError) whatever the code was working on."""

Find = Callable[[str], type[BaseException] | None]
"""Finds a class by its ref; None when it is not there or not an exception."""
Read = Callable[[bytes], Any]
"""Reads a value's msgpack."""


class _Parts:
    """Encodes an exception's parts one by one while there is room."""

    def __init__(self, walk: Walk, depth: int) -> None:
        self._walk = walk
        self._depth = depth
        self._room = _ROOM

    def encode(self, value: Any) -> bytes | None:
        """Return a part's msgpack, or None when it cannot be stored or there is no room for it."""
        try:
            data = pack(self._walk.lower(value, self._depth + 1))
        except self._walk.part_errors:
            return None
        if len(data) > min(self._room, BIG_VALUE_BYTES):
            return None
        self._room -= len(data)
        return data


def lower_exception(walk: Walk, error: BaseException, depth: int) -> Ext:
    """The rule for exceptions."""
    parts = _Parts(walk, depth)
    cls = type(error)
    name, message = display_name(cls), message_of(error)
    if cls is TaskError and isinstance(error, TaskError):
        name, message = str(error.type_name), str(error.message)
    fields: dict[str, Any] = {
        "class": f"{cls.__module__}:{cls.__qualname__}",
        "type": name,
        "message": lower_text(cut(message, _MAX_MESSAGE)),
        "traceback": lower_text(traceback_text(error)),
    }
    base = _nearest_base(cls)
    if base is not None:
        fields["base"] = base
    if isinstance(error, BaseExceptionGroup):
        fields["args"] = [pack(lower_text(error.message))]
        fields["errors"] = [_lower_member(walk, member, depth) for member in error.exceptions]
    elif is_validation_error(cls):
        fields["args"] = [_text_of(getattr(error, "title", ""))]
        fields["lines"] = [_lower_line(parts, line) for line in lines_of(error)]
    else:
        fields["args"] = [parts.encode(each) or _text_of(each) for each in error.args]
    attributes = {key: parts.encode(each) or _not_kept(key, name) for key, each in _attributes_of(error).items()}
    if attributes:
        fields["attributes"] = attributes
    notes = getattr(error, "__notes__", None)
    if isinstance(notes, (list, tuple)):
        fields["notes"] = [lower_text(cut(note, _MAX_MESSAGE)) for note in notes if isinstance(note, str)]
    problem = getattr(error, "problem", None)
    if isinstance(problem, Problem):
        fields["problem"] = {key: lower_text(text) for key, text in problem.to_dict().items()}
    return Ext(kinds.EXCEPTION, pack(fields))


def _lower_line(parts: _Parts, line: dict[str, Any]) -> bytes:
    """Encode a line of a ValidationError; what was refused may be anything, and may stay as text."""
    data = parts.encode(line)
    if data is not None:
        return data
    context = {
        name: message_of(each) if isinstance(each, BaseException) else str(each)
        for name, each in line.get("ctx", {}).items()
    }
    return parts.encode({**line, "input": cut(repr(line["input"]), _MAX_LINE), "ctx": context}) or pack(
        {"type": line["type"], "loc": [], "msg": line["msg"]}
    )


def _lower_member(walk: Walk, member: BaseException, depth: int) -> Ext:
    try:
        return walk.lower(member, depth + 1)  # type: ignore[no-any-return]
    except Refused:
        return lower_exception(walk, TaskError(display_name(type(member)), message_of(member)), depth)


def message_of(error: BaseException) -> str:
    """Return what an exception prints, whatever its ``__str__`` does."""
    try:
        return str(error)
    except Exception:  # noqa: BLE001 - code of the user's
        return f"<unprintable {type(error).__name__}>"


def _text_of(value: object) -> bytes:
    try:
        text = str(value)
    except Exception:  # noqa: BLE001 - code of the user's
        text = f"<unprintable {type(value).__name__}>"
    return pack(lower_text(cut(text, _MAX_MESSAGE)))


def _not_kept(attribute: str, owner: str) -> bytes:
    return pack(Ext(kinds.NOT_KEPT, pack((attribute, owner))))


def _attributes_of(error: BaseException) -> dict[str, Any]:
    """Return what an exception holds: its ``__dict__``, its slots, and the members of built-in classes that are set."""
    held: dict[str, Any] = {}
    for base in type(error).__mro__:
        if base in {BaseException, BaseExceptionGroup, object}:
            continue
        for name, member in vars(base).items():
            if type(member) is not MemberDescriptorType or name in {"__dict__", "__weakref__"}:
                continue
            try:
                value = member.__get__(error)
            except AttributeError:
                continue
            if value is not None or base.__module__ != "builtins":
                held[name] = value
    held.update(getattr(error, "__dict__", {}))
    return {name: value for name, value in held.items() if name not in _LEFT_OUT}


def _nearest_base(cls: type[BaseException]) -> str | None:
    """Return the ref of the nearest base that can be found, when the class itself cannot: some are made on the fly."""
    try:
        ref_of(cls)
    except Unnameable:
        for base in cls.__mro__[1:]:
            if base in {Exception, BaseException, object, BaseExceptionGroup, ExceptionGroup}:
                return None
            try:
                return ref_of(base)
            except Unnameable:
                continue
    return None


# --- reading ----------------------------------------------------------------------------------------------------


def make_exception(fields: dict[str, Any], find: Find, read: Read) -> BaseException:
    """Return the exception that was taken apart, as its own class, or as a :class:`TaskError` when it is not there.

    Its ``__cause__`` is an :class:`OriginalTraceback`.
    """
    owner = fields["type"]
    arguments = [_read_or(read, data, f"<argument of {owner}, not kept>") for data in fields["args"]]
    attributes = {
        name: _read_or(read, data, NotKept(name, owner)) for name, data in fields.get("attributes", {}).items()
    }
    errors = fields.get("errors")
    if "lines" in fields:
        return _make_validation_error(fields, str(arguments[0]), read)
    error = _bare(fields, find, [*arguments, errors] if errors is not None else arguments)
    if error is None:
        error = TaskError(owner, fields["message"], fields["traceback"])
    else:
        if errors is None:
            _set_attribute(error, "args", tuple(arguments))
        for name, value in attributes.items():
            _set(error, name, value)
    if "notes" in fields:
        _set_attribute(error, "__notes__", fields["notes"])
    _set_attribute(error, "__cause__", OriginalTraceback(fields["traceback"]))
    return error


def _make_validation_error(fields: dict[str, Any], title: str, read: Read) -> BaseException:
    try:
        error = make_validation_error(title, [read(line) for line in fields["lines"]])
    except Exception:  # noqa: BLE001 - another version of pydantic, or none: what it said matters more
        error = TaskError(fields["type"], fields["message"], fields["traceback"])
    error.__cause__ = OriginalTraceback(fields["traceback"])
    return error


def _read_or(read: Read, data: bytes, otherwise: Any) -> Any:
    try:
        return read(data)
    except Exception:  # noqa: BLE001 - whatever is wrong with this part, the exception itself matters more
        return otherwise


def _bare(fields: dict[str, Any], find: Find, arguments: list[Any]) -> BaseException | None:
    cls = find(fields["class"])
    if cls is None and "base" in fields:
        cls = find(fields["base"])
    if cls is None:
        return None
    makers = [cls, *(base for base in cls.__mro__ if base.__module__ == "builtins" and issubclass(base, BaseException))]
    for maker in makers:
        try:
            error = maker.__new__(cls, *arguments)
        except Exception:  # noqa: BLE001, S112 - a __new__ of the user's own, with a signature of its own
            continue
        if isinstance(error, cls):
            return error
    return None


def _set(error: BaseException, name: str, value: Any) -> None:
    """Set an attribute past any ``__setattr__`` and property of the class."""
    member = next((vars(base)[name] for base in type(error).__mro__ if name in vars(base)), None)
    if type(member) is MemberDescriptorType:
        try:
            member.__set__(error, value)
        except (AttributeError, TypeError):  # read-only, or of a type of its own, and set by __new__ already
            return
    elif hasattr(error, "__dict__"):
        error.__dict__[name] = value
