"""Declaring tasks; outside a run a task is its function."""

from __future__ import annotations

import functools
from datetime import timedelta

import pytest

from trigger_sdk import Queue, Retry, record, sleep, task, wait_for_event
from trigger_sdk._declare.naming import callable_name


class Client:
    """A client with things to call."""

    class charges:  # noqa: N801 - as libraries do
        """A resource."""

        @staticmethod
        def create(amount: int) -> int:
            """Return the amount."""
            return amount

    def __call__(self) -> str:
        """Be callable."""
        return "called"


client = Client()


def test_task_when_called_outside_a_run() -> None:
    """Nothing durable happens: the function is called."""

    @task(retry=Retry(max_attempts=3), name="sum")
    def add(a: int, b: int = 1) -> int:
        """Add."""
        return a + b

    assert add(1, b=2) == 3
    assert (add.name, vars(add)["__name__"], add.__doc__) == ("sum", "add", "Add.")
    assert task.run(add, 4) == 5
    assert task.run(lambda: 7) == 7
    assert task.wrap(client.charges.create)(9) == 9
    assert record(lambda: 3) == 3


async def test_async_task_when_called_outside_a_run() -> None:
    """It returns the function's coroutine."""

    @task
    async def double(a: int) -> int:
        return 2 * a

    assert await double(4) == 8


@pytest.mark.parametrize(
    ("fn", "name"),
    [
        (lambda: client.charges.create(3), "client.charges.create"),
        (lambda amount: Client.charges.create(amount + 1), "Client.charges.create"),
        (lambda: 1 + 1, "lambda"),
        (functools.partial(Client.charges.create, 3), "Client.charges.create"),
        (client, "Client"),
        (len, "len"),
    ],
)
def test_name_when_made_of(fn: object, name: str) -> None:
    """A step's name tells what is called, without lines or addresses."""
    assert callable_name(fn) == name  # type: ignore[arg-type]


def test_task_when_put_on_the_wrong_thing() -> None:
    """The mistake is named where it is made."""
    with pytest.raises(TypeError, match="put @staticmethod above @task"):
        task(staticmethod(len))
    with pytest.raises(TypeError, match="made of a function"):
        task(3)  # type: ignore[call-overload]


@pytest.mark.parametrize(
    "arguments", [{"max_attempts": 0}, {"min_delay": -1}, {"max_delay": timedelta(seconds=-1)}, {"factor": 0.5}]
)
def test_retry_when_it_makes_no_sense(arguments: dict[str, object]) -> None:
    """A policy that cannot be followed is refused."""
    with pytest.raises(ValueError, match="Retry"):
        Retry(**arguments)  # type: ignore[arg-type]


def test_retry_delays_when_they_grow() -> None:
    """Exponential up to the longest, spread between half and all of it."""
    plain = Retry(min_delay=1, factor=2, max_delay=5, jitter=False)
    assert [plain.delay_after(attempt) for attempt in (1, 2, 3, 4)] == [1, 2, 4, 5]
    spread = Retry(min_delay=1, factor=2, max_delay=5)
    assert all(2.5 <= spread.delay_after(9) <= 5 for _ in range(100))
    assert Retry(max_attempts=10**6).delay_after(10**6) <= 60


def test_queue_when_it_makes_no_sense() -> None:
    """A queue needs a name and room for one."""
    with pytest.raises(ValueError, match="needs a name"):
        Queue("")
    with pytest.raises(ValueError, match="nothing would ever run"):
        Queue("q", 0)


def test_waits_when_outside_a_run() -> None:
    """Sleep is a plain sleep; an event cannot be waited for."""
    assert sleep(0) is None
    with pytest.raises(RuntimeError, match="only be called in a job's body"):
        wait_for_event("paid")
    with pytest.raises(TypeError, match="a duration is"):
        sleep("5s")  # type: ignore[arg-type]
