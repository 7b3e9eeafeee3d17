"""Jobs: functions that are executed durably."""

from __future__ import annotations

import inspect
import re
from collections.abc import Awaitable
from functools import cached_property, update_wrapper
from typing import TYPE_CHECKING, Any, Generic, NoReturn, Optional, ParamSpec, TypeVar, get_type_hints

from trigger_sdk._declare.context import Context
from trigger_sdk._declare.dispatch import Wait, body_scope, caller_line
from trigger_sdk._declare.durations import Duration, seconds
from trigger_sdk._declare.queue import Queue
from trigger_sdk._declare.registry import declared
from trigger_sdk._declare.runs import RunHandle
from trigger_sdk.protocol.entries import RunOptions, StartRun

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable, Mapping

P = ParamSpec("P")
R = TypeVar("R")

_ID = re.compile(r"[A-Za-z0-9][A-Za-z0-9._:-]{0,127}")


class JobDeclarationError(TypeError):
    """A ``@job`` that cannot be: a bad id, a signature that cannot be called with a payload and a context."""


class Job(Generic[P, R]):
    """A declared job. Made by ``@job``; calling it calls its function, which is what a unit test wants.

    Attributes:
        id: unique in the project.
        fn: the function.
        version: the author's own version, free text.
        queue: where its runs queue.
        max_duration: seconds a run may take in all, or None.
        prepare: called before every attempt, effects allowed, or None.
    """

    def __init__(
        self,
        fn: Callable[P, R],
        *,
        id: str,
        version: str = "",
        queue: Queue | str | None = None,
        max_duration: Duration | None = None,
        prepare: Callable[[], object] | None = None,
    ) -> None:
        if not _ID.fullmatch(str(id)):
            message = f"@job(id={id!r}): an id is letters, digits and . _ : - (at most 128), such as 'purchase-ticket'"
            raise JobDeclarationError(message)
        if not inspect.isfunction(fn):
            message = f"@job(id={id!r}) must stand on a function, not on {fn!r}; put it above other decorators"
            raise JobDeclarationError(message)
        if inspect.isasyncgenfunction(fn) or inspect.isgeneratorfunction(fn):
            message = f"@job(id={id!r}): a job cannot be a generator; return a value"
            raise JobDeclarationError(message)
        self.fn = fn
        self.id = id
        self.version = version
        self.queue = queue if isinstance(queue, Queue) else Queue(queue or id)
        self.max_duration = None if max_duration is None else seconds(max_duration)
        self.prepare = prepare
        self.file = fn.__code__.co_filename
        self.line = fn.__code__.co_firstlineno
        self._owner: type | None = None
        update_wrapper(self, fn)
        self._parameters = list(inspect.signature(fn).parameters.values())
        declared.append(self)

    @property
    def is_async(self) -> bool:
        """True when the body is ``async def``."""
        return inspect.iscoroutinefunction(self.fn)

    @cached_property
    def signature(self) -> JobSignature:
        """Which parameters take payload and context. Raises JobDeclarationError when others are needed."""
        return JobSignature.of(self)

    def __set_name__(self, owner: type, name: str) -> None:
        self._owner = owner

    def __get__(self, instance: object, owner: type | None = None) -> Any:
        """Declared on a method: the class gives the job, an instance the bound function."""
        return self if instance is None else self.fn.__get__(instance, owner)

    def __call__(self, *args: P.args, **kwargs: P.kwargs) -> R:
        """Call the function itself: nothing is started, nothing is durable. For tests."""
        function: Callable[..., R] = self.fn
        return function(*self._instance(), *args, **kwargs)

    def call(self, payload: object, context: Context) -> R:
        """Call the function as the runtime does: with the payload and the context where it wants them."""
        kwargs: dict[str, Any] = {}
        if self.signature.payload is not None and not (payload is None and self.signature.has_default):
            kwargs[self.signature.payload] = payload
        if self.signature.context is not None:
            kwargs[self.signature.context] = context
        function: Callable[..., R] = self.fn
        return function(*self._instance(), **kwargs)

    def _instance(self) -> tuple[object, ...]:
        """Return a fresh instance for a job declared on a method, as the first argument."""
        return () if self._owner is None else (self._owner(),)

    # --- starting runs ------------------------------------------------------------------------------------------

    def trigger(self, payload: object = None, **options: Any) -> Any:
        """Start a run of this job and go on; returns a :class:`RunHandle`. Awaited in async code.

        In a job's body this is a durable step: it starts one run, however often it is replayed. Elsewhere it is an
        HTTP call to the server of TRIGGER_API_URL, by default the dev server.

        Args:
            payload: the job's payload, checked before the run is created.
            options: idempotency_key, idempotency_ttl, delay, ttl (seconds or timedelta), priority, queue,
                concurrency_key, tags, metadata, max_duration, version.
        """
        scope = body_scope()
        if scope is None:
            return self._client().trigger(self.id, payload, run_options(options))
        return scope.wait(self._start("trigger", payload, options, lambda _value, run_id: RunHandle(run_id)))

    def trigger_and_wait(self, payload: object = None, **options: Any) -> Any:
        """Start a run of this job and return its output; its exception is raised here. Awaited in async code.

        In a job's body only; a script uses ``job.trigger(...).result()``. Options are those of :meth:`trigger`.
        """
        scope = body_scope()
        if scope is None:
            _only_in_a_body("trigger_and_wait", f"{self.id}.trigger(payload).result()")
        return scope.wait(self._start("child", payload, options, self._read_output))

    def batch_trigger(self, payloads: Iterable[object], **options: Any) -> Any:
        """Start a run for each payload, all or none; returns the list of handles. Awaited in async code."""
        scope = body_scope()
        if scope is None:
            return self._client().batch_trigger(self.id, list(payloads), run_options(options))
        waits = [
            self._start("trigger", payload, options, lambda _value, run_id: RunHandle(run_id)) for payload in payloads
        ]
        return scope.wait_all(waits, return_exceptions=False)

    def batch_trigger_and_wait(
        self, payloads: Iterable[object], *, return_exceptions: bool = False, **options: Any
    ) -> Any:
        """Start a run for each payload and return their outputs in the order of the payloads. Awaited in async code.

        Args:
            payloads: one for each run.
            return_exceptions: put a failed run's exception in its place; without it the first one, in the order of the
                payloads, is raised when all have ended.
            options: those of :meth:`trigger`, the same for all.
        """
        scope = body_scope()
        if scope is None:
            _only_in_a_body("batch_trigger_and_wait", f"{self.id}.batch_trigger(payloads)")
        waits = [self._start("child", payload, options, self._read_output) for payload in payloads]
        return scope.wait_all(waits, return_exceptions=return_exceptions)

    def _start(
        self, op: str, payload: object, options: Mapping[str, Any], read: Callable[[bytes | None, str], Any]
    ) -> Wait:
        from trigger_sdk._codec import encode

        encoded = encode(payload, f"the payload of job {self.id}")
        spec = StartRun(job=self.id, payload=encoded, options=run_options(options))
        return Wait(op, self.id, caller_line(3), spec=spec, read=read)

    def _read_output(self, value: bytes | None, _run_id: str) -> Any:
        from trigger_sdk._codec import decode

        return None if value is None else decode(value, self.signature.output)

    @staticmethod
    def _client() -> Any:
        from trigger_sdk._client.client import Client

        return Client.default()

    def __repr__(self) -> str:
        return f"<job {self.id}>"


class JobSignature:
    """How a job's function takes what it is given.

    Attributes:
        payload: the payload parameter's name, or None.
        payload_type: its annotation, ``Any`` without one; or None where the parameter has a default.
        has_default: no payload, which is None, leaves the payload parameter to its default.
        context: the context parameter's name, or None.
        output: the return annotation, ``Any`` without one.
    """

    __slots__ = ("context", "has_default", "output", "payload", "payload_type")

    def __init__(
        self, payload: str | None, payload_type: Any, context: str | None, output: Any, *, has_default: bool
    ) -> None:
        self.payload = payload
        self.payload_type = payload_type
        self.has_default = has_default
        self.context = context
        self.output = output

    @classmethod
    def of(cls, job: Job[Any, Any]) -> JobSignature:
        """Read a job's signature."""
        parameters = list(inspect.signature(job.fn).parameters.values())
        if job._owner is not None:  # noqa: SLF001 - its own module
            parameters = parameters[1:]
        try:
            hints = get_type_hints(job.fn, include_extras=True)
        except Exception as error:
            message = f"the annotations of job {job.id!r} cannot be resolved: {error}"
            raise JobDeclarationError(message) from error
        context = payload = None
        has_default = False
        for parameter in parameters:
            if parameter.kind in (parameter.VAR_POSITIONAL, parameter.VAR_KEYWORD):
                continue
            if hints.get(parameter.name) is Context:
                context = parameter.name
            elif payload is None and parameter.kind is not parameter.POSITIONAL_ONLY:
                payload = parameter.name
                has_default = parameter.default is not parameter.empty
            elif parameter.default is parameter.empty:
                message = (
                    f"job {job.id!r} has a parameter {parameter.name!r} that nothing fills: a job takes one payload"
                    " (a model, a dataclass, a dict…) and, annotated, a Context"
                )
                raise JobDeclarationError(message)
        payload_type = hints.get(payload, Any) if payload else Any
        if has_default and payload_type is not Any:
            payload_type = Optional[payload_type]  # noqa: UP045 - an annotation need not know the operator
        return cls(payload, payload_type, context, hints.get("return", Any), has_default=has_default)


def job(
    *,
    id: str,
    version: str = "",
    queue: Queue | str | None = None,
    max_duration: Duration | None = None,
    prepare: Callable[[], object | Awaitable[object]] | None = None,
) -> Callable[[Callable[P, R]], Job[P, R]]:
    """Declare a job: ``@job(id="purchase-ticket")`` on a function, sync or async.

    The first parameter takes the payload and its annotation says what that is; a parameter annotated ``Context`` is
    given the context. A run without a payload leaves a payload parameter to its default. The body is replayed after a
    crash or a long wait, so effects belong in tasks.

    Args:
        id: unique in the project; what clients name.
        version: your own version of the job, shown beside its runs.
        queue: a queue, or its name, shared with other jobs; by default the job has its own.
        max_duration: seconds or timedelta a run may take in all, waits included; then it ends as ``timed_out``.
        prepare: a function, sync or async, called before every attempt, effects allowed: fresh credentials, clients.
    """

    def declare(fn: Callable[P, R]) -> Job[P, R]:
        return Job(fn, id=id, version=version, queue=queue, max_duration=max_duration, prepare=prepare)

    return declare


_OPTIONS = frozenset(RunOptions.__struct_fields__)
_DURATIONS = ("delay", "ttl", "idempotency_ttl", "max_duration")


def run_options(options: Mapping[str, Any]) -> RunOptions:
    """Return keyword options as a value. Raises TypeError for one that does not exist."""
    unknown = sorted(set(options) - _OPTIONS)
    if unknown:
        message = f"unknown option {unknown[0]!r}; there are: {', '.join(sorted(_OPTIONS))}"
        raise TypeError(message)
    given = {name: value for name, value in options.items() if value is not None}
    for name in _DURATIONS:
        if name in given:
            given[name] = seconds(given[name])
    if "tags" in given:
        given["tags"] = list(given["tags"])
    if isinstance(given.get("queue"), Queue):
        given["queue"] = given["queue"].name
    return RunOptions(**given)


def _only_in_a_body(what: str, instead: str) -> NoReturn:
    message = f"{what} can only be called in a job's body; elsewhere use {instead}"
    raise RuntimeError(message)
