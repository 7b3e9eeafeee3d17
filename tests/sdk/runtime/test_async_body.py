"""Async bodies: asyncio's own constructs, durably."""

from __future__ import annotations

import asyncio
from datetime import UTC, datetime, timedelta
from typing import Any

import msgspec
import pytest

from tests.fakes.simulation import BEGAN_AT, Simulation
from trigger_sdk import NonDeterminismError, job, record, sleep, sleep_until, task, wait_for_event
from trigger_sdk.protocol.entries import Entry


async def test_gather_when_branches_finish_in_another_order_than_they_began() -> None:
    """Results are in the order of the arguments, effects in the order of completion, live and on replay."""
    order: list[str] = []

    @task
    async def fetch(label: str) -> str:
        return str(await simulation.gate(label))

    @job(id="gathers")
    async def body() -> list[str]:
        async def branch(label: str) -> str:
            result = await fetch(label)
            order.append(label)
            return result

        return await asyncio.gather(*(branch(label) for label in "abc"))

    simulation = Simulation(job=body)
    simulation.begin()
    await simulation.settle()
    for label in "cab":
        simulation.open_gate(label, label.upper())
        await simulation.settle()
    assert simulation.outcome is not None
    assert simulation.outcome.value == ["A", "B", "C"]
    assert order == ["c", "a", "b"]

    replayed = Simulation(job=body)
    order.clear()
    replayed.begin(simulation.entries)
    await replayed.settle()
    assert replayed.outcome is not None
    assert replayed.outcome.value == ["A", "B", "C"]
    assert order == ["c", "a", "b"]
    assert replayed.executed == []


async def test_as_completed_and_wait_when_replayed() -> None:
    """The order in which branches completed is the journal's, also through sets of futures."""
    seen: list[Any] = []

    @task
    async def fetch(label: str) -> str:
        return str(await simulation.gate(label))

    @job(id="completes")
    async def body() -> None:
        tasks = [asyncio.create_task(fetch(label)) for label in "abcd"]
        done, pending = await asyncio.wait(tasks, return_when=asyncio.FIRST_COMPLETED)
        seen.append(sorted(each.result() for each in done))
        seen.extend([await each for each in asyncio.as_completed(pending)])

    simulation = Simulation(job=body)
    simulation.begin()
    await simulation.settle()
    for label in "cadb":
        simulation.open_gate(label, label)
        await simulation.settle()
    live, journal = list(seen), list(simulation.entries)
    assert live == [["c"], "a", "d", "b"]
    seen.clear()
    simulation = Simulation(job=body)
    simulation.begin(journal)
    await simulation.settle()
    assert seen == live


async def test_timeout_when_the_task_is_too_slow() -> None:
    """asyncio.timeout cancels the task durably and raises TimeoutError in the body."""
    canceled: list[str] = []

    @task
    async def slow() -> None:
        try:
            await simulation.gate("slow")
        except asyncio.CancelledError:
            canceled.append("slow")
            raise

    @job(id="times-out")
    async def body() -> str:
        try:
            async with asyncio.timeout(30):
                await slow()
        except TimeoutError:
            return "too slow"
        return "fast"

    simulation = Simulation(job=body)
    simulation.begin()
    await simulation.settle()
    (timer,) = simulation.open_waits()
    assert timer.due_at == BEGAN_AT + 30
    simulation.fire(timer)
    await simulation.settle()
    assert simulation.outcome is not None
    assert simulation.outcome.value == "too slow"
    assert canceled == ["slow"]


async def test_cancellation_when_the_task_ignores_it() -> None:
    """As in asyncio: a task that swallows its cancellation and returns gives its result."""

    @task
    async def stubborn() -> str:
        try:
            await simulation.gate("stubborn")
        except asyncio.CancelledError:
            return "done all the same"
        return "done"

    @job(id="stubborn")
    async def body() -> str:
        running = asyncio.create_task(stubborn())
        await sleep(1)
        running.cancel()
        return await running

    simulation = Simulation(job=body)
    simulation.begin()
    await simulation.settle()
    simulation.fire(simulation.open_waits()[0])
    await simulation.settle()
    assert simulation.outcome is not None
    assert simulation.outcome.value == "done all the same"


async def test_cancel_requested_when_the_body_compensates() -> None:
    """A cancelled run unwinds with tasks allowed in ``finally``, and ends as canceled; on replay too."""
    undone: list[str] = []

    @task
    async def work() -> None:
        await simulation.gate("work")

    @task
    async def undo() -> None:
        undone.append("undo")

    @job(id="compensates")
    async def body() -> None:
        try:
            await work()
        finally:
            await undo()

    simulation = Simulation(job=body)
    simulation.begin()
    await simulation.settle()
    simulation.cancel()
    await simulation.settle()
    assert simulation.outcome is not None
    assert simulation.outcome.state == "canceled"
    assert undone == ["undo"]

    again = Simulation(job=body)
    again.begin(simulation.entries)
    await again.settle()
    assert again.outcome is not None
    assert again.outcome.state == "canceled"
    assert undone == ["undo"]


@pytest.mark.parametrize("way", ["awaited", "in a branch", "gathered"])
async def test_cancel_requested_when_the_awaited_task_completes_first(way: str) -> None:
    """The request was journalled before the task's completion: it is heard, and the run does not wait on for ever."""

    @task
    async def work() -> str:
        return "worked"

    @job(id="cancelled-late")
    async def body() -> None:
        if way == "awaited":
            await work()
        elif way == "in a branch":
            await asyncio.create_task(_await(work()))
        else:
            await asyncio.gather(work(), work())
        await sleep(100)

    async def _await(awaitable: Any) -> Any:
        return await awaitable

    simulation = Simulation(job=body)
    simulation.begin()
    await simulation.settle()
    request = Entry(kind="cancel_requested", seq=1, at=BEGAN_AT)
    worked = [entry for entry in simulation.entries if entry.kind == "step_completed"]
    late = [msgspec.structs.replace(entry, seq=2 + n) for n, entry in enumerate(worked)]

    again = Simulation(job=body)
    again.begin([request, *late])
    await again.settle()
    assert again.outcome is not None
    assert again.outcome.state == "canceled"


async def test_cancel_requested_when_the_body_returns_all_the_same() -> None:
    """A body that takes the cancellation and returns has completed, as in asyncio."""

    @job(id="goes-on")
    async def body() -> str:
        try:
            await sleep(100)
        except asyncio.CancelledError:
            return "early"
        return "late"

    simulation = Simulation(job=body)
    simulation.begin()
    await simulation.settle()
    simulation.cancel()
    await simulation.settle()
    assert simulation.outcome is not None
    assert (simulation.outcome.state, simulation.outcome.value) == ("completed", "early")


async def test_exception_of_a_task_when_caught() -> None:
    """An exception arrives as its own class with its traceback as text, and plain try/except handles it."""

    @task
    async def fails() -> None:
        raise KeyError("seat 7")

    @job(id="catches")
    async def body() -> list[str]:
        try:
            await fails()
        except KeyError as error:
            return [str(error.args[0]), str(error.__cause__)]
        return []

    simulation = Simulation(job=body)
    simulation.begin()
    await simulation.settle()
    assert simulation.outcome is not None
    seat, cause = simulation.outcome.value
    assert seat == "seat 7"
    assert "in fails" in cause


async def test_loop_time_when_waiting() -> None:
    """The body's clock is the journal's: it stands still while the body computes and moves with what it learns."""
    times: list[float] = []

    @job(id="clock")
    async def body() -> None:
        loop = asyncio.get_running_loop()
        times.append(loop.time())
        await asyncio.sleep(60)
        times.append(loop.time())

    simulation = Simulation(job=body)
    simulation.begin()
    await simulation.settle()
    simulation.now += 500
    simulation.fire(simulation.open_waits()[0])
    await simulation.settle()
    assert times == [BEGAN_AT, BEGAN_AT + 500]


async def test_sleep_and_sleep_until_when_registered() -> None:
    """SDK sleeps are durable waits that end at the right moment; one in the past ends at once."""

    @job(id="sleeps")
    async def body() -> None:
        await sleep(timedelta(hours=2))
        await sleep_until(datetime.fromtimestamp(BEGAN_AT + 90_000, tz=UTC))

    simulation = Simulation(job=body)
    simulation.begin()
    await simulation.settle()
    (first,) = simulation.open_waits()
    assert (first.op, first.due_at) == ("sleep", BEGAN_AT + 7200)
    simulation.fire(first)
    await simulation.settle()
    (second,) = simulation.open_waits()
    assert second.due_at == BEGAN_AT + 90_000
    simulation.fire(second)
    await simulation.settle()
    assert simulation.outcome is not None
    assert simulation.outcome.state == "completed"


async def test_wait_for_event_when_two_come_and_when_none_does() -> None:
    """Each wait receives the next event; a wait that ends by its time raises TimeoutError."""

    @job(id="events")
    async def body() -> list[Any]:
        first = await wait_for_event("paid", filter={"user": 7})
        second = await wait_for_event("paid", filter={"user": 7})
        try:
            await wait_for_event("paid", filter={"user": 7}, timeout=60)
        except TimeoutError as error:
            return [first.payload, first.id, second.payload, str(error)]
        return []

    simulation = Simulation(job=body)
    simulation.begin()
    await simulation.settle()
    simulation.send_event("paid", {"user": 7, "n": 1}, "evt_1")
    await simulation.settle()
    simulation.send_event("paid", {"user": 7, "n": 2}, "evt_2")
    await simulation.settle()
    simulation.fire(simulation.open_waits()[0])
    await simulation.settle()
    assert simulation.outcome is not None
    assert simulation.outcome.value[:3] == [{"user": 7, "n": 1}, "evt_1", {"user": 7, "n": 2}]
    assert "paid" in simulation.outcome.value[3]


async def test_recorded_value_when_a_task_depends_on_it() -> None:
    """A task starts only when the values recorded before it are committed."""

    @task
    async def charge(key: int) -> int:
        await simulation.gate("charge")
        return key

    @job(id="keys")
    async def body() -> int:
        return await charge(record(lambda: 42))

    simulation = Simulation(job=body, instant_acks=False)
    simulation.begin()
    await simulation.settle()
    assert [entry.kind for entry in simulation.entries] == ["value_recorded"]
    assert simulation.executed == []
    simulation.deliver_one()
    await simulation.settle()
    assert simulation.executed == ["charge"]


async def test_journal_that_does_not_fit_when_replayed() -> None:
    """Replay against other code fails the run with both sides and both lines, and nothing runs meanwhile."""

    @task
    async def reserve() -> str:
        return "reserved"

    @task
    async def charge() -> str:
        ran.append("charge")
        return "charged"

    ran: list[str] = []

    @job(id="old")
    async def old() -> None:
        await reserve()

    @job(id="new")
    async def new() -> None:
        try:
            await charge()
        except Exception:  # noqa: BLE001 - a divergence must not be caught by this
            ran.append("caught")

    first = Simulation(job=old)
    first.begin()
    await first.settle()
    again = Simulation(job=new)
    again.begin(first.entries)
    await again.settle()
    assert again.outcome is not None
    error = again.outcome.error
    assert isinstance(error, NonDeterminismError)
    assert "reserve" in str(error)
    assert "charge" in str(error)
    assert error.problem.detail.count("test_async_body.py:") == 2
    assert ran == []


async def test_journal_with_a_step_that_is_gone_when_replayed() -> None:
    """Code that no longer asks for a journalled step diverges as well."""

    @task
    async def reserve() -> str:
        return "reserved"

    @job(id="old")
    async def old() -> None:
        await reserve()
        await sleep(5)

    @job(id="new")
    async def new() -> None:
        await asyncio.Event().wait()

    first = Simulation(job=old)
    first.begin()
    await first.settle()
    again = Simulation(job=new)
    again.begin(first.entries)
    await again.settle()
    assert again.outcome is not None
    assert isinstance(again.outcome.error, NonDeterminismError)


async def test_eviction_when_finally_blocks_try_to_write() -> None:
    """A body that leaves unwinds without a trace: nothing its ``finally`` blocks ask for happens."""
    seen: list[str] = []

    @task
    async def cleanup() -> None:
        seen.append("cleaned up")

    @job(id="leaves")
    async def body() -> None:
        try:
            await sleep(3600)
        except Exception:  # noqa: BLE001 - leaving is not an Exception
            seen.append("caught")
        finally:
            seen.append("finally")
            await cleanup()

    simulation = Simulation(job=body, grace=0.0)
    simulation.begin()
    await simulation.settle(30)
    assert simulation.evicted
    assert [entry.kind for entry in simulation.entries] == ["wait_started"]
    assert seen == ["finally"]
    assert simulation.outcome is None


async def test_leaving_when_an_entry_is_on_its_way() -> None:
    """A run whose wait ended while it asked to leave stays and goes on."""

    @job(id="stays")
    async def body() -> str:
        await sleep(1)
        return "here"

    simulation = Simulation(job=body, grace=0.0, instant_acks=False)
    simulation.begin()
    await simulation.settle()
    simulation.deliver_one()  # the wait is registered, so the run will ask to leave
    simulation.fire(simulation.open_waits()[0])
    await simulation.settle()
    while simulation.deliver_one():
        await simulation.settle()
    assert simulation.outcome is not None
    assert simulation.outcome.value == "here"


async def test_orphaned_branches_when_the_body_returns() -> None:
    """As asyncio.run does: branches left behind are cancelled, and waited for."""
    seen: list[str] = []

    @task
    async def slow() -> None:
        await simulation.gate("slow")

    @job(id="orphans")
    async def body() -> str:
        async def branch() -> None:
            try:
                await slow()
            finally:
                seen.append("cleaned up")

        body.branch = asyncio.create_task(branch())  # type: ignore[attr-defined]
        await sleep(1)
        return "done"

    simulation = Simulation(job=body)
    simulation.begin()
    await simulation.settle()
    simulation.fire(simulation.open_waits()[0])
    await simulation.settle()
    assert simulation.outcome is not None
    assert simulation.outcome.value == "done"
    assert seen == ["cleaned up"]


@pytest.mark.parametrize("method", ["run_in_executor", "create_connection", "subprocess_exec", "getaddrinfo"])
async def test_loop_io_when_a_body_asks_for_it(method: str) -> None:
    """The loop's own I/O methods refuse, naming the remedy."""

    @job(id="io")
    async def body() -> None:
        await getattr(asyncio.get_running_loop(), method)(None, None)

    simulation = Simulation(job=body)
    simulation.begin()
    await simulation.settle()
    assert simulation.outcome is not None
    assert type(simulation.outcome.error).__name__ == "SideEffectOutsideTask"


async def test_output_when_it_cannot_be_encoded() -> None:
    """A body that returns something that cannot be stored fails with a problem that names it."""

    @job(id="returns-a-lock")
    async def body() -> Any:
        return {"lock": asyncio.Lock()}

    simulation = Simulation(job=body)
    simulation.begin()
    await simulation.settle()
    assert simulation.outcome is not None
    assert simulation.outcome.state == "failed"
    assert "Lock" in str(simulation.outcome.error)


async def test_async_generator_when_the_run_leaves() -> None:
    """An async generator of a body that leaves is let go without running its ``finally`` block anywhere."""
    seen: list[str] = []

    async def numbers() -> Any:
        try:
            for number in range(3):
                await sleep(10)
                yield number
        finally:
            seen.append("closed")

    @job(id="generates")
    async def body() -> list[int]:
        return [number async for number in numbers()]

    simulation = Simulation(job=body)
    simulation.begin()
    await simulation.settle()
    for _ in range(3):
        simulation.fire(simulation.open_waits()[0])
        await simulation.settle()
    assert simulation.outcome is not None
    assert simulation.outcome.value == [0, 1, 2]
    assert seen == ["closed"]
