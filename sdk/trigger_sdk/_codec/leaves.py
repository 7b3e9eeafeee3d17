"""Reads plain data by an annotation with the library that knows how: msgspec, or pydantic for its own types."""

from __future__ import annotations

import datetime as dt
import functools
import ipaddress
import json
import pathlib
import re
import sys
from fractions import Fraction
from typing import Any, Final
from zoneinfo import ZoneInfo

import msgspec

from trigger_sdk._codec.annotations import name_of, wants_pydantic

Misfits = list[tuple[str, str]]
"""Pairs of a field's path and the reason why it does not fit."""

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
_PLACE: Final = re.compile(r" - at `(?P<part>key in )?\$(?P<path>.*)`$", re.DOTALL)


def read_leaf(value: Any, annotation: Any, path: str, misfits: Misfits) -> Any:
    """Return the value read by the annotation; add to ``misfits`` what does not fit."""
    if wants_pydantic(annotation):
        return read_with_pydantic(value, annotation, path, misfits)
    value = _relaxed(value, annotation)
    try:
        return read_with_msgspec(value, annotation)
    except msgspec.ValidationError as error:
        misfits.append(place_of(error, path))
    except Exception as error:  # noqa: BLE001 - msgspec and typing refuse annotations in many ways
        if isinstance(annotation, type) and isinstance(value, annotation):
            return value
        misfits.append((path, f"cannot be read as {name_of(annotation)}: {error}"))
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


def read_with_pydantic(value: Any, annotation: Any, path: str, misfits: Misfits) -> Any:
    """Return the value read by pydantic; add to ``misfits`` all that does not fit."""
    pydantic = sys.modules["pydantic"]
    try:
        adapter = adapter_of(annotation)
        text = _as_json(value)
        # Reading JSON is laxer than reading objects for strict models: there, a date can only be a string.
        return adapter.validate_python(value) if text is None else adapter.validate_json(text)
    except pydantic.ValidationError as error:
        for found in error.errors(include_url=False, include_context=False, include_input=False):
            misfits.append(_place_of_pydantic(found, value, path))
    except Exception as error:  # noqa: BLE001 - an annotation that pydantic cannot read, or a validator that fails in its own way
        misfits.append((path, f"cannot be read as {name_of(annotation)}: {error}"))
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


def _as_json(value: Any) -> str | None:
    """Return the JSON text of plain data, None for anything else."""
    return json.dumps(value) if is_json(value) else None


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
