"""Steps as they are shown: states, attempts, times, values."""

from __future__ import annotations

from typing import Any

import pytest

from tests.fakes.engine_world import PAYLOAD, World, completed, started
from trigger_sdk.protocol.entries import Entry, EventWait, StartRun
from trigger_sdk.protocol.values import encode_json


def entry(kind: str, step: str = "1", **fields: Any) -> Entry:
    """Return an entry of a task."""
    return Entry(**({"kind": kind, "step": step, "name": "charge", "op": "task", "line": "jobs/a.py:3"} | fields))


@pytest.mark.parametrize(
    ("entries", "state", "attempts"),
    [
        ([entry("step_completed", attempt=1)], "completed", 1),
        ([entry("step_failed", attempt=1)], "failed", 1),
        ([entry("step_attempt_failed", attempt=1, due_at=5.0)], "retrying", 1),
        ([entry("step_attempt_failed", attempt=1), entry("step_completed", attempt=2)], "completed", 2),
        ([entry("step_attempt_failed", attempt=1), entry("step_failed", attempt=2)], "failed", 2),
        ([entry("step_canceled")], "canceled", 0),
        ([entry("value_recorded", op="record")], "completed", 0),
        ([started("1", due_at=9e9)], "waiting", 0),
        ([started("1", due_at=9e9), entry("wait_canceled", op="sleep")], "canceled", 0),
    ],
)
async def test_a_step_is_what_its_entries_say(world: World, entries: list[Entry], state: str, attempts: int) -> None:
    """State and attempts follow from the last entry of the step."""
    await world.worker()
    run = await world.start()
    await world.append(run, *entries)
    (step,) = await world.engine.steps(run.run)
    assert (step.state, step.attempts) == (state, attempts)
    assert (step.finished_at is None) == (state in ("retrying", "waiting"))


async def test_a_step_shows_its_fields(world: World) -> None:
    """Begin of the first attempt, end, output, place."""
    await world.worker()
    run = await world.start()
    await world.append(run, entry("step_attempt_failed", attempt=1, started_at=10.0, value=b"\x00e1"))
    world.clock.advance(5)
    await world.append(run, entry("step_completed", attempt=2, started_at=12.0, value=b"\x00out"))
    (step,) = await world.engine.steps(run.run)
    assert (step.id, step.name, step.kind, step.line) == ("1", "charge", "task", "jobs/a.py:3")
    assert (step.started_at, step.finished_at) == (10.0, world.clock.now())
    assert (step.output, step.error) == (b"\x00out", None)


async def test_a_retrying_step_shows_its_last_error_and_next_attempt(world: World) -> None:
    """And it is running when the next attempt is known to go."""
    await world.worker()
    run = await world.start()
    await world.append(run, entry("step_attempt_failed", attempt=1, due_at=99.0, value=b"\x00e1"))
    (step,) = await world.engine.steps(run.run)
    assert (step.error, step.due_at, step.output) == (b"\x00e1", 99.0, None)
    world.engine.note_running(run.run, run.token, "1", "charge", "task", 2, 50.0)
    (step,) = await world.engine.steps(run.run)
    assert (step.state, step.attempts) == ("running", 2)


async def test_a_step_in_flight_is_shown_last(world: World) -> None:
    """Known from the worker's news only; gone with the lease and with the run."""
    await world.worker()
    run = await world.start()
    await world.append(run, completed("1"))
    world.engine.note_running(run.run, run.token, "2", "slow", "task", 1, 50.0)
    steps = await world.engine.steps(run.run)
    assert [(s.id, s.state, s.started_at) for s in steps] == [("1", "completed", None), ("2", "running", 50.0)]
    world.engine.note_running(run.run, run.token - 1, "3", "stale", "task", 1, 50.0)
    await world.engine.close_session("w1")
    assert [s.id for s in await world.engine.steps(run.run)] == ["1"]
    await world.worker("w2")
    await world.finish(world.assignment(run.run))
    assert [s.id for s in await world.engine.steps(run.run)] == ["1"]


async def test_waits_show_how_they_ended(world: World) -> None:
    """Payload of an event, time-out, a child's id and error."""
    await world.declare("a", "b")
    await world.worker()
    run = await world.start()
    await world.append(
        run,
        started("1", spec=EventWait(name="n")),
        started("2", spec=EventWait(name="m"), due_at=world.clock.now() + 5),
        started("3", spec=StartRun(job="b", payload=PAYLOAD)),
    )
    child = next(a for _, a in world.listener.assignments if a.job == "b")
    steps = await world.engine.steps(run.run)
    assert [(s.kind, s.state, s.child) for s in steps] == [
        ("event", "waiting", None),
        ("event", "waiting", None),
        ("child", "waiting", child.run),
    ]
    await world.engine.send_event("n", encode_json(7))
    await world.finish(child, "failed", b"\x00e")
    await world.advance(6)
    event, late, started_child = await world.engine.steps(run.run)
    assert (event.state, event.output) == ("completed", encode_json(7))
    assert (late.state, late.output, late.error) == ("failed", None, None)
    assert (started_child.state, started_child.error, started_child.child) == ("failed", b"\x00e", child.run)


async def test_an_unknown_run_has_no_steps(world: World) -> None:
    """An empty list, not an error."""
    assert await world.engine.steps("run_nope") == []
