"""Methods of the standard library that have a side effect but no audit event, made visible to the guard.

Each is replaced by a descriptor that judges when the method is fetched from an instance and then hands out the method
itself. So a call outside a body has the same arguments, the same frames and nearly the same cost as ever.
"""

from __future__ import annotations

import sys
from typing import TYPE_CHECKING, Any, Final

from trigger_sdk._runtime.scope import current_scope

if TYPE_CHECKING:
    from collections.abc import Callable
    from types import FrameType

    Judge = Callable[[str, FrameType], None]

_scope_here = current_scope.get

METHODS: Final[tuple[tuple[str, str, str, str], ...]] = (
    ("threading", "Thread", "start", "threading.Thread.start()"),
    ("multiprocessing.process", "BaseProcess", "start", "multiprocessing.Process.start()"),
    ("socket", "socket", "send", "socket.send()"),
    ("socket", "socket", "sendall", "socket.sendall()"),
    ("ssl", "SSLSocket", "send", "ssl.SSLSocket.send()"),
    ("ssl", "SSLSocket", "write", "ssl.SSLSocket.write()"),
)
"""Module, class, method, and what the user reads. Modules that are not loaded are left alone."""

_in_place: dict[tuple[str, str], tuple[type, Any]] = {}
"""What was replaced: (class's qualified name, method) to the class and its own attribute, or None if inherited."""


class GuardedMethod:
    """The descriptor that stands for a method."""

    def __init__(self, method: Any, effect: str, judge: Judge) -> None:
        self._method = method
        self._effect = effect
        self._judge = judge

    def __get__(self, instance: object, owner: type | None = None) -> Any:
        if instance is None:
            return self._method
        scope = _scope_here()
        if scope is not None and scope.in_body:
            self._judge(self._effect, sys._getframe(1))  # noqa: SLF001 - one's own stack, without inspect's cost
        return self._method.__get__(instance, owner)


def guard_methods(judge: Judge) -> None:
    """Put the descriptors in place in all modules of the list that are loaded; again is fine."""
    for module, class_name, name, effect in METHODS:
        cls = getattr(sys.modules.get(module), class_name, None)
        key = (f"{module}.{class_name}", name)
        if cls is None or key in _in_place:
            continue
        own = vars(cls).get(name)
        _in_place[key] = (cls, own)
        setattr(cls, name, GuardedMethod(own if own is not None else getattr(cls, name), effect, judge))


def restore_methods() -> None:
    """Put the methods back as they were."""
    while _in_place:
        (_, name), (cls, own) = _in_place.popitem()
        if own is None:
            delattr(cls, name)
        else:
            setattr(cls, name, own)
