"""Recorded calls at run time: what instrumented code asks before it calls a function.

:mod:`trigger_sdk._runtime.rewrite` puts calls of :func:`pick`, :func:`wrap` and :func:`unwrap` into project code. They
decide by the identity of the function at hand, so that it does not matter under which name it goes. In a body a
function of :mod:`trigger_sdk.protocol.recorded` is recorded; everywhere else it is what it was.
"""

from __future__ import annotations

import functools
import importlib
import sys
from collections.abc import Callable
from types import BuiltinFunctionType, FunctionType, MethodType
from typing import Any, Final

from trigger_sdk._runtime.recording import SYSTEM_RANDOM_CALLS, call_recorded, date_class_call, system_random_call
from trigger_sdk._runtime.scope import current_scope
from trigger_sdk.protocol.recorded import RECORDED_CALLS, RecordedCall

_scope_here = current_scope.get
_FUNCTION_TYPES: Final = frozenset((BuiltinFunctionType, FunctionType, MethodType))
"""Types of recorded functions. They hash and compare by identity, so looking one up runs no code of users."""


class RecordedFunction:
    """A recorded function as project code holds it: behaves as the function itself, and is recorded in a body.

    It compares, hashes, prints, pickles and copies as the function, and passes for its type.
    """

    __slots__ = ("__dict__", "__weakref__", "_call")

    def __init__(self, function: Callable[..., Any], call: RecordedCall) -> None:
        functools.update_wrapper(self, function)
        self._call = call

    def __call__(self, *args: Any, **kwargs: Any) -> Any:
        scope = _scope_here()
        function = self.__wrapped__
        if scope is None or not scope.in_body:
            return function(*args, **kwargs)
        return call_recorded(scope, self._call, function, args, kwargs)

    def __get__(self, instance: object, owner: type | None = None) -> Any:
        # As an attribute of a class a Python function binds and a built-in one does not.
        if instance is None or type(self.__wrapped__) is not FunctionType:
            return self
        return MethodType(self, instance)

    def __getattr__(self, name: str) -> Any:
        if name == "__wrapped__":  # not yet set, as in unpickling by hand
            raise AttributeError(name)
        return getattr(self.__wrapped__, name)

    # Passes for the function's type in isinstance(), as proxies do.
    @property  # type: ignore[misc]
    def __class__(self) -> type:
        return type(self.__wrapped__)

    def __eq__(self, other: object) -> bool:
        return bool(self.__wrapped__ == unwrap(other))

    def __hash__(self) -> int:
        return hash(self.__wrapped__)

    def __repr__(self) -> str:
        return repr(self.__wrapped__)

    def __reduce__(self) -> tuple[Any, ...]:
        return (unwrap, (self.__wrapped__,))

    def __copy__(self) -> RecordedFunction:
        return self

    def __deepcopy__(self, memo: dict[int, Any]) -> RecordedFunction:
        return self


class CallTable:
    """The recorded functions of this interpreter, by identity.

    A module of the standard library is looked at once it is loaded: before that, nobody can hold its functions.
    """

    def __init__(self, calls: tuple[RecordedCall, ...] = RECORDED_CALLS) -> None:
        self._functions: dict[Callable[..., Any], RecordedFunction] = {}
        self._classes: dict[int, RecordedFunction] = {}
        self._pending: dict[str, list[RecordedCall]] = {}
        for call in calls:
            self._pending.setdefault(call.module, []).append(call)

    def find(self, function: Any) -> RecordedFunction | None:
        """Return the recorded form of a function or class, or None when it is not one of the list."""
        kind = type(function)
        if kind in _FUNCTION_TYPES:
            found = self._functions.get(function)
            if found is None and self._load():
                found = self._functions.get(function)
            return found if found is not None else self._bound(function)
        if kind is type:
            self._load()
            return self._classes.get(id(function))
        return None

    def _load(self) -> bool:
        """Take in the rows whose modules have been imported since; True when there were any."""
        ready = [name for name in self._pending if name in sys.modules]
        for name in ready:
            for call in self._pending.pop(name, ()):
                self._add(call)
        return bool(ready)

    def _add(self, call: RecordedCall) -> None:
        target: Any = importlib.import_module(call.module)
        for part in call.name[len(call.module) + 1 :].split("."):
            target = getattr(target, part, None)
        if type(target) in _FUNCTION_TYPES:
            # uuid4 or randbits may be one object under two names: the first row names it
            self._functions.setdefault(target, RecordedFunction(target, call))
        elif type(target) is type:
            self._classes[id(target)] = RecordedFunction(target, call)

    def _bound(self, function: Any) -> RecordedFunction | None:
        """Return the recorded form of a method bound to a date class of the user, or to a ``SystemRandom``."""
        owner = getattr(function, "__self__", None)
        if owner is None or type(function) is FunctionType:
            return None
        name = getattr(function, "__name__", "")
        call = None
        if issubclass(type(owner), type):  # not isinstance: it would ask a proxy for its __class__
            call = date_class_call(owner, name) if type(function) is BuiltinFunctionType else None
        elif name in SYSTEM_RANDOM_CALLS:
            call = system_random_call(owner, name)
        return None if call is None else RecordedFunction(function, call)


_table: Final = CallTable()


def pick(function: Any) -> Any:
    """Return what a call of ``function`` is to call: in a body the recorded form if it has one, else ``function``."""
    scope = _scope_here()
    if scope is None or not scope.in_body:
        # The function itself, so that a traceback shows no frame of ours.
        return function.__wrapped__ if type(function) is RecordedFunction else function
    found = _table.find(function)
    if found is not None:
        return found
    if type(function) is functools.partial:
        inner = pick(function.func)
        return function if inner is function.func else functools.partial(inner, *function.args, **function.keywords)
    return function


def wrap(value: Any) -> Any:
    """Return the recorded form of a function that project code passes on, or ``value`` itself.

    Classes are left alone: ``isinstance(x, random.Random)`` and annotations need them as they are.
    """
    if type(value) not in _FUNCTION_TYPES:
        return value
    found = _table.find(value)
    return value if found is None else found


def unwrap(value: Any) -> Any:
    """Return the function behind a recorded form, or ``value`` itself: what ``is`` compares."""
    return value.__wrapped__ if type(value) is RecordedFunction else value
