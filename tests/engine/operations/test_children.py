"""Child runs: started with the step, their end is the step's end."""

from __future__ import annotations

from typing import Any

import pytest

from engine.model import Assignment
from tests.fakes.engine_world import PAYLOAD, World, started
from trigger_sdk.protocol.entries import Entry, RunOptions, StartRun
from trigger_sdk.protocol.problem import Problem
from trigger_sdk.protocol.values import encode_json, encode_problem, error_to_json, to_json


async def parent_of(world: World, *, op: str = "child", options: RunOptions | None = None) -> Assignment:
    """Start a parent whose step 1 starts the job ``b``; returns the parent."""
    await world.declare("a", "b")
    await world.worker()
    parent = await world.start("a")
    spec = StartRun(job="b", payload=PAYLOAD, options=options or RunOptions())
    await world.append(parent, started("1", spec=spec, op=op))
    return parent


def child_of(world: World) -> Assignment:
    """Return the only child that was assigned."""
    return next(a for _, a in reversed(world.listener.assignments) if a.job == "b")


def end_of(world: World, parent: Assignment) -> Entry:
    """Return the only entry that arrived at the parent."""
    (entry,) = world.arrived(parent.run)
    return entry


def error(entry: Entry) -> dict[str, Any]:
    """Return an entry's error as JSON."""
    return error_to_json(entry.value or b"")


async def test_a_childs_output_is_its_steps_value(world: World) -> None:
    """The child knows its parent; its end arrives in the same commit."""
    parent = await parent_of(world)
    child = child_of(world)
    assert child.parent == parent.run
    shown = await world.run(child.run)
    assert (shown.parent, shown.parent_step) == (parent.run, "1")
    await world.finish(child, value=encode_json(42))
    end = end_of(world, parent)
    assert (end.kind, to_json(end.value or b"")) == ("wait_completed", 42)


async def test_a_waiting_parent_is_woken_by_its_child(world: World) -> None:
    """It comes back with the child's output in its journal."""
    parent = await parent_of(world)
    assert await world.suspend(parent, seen=99)
    await world.finish(child_of(world))
    assert world.kinds(world.assignment(parent.run).journal) == ["1 wait_started", "1 wait_completed"]


async def test_a_failed_child_hands_on_its_error(world: World) -> None:
    """With the child's id as the entry's name."""
    parent = await parent_of(world)
    child = child_of(world)
    error_value = encode_problem(Problem(code="boom", message="it broke"))
    await world.finish(child, "failed", error_value)
    end = end_of(world, parent)
    assert (end.kind, end.name, end.value) == ("wait_failed", child.run, error_value)


async def test_a_canceled_child_is_a_problem_of_its_parent(world: World) -> None:
    """A child that ended otherwise than by its own error fails the step with a problem that names it."""
    parent = await parent_of(world)
    child = child_of(world)
    await world.finish(child, "canceled", None)
    end = end_of(world, parent)
    assert end.kind == "wait_failed"
    assert error(end)["code"] == "child-canceled"
    assert child.run in error(end)["message"]


async def test_an_expired_child_is_a_problem_of_its_parent(world: World) -> None:
    """A child that no worker took in time."""
    await world.declare("a", "b")
    await world.worker("w1", "a")
    parent = await world.start("a")
    await world.append(parent, started("1", spec=StartRun(job="b", payload=PAYLOAD, options=RunOptions(ttl=5.0))))
    await world.advance(6)
    assert error(end_of(world, parent))["code"] == "child-expired"


async def test_an_unknown_job_fails_the_step(world: World) -> None:
    """The body can catch it; nothing is created."""
    await world.worker()
    parent = await world.start("a")
    await world.append(parent, started("1", spec=StartRun(job="nope", payload=PAYLOAD)))
    assert error(end_of(world, parent))["code"] == "unknown-job"


async def test_bad_options_fail_the_step(world: World) -> None:
    """As at the API."""
    parent = await parent_of(world, options=RunOptions(delay=-1.0))
    assert error(end_of(world, parent))["code"] == "invalid-options"


async def test_a_trigger_ends_at_once_with_the_runs_id(world: World) -> None:
    """The run goes its own way."""
    parent = await parent_of(world, op="trigger")
    child = child_of(world)
    assert to_json(end_of(world, parent).value or b"") == child.run
    await world.finish(child)
    assert len(world.arrived(parent.run)) == 1
    (step,) = await world.engine.steps(parent.run)
    assert (step.kind, step.state, step.child) == ("trigger", "completed", child.run)


async def test_giving_up_the_wait_cancels_the_child(world: World) -> None:
    """Its body learns of it and cleans up."""
    parent = await parent_of(world)
    child = child_of(world)
    await world.append(parent, Entry(kind="wait_canceled", step="1", op="child"))
    assert world.kinds(world.arrived(child.run)) == ["cancel_requested"]
    await world.finish(child, "canceled", None)
    assert world.arrived(parent.run) == []


async def test_a_canceled_parent_takes_its_children_with_it(world: World) -> None:
    """Those it waits for, not those it only started."""
    await world.declare("a", "b")
    await world.worker("w1", "a")
    parent = await world.start("a")
    spec = StartRun(job="b", payload=PAYLOAD)
    await world.append(parent, started("1", spec=spec), started("2", spec=spec, op="trigger"))
    awaited, free = (step.child or "" for step in await world.engine.steps(parent.run))
    await world.finish(parent, "canceled", None)
    assert (await world.state(awaited), await world.state(free)) == ("canceled", "queued")


async def test_a_failed_parent_leaves_its_children(world: World) -> None:
    """Their results count when it is resumed."""
    parent = await parent_of(world)
    child = child_of(world)
    await world.finish(parent, "failed", None)
    assert world.arrived(child.run) == []
    await world.finish(child)
    assert await world.state(child.run) == "completed"


async def test_an_idempotent_child_that_ended_answers_at_once(world: World) -> None:
    """The key leads to a run that somebody else started."""
    await world.declare("a", "b")
    await world.worker()
    earlier = await world.start("b", idempotency_key="k")
    await world.finish(earlier, value=encode_json("done"))
    parent = await world.start("a")
    spec = StartRun(job="b", payload=PAYLOAD, options=RunOptions(idempotency_key="k"))
    await world.append(parent, started("1", spec=spec))
    assert to_json(end_of(world, parent).value or b"") == "done"


async def test_two_parents_wait_for_one_run(world: World) -> None:
    """Both learn of its end; giving up one wait does not cancel it, nor does a run that did not start it."""
    await world.declare("a", "b")
    await world.worker()
    first, second = await world.start("a"), await world.start("a")
    spec = StartRun(job="b", payload=PAYLOAD, options=RunOptions(idempotency_key="k"))
    for parent in (first, second):
        await world.append(parent, started("1", spec=spec))
    await world.append(second, Entry(kind="wait_canceled", step="1", op="child"))
    child = child_of(world)
    assert world.arrived(child.run) == []
    await world.finish(child)
    assert world.kinds(world.arrived(first.run)) == ["1 wait_completed"]
    assert world.arrived(second.run) == []


@pytest.mark.parametrize("count", [1, 50])
async def test_many_children_end_in_any_order(world: World, count: int) -> None:
    """Each step gets its own child's output."""
    await world.declare("a", "b")
    await world.worker()
    parent = await world.start("a")
    steps = [started(str(n), spec=StartRun(job="b", payload=encode_json(n))) for n in range(1, count + 1)]
    await world.append(parent, *steps)
    children = [a for _, a in world.listener.assignments if a.job == "b"]
    assert len(children) == count
    for child in reversed(children):
        await world.finish(child, value=child.payload)
    assert [(e.step, to_json(e.value or b"")) for e in world.arrived(parent.run)] == [
        (str(n), n) for n in range(count, 0, -1)
    ]


async def test_every_new_run_is_told_before_it_starts(world: World) -> None:
    """Also one that another run starts; what was found by its key is not new."""
    parent = await parent_of(world, options=RunOptions(idempotency_key="k"))
    child = child_of(world)
    assert world.listener.births == [(parent.run, "a"), (child.run, "b")]
    order = world.listener.order
    assert order.index(f"created {child.run}") < order.index(f"assigned {child.run}")
    await world.create("b", idempotency_key="k")
    assert len(world.listener.births) == 2


async def test_end_of_a_run_that_nobody_holds_is_told(world: World) -> None:
    """A child that never started ends with its step; one that a worker holds is that worker's to tell."""
    parent = await parent_of(world, options=RunOptions(delay=60.0))
    ((_, _), (child, _)) = world.listener.births
    await world.append(parent, Entry(kind="wait_canceled", step="1", op="child"))
    assert await world.state(child) == "canceled"
    assert world.listener.ends == [(child, 0)]
    await world.finish(parent)
    assert len(world.listener.ends) == 1
