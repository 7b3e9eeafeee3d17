"""Reads plain data by an annotation with the library that knows how: msgspec, or pydantic for its own types."""

from __future__ import annotations

import datetime as dt
import functools
import ipaddress
import json
import pathlib
import re
import sys
from dataclasses import dataclass, field
from fractions import Fraction
from typing import Any, Final
from zoneinfo import ZoneInfo

import msgspec

from trigger_sdk._codec.annotations import name_of, wants_pydantic


@dataclass(frozen=True, slots=True, kw_only=True)
class Reading:
    """One reading of input.

    Attributes:
        by_name: keys may be the names of attributes, as in an object taken apart, where its class has aliases.
        misfits: pairs of a field's path and the reason why it does not fit, collected on the way.
    """

    by_name: bool = False
    misfits: list[tuple[str, str]] = field(default_factory=list)

    def attempt(self) -> Reading:
        """Return a reading of the same kind with misfits of its own."""
        return Reading(by_name=self.by_name)


FROM_TEXT: Final = (
    ipaddress.IPv4Address,
    ipaddress.IPv6Address,
    ipaddress.IPv4Network,
    ipaddress.IPv6Network,
    ipaddress.IPv4Interface,
    ipaddress.IPv6Interface,
    ZoneInfo,
    Fraction,
    complex,
)
"""Classes that are read from their own text."""
_NOT_FINITE: Final = ("NaN", "Infinity", "-Infinity")
_PLACE: Final = re.compile(r" - at `(?P<part>key in )?\$(?P<path>.*)`$", re.DOTALL)


def read_leaf(value: Any, annotation: Any, path: str, reading: Reading) -> Any:
    """Return the value read by the annotation; add to its misfits what does not fit."""
    if wants_pydantic(annotation):
        return read_with_pydantic(value, annotation, path, reading)
    value = _relaxed(value, annotation)
    try:
        return read_with_msgspec(value, annotation)
    except msgspec.ValidationError as error:
        reading.misfits.append(place_of(error, path))
    except Exception as error:  # noqa: BLE001 - msgspec and typing refuse annotations in many ways
        if isinstance(annotation, type) and isinstance(value, annotation):
            return value
        reading.misfits.append((path, f"cannot be read as {name_of(annotation)}: {error}"))
    return None


def read_with_msgspec(value: Any, annotation: Any) -> Any:
    """Return the value read by msgspec.

    Raises:
        msgspec.ValidationError: it does not fit.
        TypeError: msgspec does not support the annotation.
    """
    return msgspec.convert(value, annotation, str_keys=True, dec_hook=_read_class)


def place_of(error: msgspec.ValidationError, path: str = "") -> tuple[str, str]:
    """Return path and reason of what msgspec refused."""
    text = str(error)
    found = _PLACE.search(text)
    if found is None:
        return path, text
    inner = found["path"].removeprefix(".") if not path else found["path"]
    reason = text[: found.start()]
    return f"{path}{inner}", f"the key does not fit: {reason}" if found["part"] else reason


def read_with_pydantic(value: Any, annotation: Any, path: str, reading: Reading) -> Any:
    """Return the value read by pydantic; add to its misfits all that does not fit."""
    pydantic = sys.modules["pydantic"]
    try:
        adapter = adapter_of(annotation)
        # Reading JSON is laxer than reading objects for strict models: there, a date can only be a string.
        if is_json(value):
            return adapter.validate_json(json.dumps(value), **_names(reading))
        return adapter.validate_python(value, **_names(reading))
    except pydantic.ValidationError as error:
        for found in error.errors(include_url=False, include_context=False, include_input=False):
            reading.misfits.append(_place_of_pydantic(found, value, path))
    except Exception as error:  # noqa: BLE001 - an annotation that pydantic cannot read, or a validator that fails in its own way
        reading.misfits.append((path, f"cannot be read as {name_of(annotation)}: {error}"))
    return None


def adapter_of(annotation: Any) -> Any:
    """Return pydantic's TypeAdapter for an annotation."""
    try:
        return _kept_adapter(annotation)
    except TypeError:  # an annotation that cannot be hashed
        return sys.modules["pydantic"].TypeAdapter(annotation)


@functools.lru_cache(maxsize=256)
def _kept_adapter(annotation: Any) -> Any:
    return sys.modules["pydantic"].TypeAdapter(annotation)


def _place_of_pydantic(found: dict[str, Any], value: Any, path: str) -> tuple[str, str]:
    """Turn a location into a path. Steps that are not in the data name the member of a union that was tried."""
    place, tags = path, []
    steps = found["loc"]
    for index, step in enumerate(steps):
        is_missing = found["type"] == "missing" and index == len(steps) - 1
        if isinstance(value, dict) and (step in value or is_missing):
            key = str(step)
            place += (f".{key}" if place else key) if key.isidentifier() else f"[{key!r}]"
            value = value.get(step)
        elif isinstance(value, (list, tuple)) and isinstance(step, int) and (step < len(value) or is_missing):
            place += f"[{step}]"
            value = value[step] if step < len(value) else None
        else:
            tags.append(str(step))
    reason = "is required" if found["type"] == "missing" else found["msg"]
    return place, f"{reason} (as {', '.join(tags)})" if tags else reason


def _names(reading: Reading) -> dict[str, bool]:
    """Return the options by which pydantic takes names of fields beside their aliases (from 2.11 on)."""
    if not reading.by_name or _pydantic_version() < (2, 11):
        return {}
    return {"by_alias": True, "by_name": True}


def _pydantic_version() -> tuple[int, int]:
    major, minor, *_ = sys.modules["pydantic"].VERSION.split(".")
    return int(major), int(minor)


def is_json(value: Any) -> bool:
    """Tell whether a value consists of what a JSON parser gives."""
    kind = type(value)
    if kind is dict:
        return all(type(key) is str and is_json(item) for key, item in value.items())
    if kind is list:
        return all(map(is_json, value))
    return value is None or kind in {bool, int, float, str}


def _relaxed(value: Any, annotation: Any) -> Any:
    """Let pass what is meant without doubt and what msgspec takes in its lax mode only, together with much else."""
    if annotation is dt.timedelta and type(value) in {int, float}:
        try:
            return dt.timedelta(seconds=value)
        except (ValueError, OverflowError):
            return value
    if annotation is int and type(value) is float and value.is_integer():
        return int(value)
    if annotation is float and type(value) is str and value in _NOT_FINITE:
        return float(value)
    return value


def _read_class(cls: Any, value: Any) -> Any:
    """Read a class that msgspec does not know."""
    if isinstance(cls, type):
        if isinstance(value, cls):
            return value
        if type(value) is str and (cls in FROM_TEXT or issubclass(cls, pathlib.PurePath)):
            try:
                return cls(value)
            except LookupError as error:  # ZoneInfo of an unknown key
                raise ValueError(str(error)) from error
    raise ValueError(f"Expected `{name_of(cls)}`, got `{type(value).__name__}`")
