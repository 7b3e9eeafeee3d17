"""Tasks: calls whose results are journalled.

Three ways to one: ``@task`` on a function or method, ``task.run(fn, *args)`` for a call in place, ``task.wrap(fn)`` for
a function of somebody else's. In an async body a task call is awaited, in a sync body it returns the value; outside a
job's body (a test, a script, another task) a task is just its function.
"""

from __future__ import annotations

import inspect
from functools import update_wrapper
from typing import TYPE_CHECKING, Any, Generic, ParamSpec, TypeVar, overload

from trigger_sdk._declare.dispatch import body_scope, caller_line
from trigger_sdk._declare.naming import callable_name

if TYPE_CHECKING:
    from collections.abc import Awaitable, Callable, Coroutine

    from trigger_sdk._declare.retry import Retry

P = ParamSpec("P")
R = TypeVar("R")
F = TypeVar("F", bound="Callable[..., Any]")


class TaskCall:
    """One call of a task: what to execute, and how.

    Attributes:
        name: what the step is called; compared on replay.
        fn: the function.
        args: its positional arguments.
        kwargs: its keyword arguments.
        is_async: True when calling ``fn`` returns a coroutine without blocking.
        retry: the policy, or None for one attempt.
    """

    __slots__ = ("args", "fn", "is_async", "kwargs", "name", "retry")

    def __init__(
        self,
        name: str,
        fn: Callable[..., Any],
        args: tuple[Any, ...],
        kwargs: dict[str, Any],
        *,
        is_async: bool,
        retry: Retry | None,
    ) -> None:
        self.name = name
        self.fn = fn
        self.args = args
        self.kwargs = kwargs
        self.is_async = is_async
        self.retry = retry


class Task(Generic[P, R]):
    """A function whose calls from a job's body are durable. Made by ``@task`` and ``task.wrap``.

    Attributes:
        name: the step's name in the journal: the function's qualified name unless given.
        retry: the retry policy, or None: one attempt.
        fn: the function itself.
    """

    def __init__(self, fn: Callable[P, R], *, name: str | None = None, retry: Retry | None = None) -> None:
        _check_callable(fn)
        self.fn = fn
        self.name = name or callable_name(fn)
        self.retry = retry
        self._is_async = _returns_coroutine(fn)
        update_wrapper(self, fn)

    def __call__(self, *args: P.args, **kwargs: P.kwargs) -> R:
        """Call the task: durable in a job's body, a plain call elsewhere."""
        scope = body_scope()
        if scope is None:
            return self.fn(*args, **kwargs)
        call = TaskCall(self.name, self.fn, args, kwargs, is_async=self._is_async, retry=self.retry)
        return scope.call_task(call, caller_line())  # type: ignore[no-any-return]

    def __get__(self, instance: object, owner: type | None = None) -> Any:
        """Bind to an instance, as functions do."""
        if instance is None:
            return self
        bound = Task.__new__(Task)
        bound.__dict__.update(self.__dict__)
        bound.fn = self.fn.__get__(instance, owner)
        return bound

    def __repr__(self) -> str:
        return f"<task {self.name}>"


def _check_callable(fn: object) -> None:
    if not callable(fn):
        message = f"a task is made of a function, not of {fn!r}"
        raise TypeError(message)


def _returns_coroutine(fn: Callable[..., Any]) -> bool:
    target = inspect.unwrap(fn) if not inspect.iscoroutinefunction(fn) else fn
    while hasattr(target, "func") and not inspect.isfunction(target):
        target = target.func
    if not inspect.isfunction(target) and not inspect.ismethod(target) and callable(target):
        target = getattr(target, "__call__", target)  # noqa: B004 - an instance with an async __call__
    return inspect.iscoroutinefunction(fn) or inspect.iscoroutinefunction(target)


class TaskDeclarer:
    """The object users know as ``task``: a decorator, with ``run`` and ``wrap`` beside."""

    @overload
    def __call__(self, fn: Callable[P, Coroutine[Any, Any, R]], /) -> Task[P, Coroutine[Any, Any, R]]: ...
    @overload
    def __call__(self, fn: Callable[P, R], /) -> Task[P, Any]: ...
    @overload
    def __call__(self, *, retry: Retry | None = None, name: str | None = None) -> _Decorator: ...
    def __call__(
        self, fn: Callable[..., Any] | None = None, *, retry: Retry | None = None, name: str | None = None
    ) -> Any:
        """Declare a task: ``@task`` or ``@task(retry=Retry(max_attempts=5))``.

        Args:
            fn: a function or method, sync or async.
            retry: when and how often a failed attempt is tried again; without it there is one attempt.
            name: the step's name, when the function's own will not do.
        """
        if fn is None:
            return _Decorator(retry=retry, name=name)
        return _declare(fn, retry=retry, name=name)

    @overload
    def run(self, fn: Callable[P, Awaitable[R]], /, *args: P.args, **kwargs: P.kwargs) -> Awaitable[R]: ...
    @overload
    def run(self, fn: Callable[P, R], /, *args: P.args, **kwargs: P.kwargs) -> Any: ...
    def run(self, fn: Callable[..., Any], /, *args: Any, **kwargs: Any) -> Any:
        """Call ``fn(*args, **kwargs)`` as a task, in place: ``await task.run(lambda: client.charge(order))``.

        The arguments are evaluated in the body, so only ``fn`` itself may have effects.
        """
        scope = body_scope()
        if scope is None:
            return fn(*args, **kwargs)
        if isinstance(fn, Task):
            return fn(*args, **kwargs)
        call = TaskCall(callable_name(fn), fn, args, kwargs, is_async=_returns_coroutine(fn), retry=None)
        return scope.call_task(call, caller_line())

    def wrap(self, fn: Callable[P, R], /, *, retry: Retry | None = None, name: str | None = None) -> Task[P, R]:
        """Return ``fn`` as a task: ``charge = task.wrap(stripe.charges.create, retry=Retry())``."""
        return Task(fn, name=name, retry=retry)


class _Decorator:
    """``@task(...)`` with its options, waiting for the function."""

    def __init__(self, *, retry: Retry | None, name: str | None) -> None:
        self._retry = retry
        self._name = name

    @overload
    def __call__(self, fn: Callable[P, Coroutine[Any, Any, R]], /) -> Task[P, Coroutine[Any, Any, R]]: ...
    @overload
    def __call__(self, fn: Callable[P, R], /) -> Task[P, Any]: ...
    def __call__(self, fn: Callable[..., Any], /) -> Any:
        """Declare ``fn`` a task."""
        return _declare(fn, retry=self._retry, name=self._name)


def _declare(fn: Any, *, retry: Retry | None, name: str | None) -> Any:
    if isinstance(fn, (staticmethod, classmethod)):
        message = f"put @{type(fn).__name__} above @task, not below it"
        raise TypeError(message)
    return Task(fn, name=name, retry=retry)


task = TaskDeclarer()
"""Declare and call tasks: ``@task``, ``task.run``, ``task.wrap``."""
