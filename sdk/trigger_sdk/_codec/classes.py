"""Which rule a class falls under, and for a class that none fits, why and what to do instead.

Libraries are recognized by what their classes look like, or looked up among the loaded modules: nothing is imported.
"""

from __future__ import annotations

import collections
import dataclasses
import enum
import io
import sys
import types
from typing import Any, Final

import msgspec
from msgspec.msgpack import Ext

from trigger_sdk._codec import natives
from trigger_sdk._codec.containers import container_of, container_rule, enum_rule, lower_defaultdict, named
from trigger_sdk._codec.errors import NotKept, identity_of
from trigger_sdk._codec.models import ModelShape, StructShape
from trigger_sdk._codec.shapes import Shape, TupleShape, attrs_shape, dataclass_shape
from trigger_sdk._codec.walk import Refused, Rule, Walk, lower_text, pack
from trigger_sdk.protocol import value_kinds as kinds


def shape_of(cls: Any) -> Shape | None:  # noqa: PLR0911 - one for each kind of class
    """Return the shape of a class whose objects consist of fields, or None for any other class."""
    if issubclass(cls, BaseException):
        return None
    if is_model(cls):
        return ModelShape(cls)
    if issubclass(cls, msgspec.Struct):
        return StructShape(cls)
    if container_of(cls) is not None and not _is_named_tuple(cls):
        return None
    if dataclasses.is_dataclass(cls):
        return dataclass_shape(cls)
    if hasattr(cls, "__attrs_attrs__"):
        return attrs_shape(cls)
    return TupleShape(cls) if _is_named_tuple(cls) else None


def is_model(cls: type) -> bool:
    """Tell whether a class is a pydantic model (version 2)."""
    main = sys.modules.get("pydantic.main")
    return main is not None and issubclass(cls, main.BaseModel)


def is_secret(cls: type) -> bool:
    """Tell whether a class is one of pydantic's secrets."""
    secrets = sys.modules.get("pydantic.types")
    return secrets is not None and issubclass(cls, (secrets.SecretStr, secrets.SecretBytes))


def is_url(cls: type) -> bool:
    """Tell whether a class is one of pydantic's URLs, which are made from their text."""
    networks = sys.modules.get("pydantic.networks")
    core = sys.modules.get("pydantic_core")
    if core is not None and issubclass(cls, (core.Url, core.MultiHostUrl)):
        return True
    if networks is None:
        return False
    return issubclass(
        cls, tuple(getattr(networks, n) for n in ("_BaseUrl", "_BaseMultiHostUrl") if hasattr(networks, n))
    )


def rule_of(cls: type) -> Rule:  # noqa: PLR0911 - one for each kind of class
    """Return the rule for objects of a class.

    Raises:
        Refused: there is none.
    """
    if issubclass(cls, enum.Enum):
        return enum_rule(cls)
    _refuse_mapped(cls)
    shape = shape_of(cls)
    if shape is not None:
        return _object_rule(named(cls), shape)
    if cls is collections.defaultdict:
        return lower_defaultdict
    base = container_of(cls)
    if base is not None:
        return container_rule(cls, base)
    if cls in natives.ADDRESSES or is_url(cls):
        return _text_rule(named(cls))
    if is_secret(cls):
        return _secret_rule(named(cls))
    if cls is NotKept:
        return _lower_not_kept
    if cls is type(msgspec.UNSET):
        return lambda _walk, _value, _depth: Ext(kinds.UNSET, b"")
    rule = natives.rule_for_subclass(cls)
    if rule is None:
        raise Refused(cls, "", _way_out(cls))
    return rule


def _object_rule(ref: str, shape: Shape) -> Rule:
    take = shape.take

    def rule(walk: Walk, value: Any, depth: int) -> Ext:
        fields, more = take(value)
        if more is None:
            return Ext(kinds.OBJECT, pack((ref, walk.fields(fields, depth))))
        lowered: dict[str, Any] = {}
        for name, part in more.items():
            if name in {"attributes", "private"}:
                lowered[name] = walk.fields(part, depth)
            else:
                lowered[name] = part if type(part) is list else walk.mapping(part, depth)
        return Ext(kinds.OBJECT, pack((ref, walk.fields(fields, depth), lowered)))

    return rule


def _text_rule(ref: str) -> Rule:
    return lambda _walk, value, _depth: Ext(kinds.TEXT, pack([ref, lower_text(str(value))]))


def _secret_rule(ref: str) -> Rule:
    return lambda walk, value, depth: Ext(kinds.SECRET, pack([ref, walk.lower(value.get_secret_value(), depth + 1)]))


def _lower_not_kept(_walk: Walk, value: NotKept, _depth: int) -> Ext:
    return Ext(kinds.NOT_KEPT, pack(identity_of(value)))


def _is_named_tuple(cls: Any) -> bool:
    return issubclass(cls, tuple) and hasattr(cls, "_fields") and hasattr(cls, "_field_defaults")


def _refuse_mapped(cls: Any) -> None:
    """Refuse objects of a database session, whatever else they are: dataclass, pydantic model (SQLModel)."""
    if hasattr(cls, "__mapper__") or hasattr(cls, "_sa_class_manager") or _is_django_model(cls):
        hint = "it belongs to a database session: return its id, or a dataclass with the columns you need"
        raise Refused(cls, "", hint)


def _is_django_model(cls: type) -> bool:
    module = sys.modules.get("django.db.models")
    return module is not None and issubclass(cls, module.Model)


_CODE: Final = (
    types.FunctionType,
    types.BuiltinFunctionType,
    types.MethodType,
    type,
    types.ModuleType,
)
_IN_PROGRESS: Final = (types.GeneratorType, types.CoroutineType, types.AsyncGeneratorType)
_OPEN: Final = frozenset(("socket", "ssl", "sqlite3", "subprocess", "mmap", "multiprocessing"))
_LIBRARY_HINTS: Final = {
    "numpy": "convert it with .tolist() or .item()",
    "pandas": "convert it with .to_dict(orient='records'), or write it to a file and return the path",
    "polars": "convert it with .to_dicts(), or write it to a file and return the path",
    "torch": "write it to a file and return the path",
    "httpx": "return what you need of it, such as .json() or .text",
    "requests": "return what you need of it, such as .json() or .text",
    "aiohttp": "return what you need of it, such as await .json() or await .text()",
}


def _way_out(cls: type) -> str:  # noqa: PLR0911 - one for each kind of class
    """Return what to do in place of returning an object of a class."""
    package = cls.__module__.partition(".")[0]
    if package in _LIBRARY_HINTS:
        return _LIBRARY_HINTS[package]
    if issubclass(cls, _CODE):
        return "code is not stored: call it inside the task, and return what it gives"
    if issubclass(cls, io.IOBase) or package.lstrip("_") in _OPEN or hasattr(cls, "fileno"):
        return "open it inside the task that uses it, and return a path, an address or an id"
    if issubclass(cls, _IN_PROGRESS) or hasattr(cls, "__next__"):
        return "it is not finished: collect what it gives, for example with list(...)"
    if hasattr(cls, "__await__"):
        return "it is not finished: await it first"
    if issubclass(cls, memoryview):
        return "convert it with bytes(...)"
    if _is_mapping_view(cls):
        return "convert it with list(...) or dict(...)"
    return "make it a dataclass, or return the part of it you need as plain data"


def _is_mapping_view(cls: type) -> bool:
    views: tuple[type, ...] = (
        type({}.keys()),
        type({}.values()),
        type({}.items()),
        types.MappingProxyType,
        collections.ChainMap,
    )
    return issubclass(cls, (*views, collections.UserDict, collections.UserList))
