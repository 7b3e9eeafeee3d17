"""Sync bodies: plain functions in a thread of their own."""

from __future__ import annotations

from typing import Any

from tests.fakes.simulation import Simulation, eventually
from trigger_sdk import Canceled, NonDeterminismError, job, record, sleep, task, wait_for_event


async def test_sync_body_when_it_calls_sync_and_async_tasks() -> None:
    """Calls return values; a replay executes nothing."""
    ran: list[str] = []

    @task
    def add(a: int, b: int) -> int:
        ran.append("add")
        return a + b

    @task
    async def double(a: int) -> int:
        ran.append("double")
        return 2 * a

    @job(id="sync")
    def body() -> list[int]:
        total = add(1, 2)
        lucky = record(lambda: 5)
        return [total, double(total), lucky, task.run(lambda: 7)]

    simulation = Simulation(job=body)
    simulation.begin()
    await simulation.pump_until(lambda: simulation.outcome)
    assert simulation.outcome is not None
    assert simulation.outcome.value == [3, 6, 5, 7]
    assert ran == ["add", "double"]

    again = Simulation(job=body)
    again.begin(simulation.entries)
    await again.pump_until(lambda: again.outcome)
    assert again.outcome is not None
    assert again.outcome.value == [3, 6, 5, 7]
    assert ran == ["add", "double"]


async def test_sync_body_when_it_waits() -> None:
    """Sleeps and events block the thread, durably."""

    @job(id="waits")
    def body() -> Any:
        sleep(60)
        return wait_for_event("paid").payload

    simulation = Simulation(job=body)
    simulation.begin()
    await simulation.pump_until(simulation.open_waits)
    simulation.fire(simulation.open_waits()[0])
    await simulation.pump_until(lambda: any(wait.op == "event" for wait in simulation.open_waits()))
    simulation.send_event("paid", 3)
    await simulation.pump_until(lambda: simulation.outcome)
    assert simulation.outcome is not None
    assert simulation.outcome.value == 3


async def test_sync_body_when_it_is_evicted_and_comes_back() -> None:
    """A waiting sync body leaves its thread without a trace and comes back by replay."""
    seen: list[str] = []

    @task
    def step(name: str) -> str:
        seen.append(name)
        return name

    @job(id="leaves")
    def body() -> str:
        step("first")
        try:
            sleep(60)
        finally:
            seen.append("finally")
        return str(step("second"))

    simulation = Simulation(job=body, grace=0.0)
    simulation.begin()
    await simulation.pump_until(lambda: simulation.evicted)
    await eventually(lambda: seen == ["first", "finally"])
    wait = simulation.open_waits()[0]
    simulation.fire(wait)
    simulation.begin()
    await simulation.pump_until(lambda: simulation.outcome)
    assert simulation.outcome is not None
    assert simulation.outcome.value == "second"
    assert seen == ["first", "finally", "finally", "second"]


async def test_sync_body_when_cancelled() -> None:
    """Cancellation raises Canceled at the durable call; compensation may call tasks; a replay is the same."""
    undone: list[str] = []

    @task
    def undo() -> None:
        undone.append("undo")

    @job(id="cancels")
    def body() -> None:
        try:
            sleep(60)
        except Canceled:
            undo()
            raise

    simulation = Simulation(job=body)
    simulation.begin()
    await simulation.pump_until(simulation.open_waits)
    simulation.cancel()
    await simulation.pump_until(lambda: simulation.outcome)
    assert simulation.outcome is not None
    assert simulation.outcome.state == "canceled"
    again = Simulation(job=body)
    again.begin(simulation.entries)
    await again.pump_until(lambda: again.outcome)
    assert again.outcome is not None
    assert again.outcome.state == "canceled"
    assert undone == ["undo"]


async def test_sync_body_when_the_journal_does_not_fit() -> None:
    """Divergence fails the run, whatever the body catches."""

    @job(id="old")
    def old() -> None:
        task.run(str, 1)

    @job(id="new")
    def new() -> None:
        sleep(1)

    first = Simulation(job=old)
    first.begin()
    await first.pump_until(lambda: first.outcome)
    again = Simulation(job=new)
    again.begin(first.entries)
    await again.pump_until(lambda: again.outcome)
    assert again.outcome is not None
    assert isinstance(again.outcome.error, NonDeterminismError)


async def test_sync_body_when_a_task_fails() -> None:
    """The exception is raised at the call."""

    @task
    def fails() -> None:
        raise LookupError("nothing there")

    @job(id="fails")
    def body() -> str:
        try:
            fails()
        except LookupError as error:
            return str(error)
        return ""

    simulation = Simulation(job=body)
    simulation.begin()
    await simulation.pump_until(lambda: simulation.outcome)
    assert simulation.outcome is not None
    assert simulation.outcome.value == "nothing there"


async def test_batch_in_a_sync_body_when_children_end_out_of_order() -> None:
    """All children start at once; outputs are in the order of the payloads."""

    @job(id="child")
    def child(payload: int) -> int:
        return payload

    @job(id="parent")
    def body() -> list[int]:
        return list(child.batch_trigger_and_wait([1, 2, 3]))

    simulation = Simulation(job=body)
    simulation.begin()
    await simulation.pump_until(lambda: len(simulation.children()) == 3)
    for index in (2, 0, 1):
        wait, _ = next(item for item in simulation.children() if item[0].step == str(index + 1))
        simulation.end_child(wait, (index + 1) * 10)
    await simulation.pump_until(lambda: simulation.outcome)
    assert simulation.outcome is not None
    assert simulation.outcome.value == [10, 20, 30]
