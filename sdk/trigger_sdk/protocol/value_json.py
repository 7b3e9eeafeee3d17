"""Renders the msgpack of an encoded value as plain JSON data, without user code.

Every extension type of :mod:`trigger_sdk.protocol.value_kinds` has one rendering in the table at the end.
"""

from __future__ import annotations

from base64 import b64encode
from collections.abc import Callable
from datetime import timedelta, timezone
from math import isfinite
from typing import Any, Final
from uuid import UUID

import msgspec

from trigger_sdk.protocol import value_kinds as kinds
from trigger_sdk.protocol.errors import ValueCorrupt

_SCALARS: Final = frozenset((str, int, bool, type(None)))
_ONLY_STR: Final = frozenset((str,))
_PROBLEM_FIELDS: Final = ("code", "hint", "where", "detail")
_MAX_DIGITS: Final = 4000
"""Python itself refuses to print ints of more than 4300 digits: longer ones are rendered in hexadecimal."""


def read_json(data: bytes | memoryview) -> Any:
    """Render msgpack with the extension types of this format as plain JSON data.

    Raises:
        ValueCorrupt: the data is not an encoded value.
    """
    try:
        return _presentable(_read(data))
    except ValueCorrupt:
        raise
    except Exception as error:  # damaged data fails in any way
        raise ValueCorrupt(f"an encoded value cannot be read: {error}") from error


def _read_extension(code: int, data: memoryview) -> Any:
    rule = _RULES.get(code)
    if rule is None:
        raise ValueCorrupt(f"an encoded value holds the unknown extension type {code}")
    return rule(data)


_read = msgspec.msgpack.Decoder(ext_hook=_read_extension).decode


def _presentable(value: Any) -> Any:  # noqa: PLR0911 - one for each kind
    """Replace what JSON has no word for among msgpack's own types: bytes, NaN and infinities."""
    kind = type(value)
    if kind in _SCALARS:
        return value
    if kind is dict:
        if not _ONLY_STR.issuperset(map(type, value)):
            raise ValueCorrupt("an encoded value holds a map with a key that is not a str")
        if _SCALARS.issuperset(map(type, value.values())):
            return value
        return {key: _presentable(item) for key, item in value.items()}
    if kind is list:
        if _SCALARS.issuperset(map(type, value)):
            return value
        return [_presentable(item) for item in value]
    if kind is float:
        return value if isfinite(value) else _non_finite(value)
    if kind is bytes:
        return b64encode(value).decode()
    raise ValueCorrupt(f"an encoded value holds a {kind.__name__}")


def _non_finite(value: float) -> str:
    if value != value:  # noqa: PLR0124 - the definition of NaN
        return "NaN"
    return "Infinity" if value > 0 else "-Infinity"


def _text(data: memoryview) -> str:
    return bytes(data).decode()


def _surrogates(data: memoryview) -> str:
    return bytes(data).decode("utf-8", "surrogatepass").encode("utf-8", "backslashreplace").decode()


def _bigint(data: memoryview) -> str:
    number = int.from_bytes(data, "big", signed=True)
    return str(number) if number.bit_length() < _MAX_DIGITS * 3 else hex(number)


def _timedelta(data: memoryview) -> str:
    days, seconds, microseconds = _read(data)
    sign = "-" if days < 0 else ""
    total = abs((days * 86400 + seconds) * 1_000_000 + microseconds)
    days, rest = divmod(total, 86_400_000_000)
    seconds, microseconds = divmod(rest, 1_000_000)
    fraction = f".{microseconds:06}".rstrip("0") if microseconds else ""
    time = f"T{seconds}{fraction}S" if rest or not days else ""
    return f"{sign}P{f'{days}D' if days else ''}{time}"


def _pairs(data: memoryview) -> dict[str, Any]:
    flat = _read(data)
    return {_key(key): item for key, item in zip(flat[::2], flat[1::2], strict=True)}


def _key(key: Any) -> str:
    return key if type(key) is str else str(_presentable(key))


def _enum(data: memoryview) -> Any:
    _, name, value = _read(data)
    return name if value is None else value


def _object(data: memoryview) -> Any:
    _, fields, *rest = _read(data)
    more = rest[0] if rest else {}
    return {**fields, **more.get("extra", {}), **more.get("attributes", {})}


def _exception(data: memoryview) -> dict[str, Any]:
    fields = _read(data)
    rendered = {name: fields[name] for name in ("type", "message", "traceback")}
    problem = fields.get("problem", {})
    rendered.update((name, problem[name]) for name in _PROBLEM_FIELDS if name in problem)
    attributes = {} if problem else _attributes(fields.get("attributes", {}))
    rest = {"notes": fields.get("notes"), "attributes": attributes, "errors": fields.get("errors")}
    return rendered | {name: value for name, value in rest.items() if value}


def _attributes(encoded: dict[str, bytes]) -> dict[str, Any]:
    attributes = {name: _read(data) for name, data in encoded.items()}
    return {name: value for name, value in attributes.items() if value is not None}


def _problem(data: memoryview) -> dict[str, Any]:
    fields = _read(data)
    rendered = {"type": "ProblemError", "message": fields.get("message", ""), "traceback": ""}
    return rendered | {name: fields[name] for name in _PROBLEM_FIELDS if name in fields}


def _zone(data: memoryview) -> str:
    zone = _read(data)
    if type(zone) is str:
        return zone
    name, seconds = zone
    return str(name or timezone(timedelta(seconds=seconds)))


def _first(data: memoryview) -> Any:
    return _read(data)[0]


def _second(data: memoryview) -> Any:
    return _read(data)[1]


_RULES: Final[dict[int, Callable[[memoryview], Any]]] = {
    kinds.TUPLE: _read,
    kinds.SET: _read,
    kinds.FROZENSET: _read,
    kinds.DATETIME: _first,
    kinds.DATE: _text,
    kinds.TIME: _first,
    kinds.TIMEDELTA: _timedelta,
    kinds.DECIMAL: _text,
    kinds.UUID: lambda data: str(UUID(bytes=bytes(data))),
    kinds.BIGINT: _bigint,
    kinds.COMPLEX: lambda data: str(complex(*_read(data))),
    kinds.BYTEARRAY: lambda data: b64encode(data).decode(),
    kinds.PATH: _second,
    kinds.ENUM: _enum,
    kinds.PAIRS: _pairs,
    kinds.OBJECT: _object,
    kinds.EXCEPTION: _exception,
    kinds.PROBLEM: _problem,
    kinds.CONTAINER: _second,
    kinds.DEQUE: _second,
    kinds.DEFAULTDICT: _second,
    kinds.TEXT: _second,
    kinds.SECRET: lambda _data: "**********",
    kinds.SURROGATES: _surrogates,
    kinds.RANGE: _read,
    kinds.FRACTION: lambda data: "/".join(map(str, _read(data))),
    kinds.ZONE: _zone,
    kinds.NOT_KEPT: lambda _data: None,
    kinds.UNSET: lambda _data: None,
}
