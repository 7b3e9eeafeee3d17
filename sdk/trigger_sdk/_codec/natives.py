"""The standard library's own value types: dates, numbers, paths, containers. Each has a rule and a reading."""

from __future__ import annotations

import datetime as dt
import ipaddress
import pathlib
from collections import deque
from collections.abc import Callable
from decimal import Decimal
from fractions import Fraction
from typing import Any, Final
from uuid import UUID
from zoneinfo import ZoneInfo

from msgspec.msgpack import Ext

from trigger_sdk._codec.walk import Refused, Rule, Walk, lower_integer, lower_text, pack
from trigger_sdk.protocol import value_kinds as kinds

ADDRESSES: Final = (
    ipaddress.IPv4Address,
    ipaddress.IPv6Address,
    ipaddress.IPv4Network,
    ipaddress.IPv6Network,
    ipaddress.IPv4Interface,
    ipaddress.IPv6Interface,
)
"""Classes that are made from their own text."""


def _identity(_walk: Walk, value: Any, _depth: int) -> Any:
    return value


def _tuple(walk: Walk, value: tuple[Any, ...], depth: int) -> Ext:
    return Ext(kinds.TUPLE, pack(walk.items(value, depth)))


def lower_members(walk: Walk, value: Any, depth: int) -> list[Any]:
    """Lower the members of a set, in an order that depends on nothing but them."""
    types = set(map(type, value))
    if len(types) == 1 and types <= {str, int, bytes} and types <= walk.plain:
        return sorted(value)
    return sorted(walk.items(list(value), depth), key=pack)


def _set(walk: Walk, value: set[Any], depth: int) -> Ext:
    return Ext(kinds.SET, pack(lower_members(walk, value, depth)))


def _frozenset(walk: Walk, value: frozenset[Any], depth: int) -> Ext:
    return Ext(kinds.FROZENSET, pack(lower_members(walk, value, depth)))


def _deque(walk: Walk, value: deque[Any], depth: int) -> Ext:
    return Ext(kinds.DEQUE, pack([value.maxlen, walk.items(list(value), depth)]))


def _datetime(_walk: Walk, value: dt.datetime, _depth: int) -> Ext:
    zone = value.tzinfo
    if zone is None or zone is dt.UTC:
        return Ext(kinds.DATETIME, pack((value.isoformat(), value.fold, None)))
    key = getattr(zone, "zone", None)
    if isinstance(key, str) and not isinstance(zone, ZoneInfo):  # pytz, which does not know fold
        zone = _zone_or_none(key)
        value = value if zone is None else value.astimezone(zone)
    return Ext(kinds.DATETIME, pack((value.isoformat(), value.fold, _lowered_zone(zone))))


def _time(_walk: Walk, value: dt.time, _depth: int) -> Ext:
    return Ext(kinds.TIME, pack((value.isoformat(), value.fold, _lowered_zone(value.tzinfo))))


def _lowered_zone(zone: dt.tzinfo | None) -> str | tuple[str, float] | None:
    """Return a zone's key, or name and offset of a named offset; None where the ISO text says all.

    Any other tzinfo (pydantic's, dateutil's) is kept as the offset that it had at the time.
    """
    if isinstance(zone, ZoneInfo):
        return zone.key
    if type(zone) is dt.timezone:
        name, offset = zone.tzname(None), zone.utcoffset(None)
        if name != dt.timezone(offset).tzname(None):
            return name, offset.total_seconds()
    return None


def _timezone(_walk: Walk, value: dt.timezone, _depth: int) -> Ext:
    return Ext(kinds.ZONE, pack(_lowered_zone(value) or (None, value.utcoffset(None).total_seconds())))


def _zone_by_key(_walk: Walk, value: ZoneInfo, _depth: int) -> Ext:
    if value.key is None:
        raise Refused(value, "it has no key", "make it with ZoneInfo(key)")
    return Ext(kinds.ZONE, pack(value.key))


def _zone_or_none(key: str) -> ZoneInfo | None:
    try:
        return ZoneInfo(key)
    except (LookupError, ValueError, OSError):
        return None


def _fraction(_walk: Walk, value: Fraction, _depth: int) -> Ext:
    return Ext(kinds.FRACTION, pack([lower_integer(value.numerator), lower_integer(value.denominator)]))


def _range(_walk: Walk, value: range, _depth: int) -> Ext:
    return Ext(kinds.RANGE, pack([lower_integer(each) for each in (value.start, value.stop, value.step)]))


def _path(_walk: Walk, value: pathlib.PurePath, _depth: int) -> Ext:
    windows = isinstance(value, pathlib.PureWindowsPath)
    pure = "" if isinstance(value, pathlib.Path) else "Pure"
    return Ext(kinds.PATH, pack([f"{pure}{'Windows' if windows else 'Posix'}Path", lower_text(str(value))]))


def _timedelta(_walk: Walk, value: dt.timedelta, _depth: int) -> Ext:
    return Ext(kinds.TIMEDELTA, pack((value.days, value.seconds, value.microseconds)))


def _copy_datetime(value: dt.datetime) -> dt.datetime:
    return dt.datetime.combine(dt.date(value.year, value.month, value.day), _copy_time(value.timetz()))


def _copy_time(value: dt.time) -> dt.time:
    return dt.time(value.hour, value.minute, value.second, value.microsecond, value.tzinfo, fold=value.fold)


RULES: Final[dict[type, Rule]] = {
    **dict.fromkeys((type(None), bool, int, float, str, bytes), _identity),
    list: lambda walk, value, depth: walk.items(value, depth),
    dict: lambda walk, value, depth: walk.mapping(value, depth),
    tuple: _tuple,
    set: _set,
    frozenset: _frozenset,
    deque: _deque,
    dt.datetime: _datetime,
    dt.date: lambda _walk, value, _depth: Ext(kinds.DATE, value.isoformat().encode()),
    dt.time: _time,
    dt.timedelta: _timedelta,
    dt.timezone: _timezone,
    Decimal: lambda _walk, value, _depth: Ext(kinds.DECIMAL, str(value).encode()),
    UUID: lambda _walk, value, _depth: Ext(kinds.UUID, value.bytes),
    complex: lambda _walk, value, _depth: Ext(kinds.COMPLEX, pack((value.real, value.imag))),
    bytearray: lambda _walk, value, _depth: Ext(kinds.BYTEARRAY, bytes(value)),
    range: _range,
    Fraction: _fraction,
}
"""Rules by exact type."""

_AS_BASE: Final[tuple[tuple[type, Callable[[Any], Any]], ...]] = (
    (str, str.__str__),
    (int, int.__int__),
    (float, float.__float__),
    (bytes, lambda value: memoryview(value).tobytes()),
    (bytearray, lambda value: bytearray(memoryview(value))),
    (complex, lambda value: complex(value.real, value.imag)),
    (Decimal, lambda value: Decimal(value.as_tuple())),
    (Fraction, lambda value: Fraction(value.numerator, value.denominator)),
    (UUID, lambda value: UUID(bytes=value.bytes)),
    (dt.timedelta, lambda value: dt.timedelta(value.days, value.seconds, value.microseconds)),
    (dt.datetime, _copy_datetime),
    (dt.date, lambda value: dt.date(value.year, value.month, value.day)),
    (dt.time, _copy_time),
)


def rule_for_subclass(kind: type) -> Rule | None:
    """Return the rule for a subclass of a native type that is kept as its base, or None when it is none."""
    if issubclass(kind, pathlib.PurePath):
        return _path
    if issubclass(kind, ZoneInfo):
        return _zone_by_key
    for base, convert in _AS_BASE:
        if issubclass(kind, base):
            return _as_base(convert)
    return None


def _as_base(convert: Callable[[Any], Any]) -> Rule:
    def rule(walk: Walk, value: Any, depth: int) -> Any:
        try:
            plain = convert(value)
        except Exception as error:  # pandas.NaT is a datetime, and has no date
            raise Refused(value, f"{type(error).__name__}: {error}", "convert it to plain data") from error
        return walk.lower(plain, depth)

    return rule


# --- reading ----------------------------------------------------------------------------------------------------


def _read_datetime(data: list[Any]) -> dt.datetime:
    text, fold, zone = data
    value = dt.datetime.fromisoformat(text)
    if zone is not None:
        return value.replace(tzinfo=read_zone(zone), fold=fold)
    return value.replace(fold=fold) if fold else value


def _read_time(data: list[Any]) -> dt.time:
    text, fold, zone = data
    value = dt.time.fromisoformat(text)
    if zone is not None:
        return value.replace(tzinfo=read_zone(zone), fold=fold)
    return value.replace(fold=fold) if fold else value


def read_zone(data: Any) -> dt.tzinfo:
    """Return the zone that :func:`_lowered_zone` described."""
    if type(data) is str:
        return ZoneInfo(data)
    name, seconds = data
    offset = dt.timedelta(seconds=seconds)
    return dt.timezone(offset) if name is None else dt.timezone(offset, name)


def _read_path(data: list[Any]) -> pathlib.PurePath:
    name, text = data
    if name in {"PosixPath", "WindowsPath"}:
        # The other system's path cannot be opened here, but still says what it is.
        native = isinstance(pathlib.Path(), getattr(pathlib, name))
        return pathlib.Path(text) if native else _PURE_PATHS[f"Pure{name}"](text)
    return _PURE_PATHS[name](text)


_PURE_PATHS: Final = {
    "PurePosixPath": pathlib.PurePosixPath,
    "PureWindowsPath": pathlib.PureWindowsPath,
}

RAW_READINGS: Final[dict[int, Callable[[memoryview], Any]]] = {
    kinds.DATE: lambda data: dt.date.fromisoformat(str(data, "ascii")),
    kinds.DECIMAL: lambda data: Decimal(str(data, "ascii")),
    kinds.UUID: lambda data: UUID(bytes=bytes(data)),
    kinds.BIGINT: lambda data: int.from_bytes(data, "big", signed=True),
    kinds.BYTEARRAY: bytearray,
    kinds.SURROGATES: lambda data: str(data, "utf-8", "surrogatepass"),
}
"""Readings of extension types whose data is not msgpack."""

READINGS: Final[dict[int, Callable[[Any], Any]]] = {
    kinds.TUPLE: tuple,
    kinds.SET: set,
    kinds.FROZENSET: frozenset,
    kinds.DEQUE: lambda data: deque(data[1], data[0]),
    kinds.DATETIME: _read_datetime,
    kinds.TIME: _read_time,
    kinds.TIMEDELTA: lambda data: dt.timedelta(*data),
    kinds.COMPLEX: lambda data: complex(*data),
    kinds.RANGE: lambda data: range(*data),
    kinds.FRACTION: lambda data: Fraction(*data),
    kinds.ZONE: read_zone,
    kinds.PATH: _read_path,
    kinds.PAIRS: lambda data: dict(zip(data[::2], data[1::2], strict=True)),
}
"""Readings of extension types whose data is msgpack, already read."""
