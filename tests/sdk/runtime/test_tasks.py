"""Executing tasks: attempts, retries, cancellation, what is said of them."""

from __future__ import annotations

import asyncio
from datetime import timedelta
from typing import Any

import pytest

from tests.fakes.simulation import BEGAN_AT, Simulation
from trigger_sdk import Abort, Retry, RetryAfter, job, sleep, task
from trigger_sdk._declare.job import Job
from trigger_sdk._runtime.scope import current_scope
from trigger_sdk.protocol.messages import Suspend


def job_of(body: Any) -> Job[Any, Any]:
    """Declare a body as a job."""
    return job(id="j")(body)


async def test_retry_when_a_task_fails_twice() -> None:
    """Failed attempts are journalled with their time, and the result says which attempt gave it."""
    attempts: list[int] = []

    @task(retry=Retry(max_attempts=3, min_delay=0))
    async def flaky() -> str:
        attempts.append(1)
        if len(attempts) < 3:
            raise ConnectionError(f"attempt {len(attempts)}")
        return "at last"

    async def body() -> str:
        return str(await flaky())

    simulation = Simulation(job=job_of(body))
    simulation.begin()
    await simulation.settle(40)
    assert [(entry.kind, entry.attempt) for entry in simulation.entries] == [
        ("step_attempt_failed", 1),
        ("step_attempt_failed", 2),
        ("step_completed", 3),
    ]
    assert simulation.outcome is not None
    assert simulation.outcome.value == "at last"


async def test_retry_when_attempts_are_used_up() -> None:
    """The last attempt's exception is raised in the body."""

    @task(retry=Retry(max_attempts=2, min_delay=0))
    async def hopeless() -> None:
        raise ConnectionError("down")

    async def body() -> str:
        try:
            await hopeless()
        except ConnectionError as error:
            return str(error)
        return ""

    simulation = Simulation(job=job_of(body))
    simulation.begin()
    await simulation.settle(40)
    assert simulation.outcome is not None
    assert simulation.outcome.value == "down"
    assert simulation.entries[-1].kind == "step_failed"
    assert simulation.entries[-1].attempt == 2


@pytest.mark.parametrize(
    ("error", "attempts"),
    [(Abort("declined"), 1), (ValueError("not retried"), 1), (ConnectionError("retried"), 5)],
)
async def test_retry_when_the_error_decides(error: Exception, attempts: int) -> None:
    """Abort and exceptions outside ``on`` are final at once."""
    ran: list[int] = []

    @task(retry=Retry(max_attempts=5, min_delay=0, on=(ConnectionError, Abort)))
    async def fails() -> None:
        ran.append(1)
        raise error

    async def body() -> str:
        try:
            await fails()
        except Exception as raised:  # noqa: BLE001 - its class is what is looked at
            return type(raised).__name__
        return ""

    simulation = Simulation(job=job_of(body))
    simulation.begin()
    await simulation.settle(80)
    assert simulation.outcome is not None
    assert simulation.outcome.value == type(error).__name__
    assert len(ran) == attempts


async def test_retry_after_when_the_delay_is_long() -> None:
    """A retry that is hours away holds no worker: the run leaves and says when to wake it."""
    suspends: list[Suspend] = []

    class Watching(Simulation):
        def send(self, message: Any) -> None:
            if isinstance(message, Suspend):
                suspends.append(message)
            super().send(message)

    ran: list[int] = []

    @task(retry=Retry(max_attempts=2))
    async def busy() -> str:
        ran.append(1)
        if len(ran) == 1:
            raise RetryAfter(timedelta(hours=3))
        return "done"

    async def body() -> str:
        return await busy()

    simulation = Watching(job=job_of(body), grace=0.0)
    simulation.begin()
    await simulation.settle(40)
    assert simulation.evicted
    assert suspends[0].wake_at == BEGAN_AT + 3 * 3600
    simulation.now += 3 * 3600 + 1
    simulation.begin()
    await simulation.settle(40)
    assert simulation.outcome is not None
    assert simulation.outcome.value == "done"
    assert ran == [1, 1]


async def test_retry_when_the_worker_died_in_between() -> None:
    """The attempt after a crash continues the count."""
    ran: list[int] = []

    @task(retry=Retry(max_attempts=2, min_delay=1000, max_delay=1000, jitter=False))
    async def fails() -> None:
        ran.append(1)
        raise ConnectionError(str(len(ran)))

    async def body() -> str:
        try:
            await fails()
        except ConnectionError as error:
            return str(error)
        return ""

    simulation = Simulation(job=job_of(body))
    simulation.begin()
    await simulation.settle()
    assert simulation.entries[-1].due_at == BEGAN_AT + 1000
    simulation.crash()
    simulation.now += 1000
    simulation.begin()
    await simulation.settle(30)
    assert simulation.outcome is not None
    assert simulation.outcome.value == "2"


async def test_sync_task_in_an_async_body_when_it_blocks() -> None:
    """A plain function runs in a thread, in the task's scope, while other branches go on."""
    scopes: list[str] = []

    @task
    def blocking() -> int:
        scope = current_scope.get()
        assert scope is not None
        scopes.append(f"{scope.step_id} {scope.in_body}")
        return 1

    @task
    async def other() -> int:
        return 2

    async def body() -> list[int]:
        return list(await asyncio.gather(blocking_call(), other()))

    async def blocking_call() -> int:
        return int(await blocking())

    simulation = Simulation(job=job_of(body))
    simulation.begin()
    await simulation.pump_until(lambda: simulation.outcome)
    assert simulation.outcome is not None
    assert simulation.outcome.value == [1, 2]
    assert scopes == ["1.1 False"]


async def test_task_run_when_the_lambda_returns_a_coroutine() -> None:
    """``task.run(lambda: client.get(...))`` works for async clients as well."""

    async def get() -> str:
        await asyncio.sleep(0)
        return "got"

    async def body() -> str:
        return str(await task.run(lambda: get()))  # noqa: PLW0108 - the lambda is the point

    simulation = Simulation(job=job_of(body))
    simulation.begin()
    await simulation.pump_until(lambda: simulation.outcome)
    assert simulation.outcome is not None
    assert simulation.outcome.value == "got"
    assert simulation.entries[0].name == "get"


async def test_result_when_it_cannot_be_encoded() -> None:
    """The error names the type and is raised at the call."""

    @task
    async def opens() -> Any:
        return {"loop": asyncio.get_running_loop()}

    async def body() -> str:
        try:
            await opens()
        except Exception as error:  # noqa: BLE001 - its text is what is looked at
            return str(error)
        return ""

    simulation = Simulation(job=job_of(body))
    simulation.begin()
    await simulation.settle()
    assert simulation.outcome is not None
    assert "EventLoop" in simulation.outcome.value
    assert "opens" in simulation.outcome.value


async def test_durable_calls_when_made_inside_a_task() -> None:
    """In a task a task is just its function, and sleep is asyncio's."""

    @task
    async def inner() -> str:
        await sleep(0)
        return "inner"

    @task
    async def outer() -> str:
        return await inner()

    async def body() -> str:
        return await outer()

    simulation = Simulation(job=job_of(body))
    simulation.begin()
    await simulation.settle(30)
    assert simulation.outcome is not None
    assert simulation.outcome.value == "inner"
    assert [entry.name.rpartition(".")[2] for entry in simulation.entries] == ["outer"]


async def test_task_of_a_method_when_called_on_an_instance() -> None:
    """``@task`` on a method binds like a function."""

    class Shop:
        def __init__(self, name: str) -> None:
            self.name = name

        @task
        async def sell(self, item: str) -> str:
            return f"{self.name} sells {item}"

    async def body() -> str:
        return str(await Shop("Corner").sell("tea"))

    simulation = Simulation(job=job_of(body))
    simulation.begin()
    await simulation.settle()
    assert simulation.outcome is not None
    assert simulation.outcome.value == "Corner sells tea"
    assert await Shop("Main").sell("milk") == "Main sells milk"


@pytest.mark.parametrize(
    ("blocking", "raised", "shown"),
    [
        (True, GeneratorExit(), "RuntimeError: the task raised GeneratorExit"),
        (False, GeneratorExit(), "RuntimeError: the task raised GeneratorExit"),
        (True, StopIteration(), "RuntimeError: the task raised StopIteration"),
        (False, StopIteration(), "RuntimeError: coroutine raised StopIteration"),
        (True, KeyboardInterrupt("no"), "KeyboardInterrupt: no"),
        (False, KeyboardInterrupt("no"), "KeyboardInterrupt: no"),
        (True, SystemExit(3), "SystemExit: 3"),
        (False, SystemExit(3), "SystemExit: 3"),
    ],
    ids=lambda value: type(value).__name__ if isinstance(value, BaseException) else str(value),
)
async def test_task_when_it_raises_what_only_interpreters_raise(
    *, blocking: bool, raised: BaseException, shown: str
) -> None:
    """It fails like any other: nobody waits for ever, and the worker lives."""

    async def async_task() -> None:
        raise raised

    def sync_task() -> None:
        raise raised

    async def body() -> str:
        try:
            await task(sync_task if blocking else async_task)()
        except BaseException as error:  # noqa: BLE001 - what the body sees is looked at
            return f"{type(error).__name__}: {error}"
        return ""

    simulation = Simulation(job=job_of(body))
    simulation.begin()
    await simulation.settle(40)
    assert simulation.outcome is not None
    assert simulation.outcome.value == shown
