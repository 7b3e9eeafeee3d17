"""Which events match which filters.

A filter maps key paths to lists of accepted values. Values are compared as JSON: ``1`` and ``1.0`` are equal, ``1``,
``"1"`` and ``true`` are not.
"""

from __future__ import annotations

import json
from collections.abc import Iterator, Mapping, Sequence

Filter = Mapping[str, Sequence[object]]


def canonical(value: object) -> str:
    """Return the one way to write a JSON value."""
    return json.dumps(_normal(value), sort_keys=True, separators=(",", ":"), ensure_ascii=False)


def _normal(value: object) -> object:
    if isinstance(value, float) and value.is_integer():
        return int(value)
    if isinstance(value, dict):
        return {str(key): _normal(member) for key, member in value.items()}
    if isinstance(value, list | tuple):
        return [_normal(member) for member in value]
    return value


def first_key(which: Filter) -> tuple[str, list[str]]:
    """Return the path and the accepted values, canonical, by which a wait is indexed; empty ones without a filter."""
    for path, accepted in which.items():
        return path, list(dict.fromkeys(canonical(value) for value in accepted))
    return "", [""]


def values_at(payload: object, path: str) -> list[str]:
    """Return the values at a path, canonical: of lists every member and the list itself."""
    found: dict[str, None] = {}
    for value in _walk(payload, path.split(".")):
        found[canonical(value)] = None
        if isinstance(value, list | tuple):
            found.update(dict.fromkeys(canonical(member) for member in value))
    return list(found)


def _walk(value: object, parts: list[str]) -> Iterator[object]:
    if not parts:
        yield value
    elif isinstance(value, dict):
        # A key may hold dots itself: every split is tried.
        for length in range(1, len(parts) + 1):
            key = ".".join(parts[:length])
            if key in value:
                yield from _walk(value[key], parts[length:])
    elif isinstance(value, list | tuple):
        for member in value:
            yield from _walk(member, parts)


def matches(which: Filter, payload: object) -> bool:
    """Return whether every path of a filter has an accepted value in the payload."""
    for path, accepted in which.items():
        values = values_at(payload, path)
        if not any(canonical(value) in values for value in accepted):
            return False
    return True
