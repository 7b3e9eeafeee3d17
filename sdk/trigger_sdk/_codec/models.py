"""Shapes of pydantic models and msgspec Structs.

Only ever asked about classes that exist, so the library that made them is loaded: it is not imported here.
"""

from __future__ import annotations

from typing import Any, Final

import msgspec

from trigger_sdk._codec.errors import ClassChanged
from trigger_sdk._codec.refs import display_name
from trigger_sdk._codec.shapes import Taken, attributes_of, is_cached, missing_field

_set_attribute: Final = object.__setattr__
_copy_struct: Final[Any] = msgspec.Struct.__copy__  # type: ignore[attr-defined]


class ModelShape:
    """Pydantic models (version 2): fields, which of them were set, extra fields, private attributes."""

    def __init__(self, cls: Any) -> None:
        self._cls = cls
        self._fields: dict[str, Any] = getattr(cls, "__pydantic_fields__", None) or cls.model_fields
        self._keys = frozenset(self._fields)
        self._private: dict[str, Any] = cls.__private_attributes__
        self._allows_extra = cls.model_config.get("extra") == "allow"
        self._is_root: bool = cls.__pydantic_root_model__

    def take(self, value: Any) -> Taken:
        """See :class:`trigger_sdk._codec.shapes.Shape`."""
        fields: dict[str, Any] = value.__dict__
        more: dict[str, Any] = {}
        if fields.keys() != self._keys:
            fields = {name: field for name, field in value.__dict__.items() if name in self._keys}
            rest = value.__dict__.keys() - self._keys
            attributes = {name: value.__dict__[name] for name in sorted(rest) if not is_cached(self._cls, name)}
            if attributes:
                more["attributes"] = attributes
        names = value.__pydantic_fields_set__
        if names != self._keys:
            more["set"] = sorted(names)
        if value.__pydantic_extra__:
            more["extra"] = value.__pydantic_extra__
        if value.__pydantic_private__:
            more["private"] = value.__pydantic_private__
        return fields, more or None

    def make(self, fields: dict[str, Any], more: dict[str, Any]) -> Any:
        """See :class:`trigger_sdk._codec.shapes.Shape`."""
        if fields.keys() != self._keys:
            more = {**more, "set": more.get("set", [*fields])}
            fields = self._completed(fields)
        value = self._cls.__new__(self._cls)
        extra = more.get("extra") or ({} if self._allows_extra else None)
        if extra is not None and not self._allows_extra:
            extra = None
        names = set(more["set"]) & {*fields, *(extra or ())} if "set" in more else set(fields)
        _set_attribute(value, "__dict__", {**fields, **more.get("attributes", {})})
        _set_attribute(value, "__pydantic_fields_set__", names)
        if not self._is_root:  # a root model has neither, and refuses to be given them
            _set_attribute(value, "__pydantic_extra__", extra)
            _set_attribute(value, "__pydantic_private__", self._private_attributes(more.get("private", {})))
        return value

    def _completed(self, fields: dict[str, Any]) -> dict[str, Any]:
        completed: dict[str, Any] = {}
        for name, field in self._fields.items():
            if name in fields:
                completed[name] = fields[name]
            elif field.is_required():
                raise missing_field(self._cls, name)
            else:
                completed[name] = _model_default(field, completed)
        return completed

    def _private_attributes(self, held: dict[str, Any]) -> dict[str, Any] | None:
        if not self._private:
            return None
        attributes = {name: value for name, value in held.items() if name in self._private}
        for name, attribute in self._private.items():
            if name not in attributes and (
                attribute.default_factory is not None or not _is_undefined(attribute.default)
            ):
                attributes[name] = attribute.get_default()
        return attributes


class StructShape:
    """msgspec Structs."""

    def __init__(self, cls: Any) -> None:
        self._cls = cls
        self._fields = msgspec.structs.fields(cls)
        self._keys = frozenset(field.name for field in self._fields)
        self._has_dict = bool(cls.__dictoffset__)
        self._template = _template(cls) if hasattr(cls, "__post_init__") else None

    def take(self, value: Any) -> Taken:
        """See :class:`trigger_sdk._codec.shapes.Shape`."""
        attributes = attributes_of(value, self._cls, (), without=frozenset()) if self._has_dict else None
        return msgspec.structs.asdict(value), {"attributes": attributes} if attributes else None

    def make(self, fields: dict[str, Any], more: dict[str, Any]) -> Any:
        """See :class:`trigger_sdk._codec.shapes.Shape`."""
        if fields.keys() != self._keys:
            fields = self._completed(fields)
        if self._template is None:
            value = self._cls(**fields)
        else:
            value = _copy_struct(self._template)
            for name, field in fields.items():
                msgspec.structs.force_setattr(value, name, field)
        for name, attribute in more.get("attributes", {}).items():
            msgspec.structs.force_setattr(value, name, attribute)
        return value

    def _completed(self, fields: dict[str, Any]) -> dict[str, Any]:
        completed = {}
        for field in self._fields:
            if field.name in fields:
                completed[field.name] = fields[field.name]
            elif field.default is not msgspec.NODEFAULT:
                completed[field.name] = field.default
            elif field.default_factory is not msgspec.NODEFAULT:
                completed[field.name] = field.default_factory()
            else:
                raise missing_field(self._cls, field.name)
        return completed


def _template(cls: Any) -> Any:
    """Return an object of a Struct class whose ``__post_init__`` never ran, to be copied and filled.

    A Struct has no ``__new__`` that could be called alone; a subclass without the method makes an object of the same
    layout, which is then declared to be what it stands for.
    """
    body = {"__post_init__": lambda _self: None, "__module__": cls.__module__}
    try:
        bare = type(cls)(cls.__name__, (cls,), body)
        value = bare(**{field.name: None for field in msgspec.structs.fields(cls)})
        msgspec.structs.force_setattr(value, "__class__", cls)
    except Exception as error:
        raise ClassChanged(f"{display_name(cls)} cannot be made without its __post_init__: {error}") from error
    return value


def _model_default(field: Any, completed: dict[str, Any]) -> Any:
    try:
        return field.get_default(call_default_factory=True, validated_data=completed)
    except TypeError:  # pydantic before 2.10
        return field.get_default(call_default_factory=True)


def _is_undefined(value: object) -> bool:
    return type(value).__name__ == "PydanticUndefinedType"
