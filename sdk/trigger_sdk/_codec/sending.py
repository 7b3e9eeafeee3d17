"""Turns a live payload into JSON data that the job's parameter reads again: the inverse of reading input."""

from __future__ import annotations

import math
from typing import Any

import msgspec

from trigger_sdk._codec.classes import is_model, is_secret, is_url
from trigger_sdk._codec.errors import NotEncodable


def as_input(payload: Any) -> Any:
    """Return JSON data (str, int, float, bool, None, list, dict with str keys).

    Raises:
        TypeError: it holds something that has no form as input.
    """
    return _finite(msgspec.to_builtins(payload, str_keys=True, enc_hook=_as_input))


def _as_input(value: Any) -> Any:  # noqa: PLR0911 - one for each kind of class
    cls = type(value)
    if is_model(cls):
        return _model_as_input(value)
    if is_secret(cls):
        return value.get_secret_value()
    if is_url(cls) or cls.__module__ in {"ipaddress", "pathlib", "pathlib._local", "zoneinfo", "fractions"}:
        return str(value)
    if isinstance(value, complex):
        return str(value)
    if isinstance(value, dict):
        return dict(value)
    for base in (str, int, float):
        if isinstance(value, base):
            return base(value)
    if isinstance(value, (list, tuple, set, frozenset)) or cls.__name__ == "deque":
        return list(value)
    raise NotEncodable(f"a {cls.__name__} has no form as JSON input")


def _model_as_input(model: Any) -> Any:
    cls = type(model)
    if cls.__pydantic_root_model__:
        return model.root
    fields = getattr(cls, "__pydantic_fields__", None) or cls.model_fields
    # pydantic reads bytes from text, unless the model says otherwise; msgspec reads them from base64.
    reads_text = cls.model_config.get("val_json_bytes", "utf8") == "utf8"
    data = {}
    for name, value in model.__dict__.items():
        if name in fields:
            is_text = isinstance(value, bytes) and reads_text
            data[_key_of(name, fields[name])] = value.decode() if is_text else value
    return data | (model.__pydantic_extra__ or {})


def _key_of(name: str, field: Any) -> str:
    """Return the key under which a model reads a field."""
    alias = field.validation_alias or field.alias
    choices = getattr(alias, "choices", None)
    if choices:
        alias = next((choice for choice in choices if isinstance(choice, str)), None)
    return alias if isinstance(alias, str) else name


def _finite(value: Any) -> Any:
    """Write NaN and infinities as text: JSON has no word for them."""
    if type(value) is float and not math.isfinite(value):
        return "NaN" if math.isnan(value) else "Infinity" if value > 0 else "-Infinity"
    if type(value) is list:
        return [_finite(item) for item in value]
    if type(value) is dict:
        return {key: _finite(item) for key, item in value.items()}
    return value
