"""``record``: for what is only non-deterministic."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, ParamSpec, TypeVar

from trigger_sdk._declare.dispatch import body_scope
from trigger_sdk._declare.naming import callable_name

if TYPE_CHECKING:
    from collections.abc import Callable

P = ParamSpec("P")
T = TypeVar("T")


def record(fn: Callable[P, T], /, *args: P.args, **kwargs: P.kwargs) -> T:
    """Call ``fn(*args, **kwargs)`` once and journal the result: ``lucky = record(lambda: numpy.random.rand())``.

    For calls that are non-deterministic but free of effects and quick; sync, never awaited. On replay the journalled
    result is returned, or the journalled exception raised. Outside a job's body it is a plain call.
    """
    scope = body_scope()
    if scope is None:
        return fn(*args, **kwargs)

    def produce() -> Any:
        return fn(*args, **kwargs)

    value: T = scope.record(callable_name(fn), produce)
    return value
