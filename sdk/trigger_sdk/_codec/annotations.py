"""Questions about annotations: is a value of one already, does pydantic have to read it, what fields has a class."""

from __future__ import annotations

import collections.abc
import dataclasses
import sys
import types
import typing
from typing import Annotated, Any, Final

import msgspec

_UNIONS: Final = (typing.Union, types.UnionType)
_PYDANTIC: Final = frozenset(("pydantic", "pydantic_core", "annotated_types", "pydantic_extra_types"))
_MEMBERWISE: Final = (list, set, frozenset, collections.deque)
_WRAPPERS: Final = (typing.ClassVar, typing.Final, typing.Required, typing.NotRequired)


def is_anything(annotation: Any) -> bool:
    """Tell whether an annotation says nothing."""
    return (
        annotation is Any
        or annotation is object
        or annotation is None
        or isinstance(annotation, str)
        or (isinstance(annotation, type) and annotation.__qualname__ == "_empty" and annotation.__module__ == "inspect")
    )


def is_union(annotation: Any) -> bool:
    """Tell whether an annotation is ``A | B``, ``Union[A, B]`` or ``Optional[A]``."""
    return typing.get_origin(annotation) in _UNIONS


def name_of(annotation: Any) -> str:
    """Return an annotation as one writes it."""
    if annotation is types.NoneType or annotation is None:
        return "None"
    if isinstance(annotation, type) and not typing.get_args(annotation):
        return annotation.__name__
    return str(annotation).replace("typing.", "")


def conforms(value: Any, annotation: Any) -> bool:  # noqa: PLR0911 - one for each kind of annotation
    """Tell whether a live value is of an annotation already, so that nothing is to be converted.

    A cautious answer: False where only a conversion can tell.
    """
    if annotation is Any or annotation is object:
        return True
    if annotation is None or annotation is types.NoneType:
        return value is None
    origin, arguments = typing.get_origin(annotation), typing.get_args(annotation)
    if origin is None:
        if not isinstance(annotation, type) or typing.is_typeddict(annotation):
            return False
        return _is_instance(value, annotation)
    if origin in _UNIONS:
        return any(conforms(value, member) for member in arguments)
    if not isinstance(origin, type):  # Annotated, Literal
        return False
    if origin in _MEMBERWISE:
        return type(value) is origin and all(conforms(item, arguments[0]) for item in value)
    if origin is dict:
        key, item = arguments
        return type(value) is dict and all(conforms(k, key) and conforms(v, item) for k, v in value.items())
    if origin is tuple:
        return type(value) is tuple and _tuple_conforms(value, arguments)
    return not _is_builtin(origin) and _is_instance(value, origin)


def _tuple_conforms(value: tuple[Any, ...], arguments: tuple[Any, ...]) -> bool:
    if arguments[-1:] == (Ellipsis,):
        return all(conforms(item, arguments[0]) for item in value)
    return len(value) == len(arguments) and all(map(conforms, value, arguments))


def _is_instance(value: Any, cls: type) -> bool:
    if cls in {int, float} and type(value) is not cls:
        return False  # True is not a number, and 1 becomes 1.0
    try:
        return isinstance(value, cls)
    except TypeError:  # a Protocol that cannot be asked
        return False


def _is_builtin(cls: type) -> bool:
    return cls.__module__ in {"builtins", "collections", "collections.abc"}


def wants_pydantic(annotation: Any) -> bool:
    """Tell whether an annotation holds something that pydantic has to validate. False when pydantic is not loaded."""
    return "pydantic" in sys.modules and _mentions_pydantic(annotation, set())


def _mentions_pydantic(annotation: Any, seen: set[int]) -> bool:  # noqa: PLR0911 - one for each kind of annotation
    if id(annotation) in seen:
        return False
    seen.add(id(annotation))
    if typing.get_origin(annotation) is Annotated:
        inner, *metadata = typing.get_args(annotation)
        if any(type(each).__module__.partition(".")[0] in _PYDANTIC for each in metadata):
            return True
        return _mentions_pydantic(inner, seen)
    arguments = typing.get_args(annotation)
    if arguments and typing.get_origin(annotation) is not typing.Literal:
        origin = typing.get_origin(annotation)
        return any(_mentions_pydantic(each, seen) for each in arguments) or _mentions_pydantic(origin, seen)
    aliased = getattr(annotation, "__supertype__", None) or getattr(annotation, "__value__", None)
    if aliased is not None and not isinstance(annotation, type):
        return _mentions_pydantic(aliased, seen)
    if not isinstance(annotation, type):
        return False
    if annotation.__module__.partition(".")[0] in _PYDANTIC or hasattr(annotation, "__pydantic_core_schema__"):
        return True
    if hasattr(annotation, "__get_pydantic_core_schema__") or hasattr(annotation, "__pydantic_validator__"):
        return True
    try:
        types_of_fields = field_types(annotation).values()
    except (NameError, TypeError):  # names that exist for type checkers only: whoever reads the fields will say so
        return False
    return any(_mentions_pydantic(each, seen) for each in types_of_fields)


def field_types(cls: Any) -> dict[str, Any]:
    """Return the annotated fields of a class whose objects consist of fields; nothing for any other class.

    Raises:
        NameError: an annotation is a string that names nothing at run time.
    """
    return typing.get_type_hints(cls, include_extras=True) if has_fields(cls) else {}


def has_fields(cls: Any) -> bool:
    """Tell whether a class is a dataclass, attrs class, Struct, named tuple or TypedDict."""
    return isinstance(cls, type) and (
        dataclasses.is_dataclass(cls)
        or hasattr(cls, "__attrs_attrs__")
        or issubclass(cls, msgspec.Struct)
        or typing.is_typeddict(cls)
        or (issubclass(cls, tuple) and hasattr(cls, "_fields"))
    )


def unwrapped(annotation: Any) -> Any:
    """Return what an alias, NewType, TypeVar or qualifier such as Required stands for, or the annotation itself."""
    while True:
        if typing.get_origin(annotation) in _WRAPPERS:
            annotation = typing.get_args(annotation)[0]
        elif isinstance(annotation, typing.TypeVar):
            return Any if annotation.__bound__ is None else annotation.__bound__
        elif isinstance(annotation, dataclasses.InitVar):
            annotation = annotation.type
        elif not isinstance(annotation, type) and hasattr(annotation, "__supertype__"):
            annotation = annotation.__supertype__
        elif type(annotation).__name__ == "TypeAliasType":
            annotation = annotation.__value__
        else:
            return annotation
