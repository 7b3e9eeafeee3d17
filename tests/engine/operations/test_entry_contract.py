"""What the entries of ended waits carry, as the table in ``trigger_sdk.protocol.entries`` promises the body."""

from __future__ import annotations

import pytest

from tests.fakes.engine_world import PAYLOAD, World, started
from trigger_sdk.protocol.entries import Entry, EventWait, SendEvent, StartRun
from trigger_sdk.protocol.values import encode_json


def end_of(world: World, run: str) -> Entry:
    """Return the last entry that arrived at a run."""
    return world.arrived(run)[-1]


@pytest.mark.parametrize("early", [False, True])
async def test_an_event_is_named_and_the_next_wait_gets_the_next(world: World, *, early: bool) -> None:
    """The entry has the event's id and seq: a wait after that seq does not receive the event again."""
    await world.worker()
    run = await world.start()
    if not early:
        await world.append(run, started("1", spec=EventWait(name="n", filter={"k": [1]})))
    sent = await world.engine.send_event("n", encode_json({"k": 1}))
    if early:
        await world.append(run, started("1", spec=EventWait(name="n", filter={"k": [1]})))
    await world.settle()
    end = end_of(world, run.run)
    assert end.name == sent.id
    await world.append(run, started("2", spec=EventWait(name="n", filter={"k": [1]}, after=end.issued_after)))
    assert len(world.arrived(run.run)) == 1
    later = await world.engine.send_event("n", encode_json({"k": 1}))
    await world.settle()
    assert end_of(world, run.run).name == later.id


async def test_a_childs_end_and_a_started_run_name_the_run(world: World) -> None:
    """Both ``child`` and ``trigger`` give the run's id as the entry's name."""
    await world.declare("a", "b")
    await world.worker()
    run = await world.start("a")
    spec = StartRun(job="b", payload=PAYLOAD)
    await world.append(run, started("1", spec=spec, op="trigger"))
    assert end_of(world, run.run).name == world.assigned_runs()[-1]
    await world.append(run, started("2", spec=spec, op="child"))
    child = world.assignment(world.assigned_runs()[-1])
    await world.finish(child)
    assert end_of(world, run.run).name == child.run


async def test_a_sent_event_is_named(world: World) -> None:
    """A step that sends gives the event's id."""
    await world.worker()
    run = await world.start()
    await world.append(run, started("1", spec=SendEvent(name="n", payload=PAYLOAD, id="mine")))
    assert end_of(world, run.run).name == "mine"


async def test_a_recorded_call_that_raised_is_kept(world: World) -> None:
    """It is written and read like a recorded value, and shown as a failed step."""
    await world.worker()
    run = await world.start()
    error = encode_json("stands for an encoded exception")
    await world.append(run, Entry(kind="record_failed", step="1", name="uuid.uuid4", op="record", value=error))
    await world.engine.close_session("w1")
    await world.worker("w2")
    assert world.kinds(world.assignment(run.run).journal) == ["1 record_failed"]
    (step,) = await world.engine.steps(run.run)
    assert (step.kind, step.state, step.error) == ("record", "failed", error)
