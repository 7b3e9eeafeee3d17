"""JSON schemas of payloads, from annotations."""

from __future__ import annotations

import pathlib
import sys
import typing
from typing import Any

import msgspec

from trigger_sdk._codec.annotations import is_anything, is_union, wants_pydantic
from trigger_sdk._codec.leaves import FROM_TEXT, adapter_of


def payload_schema(annotation: Any) -> dict[str, Any] | None:
    """Return the JSON schema (2020-12) of an annotation, or None when there is none to be had."""
    if is_anything(annotation) and annotation is not None:
        return None
    if wants_pydantic(annotation):
        return _from_pydantic(annotation)
    try:
        return msgspec.json.schema(annotation, schema_hook=_schema_of_class)
    except Exception:  # noqa: BLE001 - msgspec and typing refuse annotations in many ways
        if is_union(annotation):
            return _of_union(typing.get_args(annotation))
    return _from_pydantic(annotation) if "pydantic" in sys.modules else None


def _from_pydantic(annotation: Any) -> dict[str, Any] | None:
    try:
        schema: dict[str, Any] = adapter_of(annotation).json_schema()
    except Exception:  # noqa: BLE001 - pydantic refuses annotations in many ways
        return None
    return schema


def _of_union(members: tuple[Any, ...]) -> dict[str, Any] | None:
    """Join the schemas of members that msgspec does not join: two dataclasses cannot be told apart by it."""
    schemas: list[dict[str, Any]] = []
    definitions: dict[str, Any] = {}
    for member in members:
        schema = payload_schema(member)
        if schema is None:
            return None
        definitions.update(schema.pop("$defs", {}))
        schemas.append(schema)
    return {"anyOf": schemas, "$defs": definitions} if definitions else {"anyOf": schemas}


def _schema_of_class(cls: Any) -> dict[str, Any]:
    if cls in FROM_TEXT or (isinstance(cls, type) and issubclass(cls, pathlib.PurePath)):
        return {"type": "string"}
    raise NotImplementedError
