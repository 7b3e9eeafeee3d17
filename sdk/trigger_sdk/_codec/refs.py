"""Class refs: the names by which stored objects find their classes.

A ref is ``module:qualified.name``. A parametrized generic carries its arguments, because pydantic makes a class of its
own for each: ``shop.models:Page[shop.models:Order]``.
"""

from __future__ import annotations

import importlib
import re
import sys
import types
import typing
from typing import Any, Final

from trigger_sdk._codec.errors import ClassNotFound

_TOKEN: Final = re.compile(r"[^\[\],]+|[\[\],]")
_UNION: Final = "typing:Union"
_ANY: Final = "typing:Any"


class Unnameable(Exception):
    """A class cannot be found by its name; the message says why."""


def ref_of(cls: type) -> str:
    """Return the ref by which :func:`resolve` finds exactly this class.

    Raises:
        Unnameable: the class is local to a function, or its module has another object under its name.
    """
    generic = _generic_of(cls)
    if generic is not None:
        return _ref_of_generic(*generic)
    module, name = cls.__module__, cls.__qualname__
    if "<locals>" in name:
        raise Unnameable("its class is defined inside a function")
    if _walk(sys.modules.get(module), name) is not cls:
        raise Unnameable(f"its class is not found as {name} in the module {module}")
    return f"{module}:{name}"


def resolve(ref: str) -> Any:
    """Return the class that a ref names, importing its module if need be.

    Raises:
        ClassNotFound: the module cannot be imported, has no such name, or the name is not a class.
    """
    tokens = _TOKEN.findall(ref)
    try:
        return _resolve_tokens(tokens, ref)
    except ClassNotFound:
        raise
    except Exception as error:
        raise ClassNotFound(ref, f"{type(error).__name__}: {error}") from error


def anchor_of(ref: str) -> tuple[str, str]:
    """Return the module's name and the name in it by which the way to a class begins."""
    module, _, name = ref.partition("[")[0].partition(":")
    return module, name.partition(".")[0]


def display_name(cls: type) -> str:
    """Return a class's name for people: ``ValueError``, ``httpx.HTTPStatusError``."""
    module, name = cls.__module__, cls.__qualname__
    return name if module in {"builtins", "__main__"} else f"{module}.{name}"


def _generic_of(cls: type) -> tuple[type, tuple[Any, ...]] | None:
    """Return origin and arguments when pydantic made this class for ``Origin[arguments]``."""
    metadata = cls.__dict__.get("__pydantic_generic_metadata__")
    if not metadata or metadata["origin"] is None or not metadata["args"]:
        return None
    return metadata["origin"], metadata["args"]


def _ref_of_generic(origin: type, arguments: tuple[Any, ...]) -> str:
    outer = ref_of(origin)
    try:
        inner = ",".join(_ref_of_argument(argument) for argument in arguments)
    except Unnameable:
        return outer  # an argument such as Annotated[...]: the generic class itself holds the same fields
    return f"{outer}[{inner}]"


def _ref_of_argument(argument: Any) -> str:
    if argument is Any:
        return _ANY
    if argument is None:
        return "types:NoneType"
    origin, arguments = typing.get_origin(argument), typing.get_args(argument)
    if origin is None:
        if not isinstance(argument, type):
            raise Unnameable(f"{argument!r} is not a class")
        return "types:NoneType" if argument is types.NoneType else ref_of(argument)
    if not arguments or any(argument is Ellipsis or isinstance(argument, list) for argument in arguments):
        raise Unnameable(f"{argument!r} has no plain arguments")
    inner = ",".join(_ref_of_argument(each) for each in arguments)
    if origin is typing.Union or origin is types.UnionType:
        return f"{_UNION}[{inner}]"
    if not isinstance(origin, type):
        raise Unnameable(f"{argument!r} is not a class")
    return f"{ref_of(origin)}[{inner}]"


def _resolve_tokens(tokens: list[str], ref: str) -> Any:
    """Consume the tokens of one ref from the front of the list."""
    found = _find(tokens.pop(0), ref)
    if not tokens or tokens[0] != "[":
        return found
    arguments = []
    while tokens.pop(0) != "]":  # "[" the first time, then "," between arguments
        arguments.append(_resolve_tokens(tokens, ref))
    return found[arguments[0] if len(arguments) == 1 else tuple(arguments)]


def _find(name: str, ref: str) -> Any:
    if name == _UNION:
        return typing.Union
    if name == _ANY:
        return Any
    module_name, colon, qualname = name.partition(":")
    if not colon or not module_name or not qualname:
        raise ClassNotFound(ref, "it is not the name of a class")
    module = sys.modules.get(module_name)
    if module is None:
        module = _import(module_name, ref)
    found = _walk(module, qualname)
    if not isinstance(found, type):
        where = "this script (`__main__`)" if module_name == "__main__" else f"the module {module_name}"
        raise ClassNotFound(ref, f"{where} has no class {qualname}")
    return found


def _import(name: str, ref: str) -> types.ModuleType:
    if name.rpartition(".")[2] == "__main__":
        raise ClassNotFound(ref, "it was defined in a script that was run, not imported")
    try:
        return importlib.import_module(name)
    except Exception as error:
        raise ClassNotFound(ref, f"{type(error).__name__}: {error}") from error


def _walk(found: Any, qualname: str) -> Any:
    """Follow a dotted name through a module and its classes; None where it ends, and at anything but a class."""
    for name in qualname.split("."):
        found = vars(found).get(name) if isinstance(found, type) else getattr(found, name, None)
        if not isinstance(found, type):
            return None
    return found
