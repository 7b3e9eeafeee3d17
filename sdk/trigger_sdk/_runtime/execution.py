"""Executing a task's attempts: what happened, and whether it is tried again."""

from __future__ import annotations

import inspect
from asyncio import CancelledError, current_task
from contextvars import Context
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any, TypeVar

from trigger_sdk._codec import encode, encode_error
from trigger_sdk._declare.retry import Retry
from trigger_sdk._runtime.scope import current_scope
from trigger_sdk.errors import Abort, RetryAfter
from trigger_sdk.protocol.entries import Entry

if TYPE_CHECKING:
    import asyncio
    from collections.abc import Callable
    from concurrent.futures import Executor

    from trigger_sdk._declare.task import TaskCall
    from trigger_sdk._runtime.step import Step

T = TypeVar("T")


class LeaseOver(Exception):
    """A task was not begun: this process was stopped or out of reach, and its runs go on elsewhere."""


@dataclass(frozen=True, slots=True)
class TaskScope:
    """The scope of a task's code: everything is allowed, nothing is recorded.

    Attributes:
        run_id: the run's id.
        step_id: the step's id.
        in_body: False: a task is not replayed. Recorded calls look at it, so it is a plain attribute.
    """

    run_id: str
    step_id: str
    in_body: bool = False

    def record(self, name: str, produce: Callable[[], T]) -> T:  # noqa: ARG002 - the scope's common form
        """Call ``produce``."""
        return produce()

    def next_line_ordinal(self) -> int:
        """Return 0: a task's lines are shown whenever it runs."""
        return 0


async def execute(
    step: Step,
    attempt: int,
    *,
    loop: asyncio.AbstractEventLoop,
    pool: Executor,
    clock: Callable[[], float],
    entitled: Callable[[], bool],
) -> Entry:
    """Execute one attempt of a task and return the entry that tells its outcome.

    Async functions run on the worker's loop, sync ones in its threads; ``clock`` gives seconds since the epoch. Raises
    CancelledError only when the body gave the step up, LeaseOver when the function was not called: whether this worker
    is ``entitled`` is asked as late as can be, since it may have been stopped after the task was asked for.
    """
    call = step.call
    assert call is not None  # noqa: S101 - a step of kind task has a call
    started_at = clock()
    this = current_task(loop)
    try:
        if call.is_async:
            _check(entitled)
            result = await call.fn(*call.args, **call.kwargs)
        else:
            result = await loop.run_in_executor(pool, _call, _task_context(), call, entitled)
            if inspect.isawaitable(result):
                result = await result
        value = encode(result, f"the result of task {call.name}")
    except CancelledError as error:
        if step.cancel_asked:
            raise
        return _failed(step, call, attempt, started_at, error, clock)
    except LeaseOver:
        raise
    except GeneratorExit as error:
        if current_task(loop) is not this:
            raise  # this coroutine is being closed: the worker ends
        return _failed(step, call, attempt, started_at, _stand_in(error), clock)
    except BaseException as error:  # noqa: BLE001 - journalled, and raised in the body
        return _failed(step, call, attempt, started_at, error, clock)
    return _entry("step_completed", step, attempt, started_at, value)


def canceled(step: Step, attempt: int, started_at: float | None) -> Entry:
    """Return the entry for a task that its body gave up."""
    return _entry("step_canceled", step, attempt, started_at, None)


def enter(scope: TaskScope, context: Context) -> Context:
    """Return a copy of the body's context variables in which the task's scope is set."""
    variables = context.copy()
    variables.run(current_scope.set, scope)
    return variables


def _task_context() -> Context:
    from contextvars import copy_context

    return copy_context()


def _check(entitled: Callable[[], bool]) -> None:
    if not entitled():
        raise LeaseOver


def _call(variables: Context, call: TaskCall, entitled: Callable[[], bool]) -> Any:
    _check(entitled)
    try:
        return variables.run(call.fn, *call.args, **call.kwargs)
    except (StopIteration, GeneratorExit) as error:  # cannot travel through a future
        raise _stand_in(error) from error


def _stand_in(error: BaseException) -> RuntimeError:
    """Return what is raised in the body instead of an exception that has a meaning of its own to coroutines."""
    instead = RuntimeError(f"the task raised {type(error).__name__}")
    instead.__cause__ = error
    return instead


def _failed(
    step: Step, call: TaskCall, attempt: int, started_at: float, error: BaseException, clock: Callable[[], float]
) -> Entry:
    delay = _delay_before_next(call.retry, attempt, error, clock())
    value = encode_error(error)
    if delay is None:
        return _entry("step_failed", step, attempt, started_at, value)
    return _entry("step_attempt_failed", step, attempt, started_at, value, due_at=clock() + delay)


def _delay_before_next(retry: Retry | None, attempt: int, error: BaseException, now: float) -> float | None:
    """Return the seconds until the next attempt, or None when there is none."""
    if isinstance(error, RetryAfter):
        policy = retry or Retry()
        return error.seconds(now) if attempt < policy.max_attempts else None
    if retry is None or isinstance(error, Abort) or not isinstance(error, Exception):
        return None
    if attempt >= retry.max_attempts or not isinstance(error, retry.on):
        return None
    return retry.delay_after(attempt)


def _entry(
    kind: str, step: Step, attempt: int, started_at: float | None, value: bytes | None, *, due_at: float | None = None
) -> Entry:
    return Entry(
        kind=kind,  # type: ignore[arg-type]
        step=step.id,
        name=step.name,
        op="task",
        value=value,
        attempt=attempt,
        started_at=started_at,
        due_at=due_at,
        issued_after=step.issued_after,
        line=step.line,
    )
