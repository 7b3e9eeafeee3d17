"""From bytes to live values."""

from __future__ import annotations

import inspect
import sys
from collections import defaultdict
from collections.abc import Callable
from typing import Any, Final, NamedTuple, NoReturn

import msgspec

from trigger_sdk._codec import natives
from trigger_sdk._codec.classes import is_secret, is_url, shape_of
from trigger_sdk._codec.containers import make_container, make_enum
from trigger_sdk._codec.errors import (
    ClassChanged,
    ClassNotFound,
    NotKept,
    PayloadInvalid,
    ProblemError,
    ValueCorrupt,
)
from trigger_sdk._codec.exceptions import make_exception
from trigger_sdk._codec.refs import anchor_of, display_name, resolve
from trigger_sdk._codec.shapes import Shape
from trigger_sdk._codec.walk import Refused
from trigger_sdk.protocol import value_kinds as kinds
from trigger_sdk.protocol.problem import Problem, TriggerError
from trigger_sdk.protocol.values import unseal

_modules: Final = sys.modules
_UNANNOTATED: Final = (Any, object, inspect.Parameter.empty, None)


def _shape_of(cls: Any) -> Shape | None:
    try:
        return shape_of(cls)
    except Refused:  # today's class cannot be made without its constructor
        return None


class _Found(NamedTuple):
    """A class that was found by its ref, and where to see whether its module was reloaded since."""

    module: str
    name: str
    anchor: Any
    cls: Any
    shape: Shape | None


class Reader:
    """Reads msgpack with the extension types of this format; keeps what it learned about classes, by their refs."""

    def __init__(self) -> None:
        self.read: Callable[[Any], Any] = msgspec.msgpack.Decoder(ext_hook=self._read_extension).decode
        self._found: dict[str, _Found] = {}
        self._rules: dict[int, Callable[[Any], Any]] = {
            **natives.READINGS,
            kinds.OBJECT: self.make_object,
            kinds.ENUM: self.make_enum,
            kinds.CONTAINER: self.make_container,
            kinds.DEFAULTDICT: self.make_defaultdict,
            kinds.TEXT: self.make_from_text,
            kinds.SECRET: self.make_secret,
            kinds.EXCEPTION: lambda fields: make_exception(fields, self._find_exception, _reader.read),
            kinds.PROBLEM: lambda fields: ProblemError(Problem.from_dict(fields)),
            kinds.NOT_KEPT: lambda data: NotKept(*data),
        }

    def _read_extension(self, code: int, data: memoryview) -> Any:
        rule = self._rules.get(code)
        if rule is not None:
            return rule(self.read(data))
        raw = natives.RAW_READINGS.get(code)
        if raw is not None:
            return raw(data)
        if code == kinds.UNSET:
            return msgspec.UNSET
        raise ValueCorrupt(f"an encoded value holds the unknown extension type {code}")

    def make_object(self, data: list[Any]) -> Any:
        """Make an object of a class with fields."""
        ref, fields, *rest = data
        found = self._find(ref)
        if found.shape is None:
            raise ClassChanged(f"a stored {display_name(found.cls)} had fields, which the class has not any more")
        return found.shape.make(fields, rest[0] if rest else _NOTHING)

    def make_enum(self, data: list[Any]) -> Any:
        """Find an enum's member."""
        ref, name, value = data
        return make_enum(self._class(ref), name, value)

    def make_container(self, data: list[Any]) -> Any:
        """Make an object of a subclass of a built-in container."""
        ref, content, attributes = data
        return make_container(self._class(ref), content, attributes)

    def make_defaultdict(self, data: list[Any]) -> Any:
        """Make a defaultdict."""
        ref, content = data
        return defaultdict(None if ref is None else self._class(ref), content)

    def make_from_text(self, data: list[Any]) -> Any:
        """Make an IP address or URL."""
        ref, text = data
        cls = self._class(ref)
        if cls not in natives.ADDRESSES and not is_url(cls):
            raise ClassChanged(f"a stored {display_name(cls)} was made from text, which the class is not any more")
        return cls(text)

    def make_secret(self, data: list[Any]) -> Any:
        """Make one of pydantic's secrets."""
        ref, value = data
        cls = self._class(ref)
        if not is_secret(cls):
            raise ClassChanged(f"a stored {display_name(cls)} was a secret, which the class is not any more")
        return cls(value)

    def _class(self, ref: str) -> Any:
        return self._find(ref).cls

    def _find(self, ref: str) -> _Found:
        found = self._found.get(ref)
        if found is None or getattr(_modules.get(found.module), found.name, None) is not found.anchor:
            cls = resolve(ref)
            module, name = anchor_of(ref)
            anchor = getattr(_modules.get(module), name, None)
            found = self._found[ref] = _Found(module, name, anchor, cls, _shape_of(cls))
        return found

    def _find_exception(self, ref: str) -> type[BaseException] | None:
        try:
            cls = self._class(ref)
        except ClassNotFound:
            return None
        return cls if issubclass(cls, BaseException) else None


class PlainReader(Reader):
    """Reads objects as maps of their fields, enums as their values: what an annotation can be applied to."""

    def make_object(self, data: list[Any]) -> Any:
        """Return the fields."""
        _, fields, *rest = data
        more = rest[0] if rest else _NOTHING
        return {**fields, **more.get("extra", {})}

    def make_enum(self, data: list[Any]) -> Any:
        """Return the value, or the name when it has none that could be stored."""
        _, name, value = data
        return name if value is None else value

    def make_container(self, data: list[Any]) -> Any:
        """Return the content."""
        return data[1]

    def make_defaultdict(self, data: list[Any]) -> Any:
        """Return the content."""
        return data[1]

    def make_from_text(self, data: list[Any]) -> Any:
        """Return the text."""
        return data[1]

    def make_secret(self, data: list[Any]) -> Any:
        """Return what is secret."""
        return data[1]


_NOTHING: Final[dict[str, Any]] = {}
_reader: Final = Reader()
_plain_reader: Final = PlainReader()


def decode(value: bytes, annotation: Any = Any) -> Any:
    """Return the live value that was encoded.

    Args:
        value: what ``encode`` or :func:`trigger_sdk.protocol.values.encode_json` returned.
        annotation: the type expected. It is used when a class in the value is not found: then the whole value is
            converted to it, from plain data.

    Raises:
        ClassNotFound: a class is not found, and the annotation does not help.
        ClassChanged: a class is found, and does not fit.
        ValueCorrupt: the bytes are not an encoded value.
    """
    data = value[1:] if value[:1] == b"\x00" else unseal(value)
    try:
        return _reader.read(data)
    except (ClassNotFound, ClassChanged) as error:
        if any(annotation is each for each in _UNANNOTATED):
            raise
        return _convert(data, annotation, error)
    except TriggerError:
        raise
    except Exception as error:  # noqa: BLE001 - damaged data fails in any way
        _raise_corrupt(error)


def decode_plain(value: bytes) -> Any:
    """Return an encoded value with its objects as maps of their fields: input for a conversion by annotation.

    Dates, decimals and other values of the standard library are themselves.

    Raises:
        ValueCorrupt: the bytes are not an encoded value.
    """
    return _read_plain(unseal(value))


def decode_error(value: bytes) -> BaseException:
    """Return the exception that was encoded, as its own class, without calling its constructor.

    Its ``__cause__`` is an ``OriginalTraceback``. An exception whose class is not found is a
    ``TaskError``, and a problem is a ``ProblemError``.

    Raises:
        ValueCorrupt: the bytes are not an encoded exception or problem.
    """
    error = decode(value)
    if not isinstance(error, BaseException):
        raise ValueCorrupt("an encoded value is not an error")
    return error


def _convert(data: bytes | memoryview, annotation: Any, error: TriggerError) -> Any:
    from trigger_sdk._codec.payload import read_fields  # needed for changed code only, and it imports this module

    try:
        return read_fields(_read_plain(data), annotation, what="the stored value")
    except PayloadInvalid as misfit:
        error.add_note(f"It was converted to the annotated type, in vain:\n{misfit.problem.detail}")
        raise error from misfit


def _read_plain(data: bytes | memoryview) -> Any:
    try:
        return _plain_reader.read(data)
    except TriggerError:
        raise
    except Exception as error:  # noqa: BLE001 - damaged data fails in any way
        _raise_corrupt(error)


def _raise_corrupt(error: Exception) -> NoReturn:
    raise ValueCorrupt(f"an encoded value cannot be read: {type(error).__name__}: {error}") from error
