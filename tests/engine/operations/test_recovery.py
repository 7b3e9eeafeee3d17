"""Resuming from the failed step, and replaying as a new run."""

from __future__ import annotations

import pytest

from engine.errors import RunNotResumable
from engine.model import Assignment
from tests.fakes.engine_world import PAYLOAD, World, completed, started
from trigger_sdk.protocol.entries import Entry, EventWait, StartRun
from trigger_sdk.protocol.values import encode_json


def failed(step: str, *, attempt: int = 1, after: int = 0, kind: str = "step_failed") -> Entry:
    """Return the entry of a task that failed."""
    return Entry(
        kind=kind,  # type: ignore[arg-type]
        step=step,
        name="task",
        op="task",
        value=b"\x00error",
        attempt=attempt,
        issued_after=after,
    )


async def resumed(world: World, run: Assignment, failed_step: str) -> list[str]:
    """Fail a run at a step, resume it; return the journal of its new attempt."""
    await world.finish(run, "failed", b"\x00error", failed_step)
    answer = await world.engine.resume(run.run)
    assert (answer.state, answer.error, answer.finished_at, answer.failed_step) == ("queued", None, None, "")
    await world.settle()
    return world.kinds(world.assignment(run.run).journal)


async def test_the_failed_step_and_what_followed_go(world: World) -> None:
    """Completed steps before it stay, also those of sibling branches that ended later."""
    await world.worker()
    run = await world.start()
    first = (await world.append(run, completed("1"))).first
    failure = (
        await world.append(
            run,
            failed("2", after=first, kind="step_attempt_failed"),
            failed("2", attempt=2, after=first),
            completed("3", after=first),
        )
    ).first + 1
    await world.append(
        run,
        completed("4", after=failure),
        Entry(kind="value_recorded", step="5", op="record", value=b"\x00v", issued_after=failure),
        Entry(kind="step_canceled", step="6", op="task", issued_after=first),
    )
    assert await resumed(world, run, "2") == ["1 step_completed", "3 step_completed"]
    again = world.assignment(run.run)
    await world.append(again, completed("2"), completed("4"))
    await world.finish(again)
    assert await world.state(run.run) == "completed"


async def test_steps_whose_start_followed_the_failure_go_whole(world: World) -> None:
    """A wait that began after the failure leaves with its end, which the engine wrote."""
    await world.worker()
    run = await world.start()
    failure = (await world.append(run, failed("1"))).first
    await world.append(run, started("2", due_at=0.0, after=failure))
    assert world.kinds(world.arrived(run.run)) == ["2 wait_completed"]
    assert await resumed(world, run, "1") == []


async def test_without_a_failed_step_the_journal_stays(world: World) -> None:
    """The body is replayed as it was, to where it failed by itself."""
    await world.worker()
    run = await world.start()
    await world.append(run, completed("1"))
    assert await resumed(world, run, "") == ["1 step_completed"]


async def test_open_waits_are_open_again(world: World) -> None:
    """A timer goes on to its time; events sent while the run was down count."""
    await world.worker()
    run = await world.start()
    await world.append(
        run,
        started("1", due_at=world.clock.now() + 50),
        started("2", spec=EventWait(name="n")),
        failed("3"),
    )
    await world.finish(run, "failed", b"\x00error", "3")
    await world.engine.send_event("n", encode_json(1))
    await world.engine.resume(run.run)
    await world.settle()
    again = world.assignment(run.run)
    assert world.kinds(again.journal) == ["1 wait_started", "2 wait_started", "2 wait_completed"]
    await world.advance(51)
    assert world.kinds(world.arrived(run.run)) == ["1 wait_completed"]


async def test_a_child_that_ended_meanwhile_counts(world: World) -> None:
    """The parent failed, its other child went on: its output is there after resuming."""
    await world.declare("a", "b")
    await world.worker()
    run = await world.start()
    await world.append(run, started("1", spec=StartRun(job="b", payload=PAYLOAD)), failed("2"))
    child = next(a for _, a in world.listener.assignments if a.job == "b")
    await world.finish(run, "failed", b"\x00error", "2")
    await world.finish(child, value=encode_json(9))
    await world.engine.resume(run.run)
    await world.settle()
    journal = world.assignment(run.run).journal
    assert world.kinds(journal) == ["1 wait_started", "1 wait_completed"]
    assert journal[1].value == encode_json(9)


async def test_a_child_that_still_goes_is_waited_for_again(world: World) -> None:
    """Not started twice."""
    await world.declare("a", "b")
    await world.worker()
    run = await world.start()
    await world.append(run, started("1", spec=StartRun(job="b", payload=PAYLOAD)), failed("2"))
    child = next(a for _, a in world.listener.assignments if a.job == "b")
    await resumed(world, run, "2")
    await world.finish(child)
    assert world.kinds(world.arrived(run.run)) == ["1 wait_completed"]
    assert len([a for _, a in world.listener.assignments if a.job == "b"]) == 1


async def test_a_failed_child_is_started_anew(world: World) -> None:
    """The step of the failed child is executed again, with another child."""
    await world.declare("a", "b")
    await world.worker()
    run = await world.start()
    child_step = started("1", spec=StartRun(job="b", payload=PAYLOAD))
    await world.append(run, child_step)
    first = next(a for _, a in world.listener.assignments if a.job == "b")
    await world.finish(first, "failed", b"\x00error")
    assert await resumed(world, run, "1") == []
    await world.append(world.assignment(run.run), child_step)
    second = [a for _, a in world.listener.assignments if a.job == "b"][-1]
    assert second.run != first.run
    assert (await world.run(first.run)).parent == run.run


async def test_a_child_of_an_outdated_step_is_canceled(world: World) -> None:
    """Nobody waits for it any more."""
    await world.declare("a", "b")
    await world.worker()
    run = await world.start()
    failure = (await world.append(run, failed("1"))).first
    await world.append(run, started("2", spec=StartRun(job="b", payload=PAYLOAD), after=failure))
    child = next(a for _, a in world.listener.assignments if a.job == "b")
    await resumed(world, run, "1")
    assert world.kinds(world.arrived(child.run)) == ["cancel_requested"]


@pytest.mark.parametrize("state", ["completed", "canceled"])
async def test_other_ends_are_final(world: World, state: str) -> None:
    """A run that completed or was canceled is not resumed."""
    await world.worker()
    run = await world.start()
    await world.finish(run, state)
    with pytest.raises(RunNotResumable, match=state):
        await world.engine.resume(run.run)


async def test_a_run_that_goes_is_not_resumed(world: World) -> None:
    """Nor one that is queued."""
    run_id = await world.create()
    with pytest.raises(RunNotResumable):
        await world.engine.resume(run_id)


async def test_a_timed_out_run_gets_its_time_anew(world: World) -> None:
    """After resuming, max_duration counts from the next start."""
    await world.worker()
    run = await world.start(max_duration=10.0)
    await world.advance(11)
    assert await world.state(run.run) == "timed_out"
    await world.advance(100)
    await world.engine.resume(run.run)
    await world.settle()
    assert world.assignment(run.run).deadline == world.clock.now() + 10
    await world.advance(9)
    assert await world.state(run.run) == "running"


async def test_resuming_twice_in_a_row_works(world: World) -> None:
    """The step fails again, and again its entries go."""
    await world.worker()
    run = await world.start()
    await world.append(run, completed("1"), failed("2"))
    for _ in range(3):
        assert await resumed(world, run, "2") == ["1 step_completed"]
        run = world.assignment(run.run)
        await world.append(run, failed("2"))


async def test_a_replay_is_a_new_run(world: World) -> None:
    """Same payload and options, no key, no delay, linked to the first."""
    await world.worker()
    payload = encode_json("x" * 5000)
    first = await world.create(
        payload=payload, tags=["t"], priority=2, idempotency_key="k", metadata={"m": 1}, concurrency_key="c"
    )
    created = await world.engine.replay(first)
    await world.settle()
    assert (created.existing, created.run_id != first) == (False, True)
    run = await world.run(created.run_id)
    assert (run.payload, run.tags, run.priority, run.metadata) == (payload, ("t",), 2, {"m": 1})
    assert (run.replayed_from, run.idempotency_key, run.concurrency_key) == (first, None, "c")
    assert run.state == "running"


async def test_an_event_after_the_failure_does_not_undo_its_wait(world: World) -> None:
    """A sibling that waited before the failure keeps the event that came after it."""
    await world.worker()
    run = await world.start()
    await world.append(run, started("1", spec=EventWait(name="n")))
    failure = (await world.append(run, failed("2"))).first
    await world.engine.send_event("n", encode_json(1))
    await world.append(run, completed("3", after=failure))
    assert await resumed(world, run, "2") == ["1 wait_started", "1 wait_completed"]
