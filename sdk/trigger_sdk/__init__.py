"""Durable background jobs written as ordinary code.

    from trigger_sdk import Context, Retry, job, task

    @task(retry=Retry(max_attempts=5))
    async def charge(order: Order) -> Receipt: ...

    @job(id="purchase")
    async def purchase(order: Order, ctx: Context) -> Receipt:
        return await charge(order)

Importing this module is cheap: the names below are loaded when they are first used.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from trigger_sdk._codec.errors import TaskError as TaskError
    from trigger_sdk._declare.context import Context as Context
    from trigger_sdk._declare.events import Event as Event
    from trigger_sdk._declare.events import send_event as send_event
    from trigger_sdk._declare.events import wait_for_event as wait_for_event
    from trigger_sdk._declare.job import Job as Job
    from trigger_sdk._declare.job import job as job
    from trigger_sdk._declare.queue import Queue as Queue
    from trigger_sdk._declare.recording import record as record
    from trigger_sdk._declare.retry import Retry as Retry
    from trigger_sdk._declare.runs import RunHandle as RunHandle
    from trigger_sdk._declare.sleeping import sleep as sleep
    from trigger_sdk._declare.sleeping import sleep_until as sleep_until
    from trigger_sdk._declare.task import Task as Task
    from trigger_sdk._declare.task import task as task
    from trigger_sdk.errors import Abort as Abort
    from trigger_sdk.errors import Canceled as Canceled
    from trigger_sdk.errors import NonDeterminismError as NonDeterminismError
    from trigger_sdk.errors import RetryAfter as RetryAfter
    from trigger_sdk.errors import SideEffectOutsideTask as SideEffectOutsideTask

from trigger_sdk.protocol import version as _version

__version__ = _version.VERSION

_PLACES = {
    "Abort": "errors",
    "Canceled": "errors",
    "Context": "_declare.context",
    "Event": "_declare.events",
    "Job": "_declare.job",
    "NonDeterminismError": "errors",
    "Queue": "_declare.queue",
    "Retry": "_declare.retry",
    "RetryAfter": "errors",
    "RunHandle": "_declare.runs",
    "SideEffectOutsideTask": "errors",
    "Task": "_declare.task",
    "TaskError": "_codec.errors",
    "job": "_declare.job",
    "record": "_declare.recording",
    "send_event": "_declare.events",
    "sleep": "_declare.sleeping",
    "sleep_until": "_declare.sleeping",
    "task": "_declare.task",
    "wait_for_event": "_declare.events",
}

__all__ = sorted([*_PLACES, "__version__"])  # noqa: PLE0605 - the table above is the one list


def __getattr__(name: str) -> Any:
    place = _PLACES.get(name)
    if place is None:
        message = f"module {__name__!r} has no attribute {name!r}"
        raise AttributeError(message)
    from importlib import import_module

    value = getattr(import_module(f"{__name__}.{place}"), name)
    globals()[name] = value
    return value


def __dir__() -> list[str]:
    return __all__
