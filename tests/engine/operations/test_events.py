"""Events: which waits they end, late waits, filters, ids."""

from __future__ import annotations

from typing import Any

import pytest

from engine.errors import InvalidValue, ValueOverLimit
from tests.fakes.engine_world import World, started
from trigger_sdk.protocol.entries import EventWait, SendEvent
from trigger_sdk.protocol.limits import MAX_VALUE_BYTES
from trigger_sdk.protocol.values import encode_json, to_json


async def send(world: World, payload: Any = None, name: str = "n", event_id: str | None = None) -> int:
    """Send an event; returns how many waits it ended."""
    sent = await world.engine.send_event(name, encode_json(payload), event_id)
    await world.settle()
    return sent.matched


def on(name: str = "n", after: int = 0, **which: list[object]) -> EventWait:
    """Return a wait for an event; underscores in keys are dots."""
    return EventWait(name=name, filter={key.replace("_", "."): value for key, value in which.items()}, after=after)


async def test_an_event_ends_the_waits_it_matches(world: World) -> None:
    """Of all runs, by name and filter, with the payload as the wait's value."""
    await world.worker()
    runs = [await world.start() for _ in range(4)]
    for run, wait in zip(runs, (on(), on(user_id=[1]), on(user_id=[2]), on("other")), strict=True):
        await world.append(run, started("1", spec=wait))
    assert await send(world, {"user": {"id": 1}}) == 2
    assert [len(world.arrived(run.run)) for run in runs] == [1, 1, 0, 0]
    assert to_json(world.arrived(runs[1].run)[0].value or b"") == {"user": {"id": 1}}


async def test_a_wait_ends_once(world: World) -> None:
    """The second event finds it closed, also under its other accepted values."""
    await world.worker()
    run = await world.start()
    await world.append(run, started("1", spec=on(id=[1, 2])))
    assert await send(world, {"id": [1, 2]}) == 1
    assert await send(world, {"id": 2}) == 0
    assert len(world.arrived(run.run)) == 1


async def test_all_keys_must_match(world: World) -> None:
    """The first key finds, the others decide."""
    await world.worker()
    run = await world.start()
    await world.append(run, started("1", spec=on(items=[7], user_id=[5])))
    assert await send(world, {"items": [6, 7], "user": {"id": 4}}) == 0
    assert await send(world, {"items": [6, 7], "user": {"id": 5}}) == 1


async def test_an_event_sent_before_the_wait_counts(world: World) -> None:
    """Sent since the run was created; earlier ones do not."""
    await world.worker()
    await send(world, {"id": 1, "late": False})
    run = await world.start()
    await send(world, {"id": 2})
    await send(world, {"id": 1, "late": True})
    await world.append(run, started("1", spec=on(id=[1])))
    (end,) = world.arrived(run.run)
    assert to_json(end.value or b"") == {"id": 1, "late": True}


@pytest.mark.parametrize("restarts", [False, True])
@pytest.mark.parametrize("which", [{}, {"id": [1]}, {"id": [1], "to": [2]}])
async def test_an_event_older_than_the_run_never_ends_its_wait(
    world: World, which: dict[str, list[object]], restarts: bool
) -> None:
    """However the wait finds events, and also when the engine was restarted between the event and the run."""
    await world.worker()
    earlier = await world.start()
    await world.append(earlier, started("1", spec=EventWait(name="n", filter=which)))  # from here on it is indexed
    await send(world, {"id": 1, "to": 2})
    if restarts:
        await world.reopen()
        await world.worker()
    run = await world.start()
    await world.append(run, started("1", spec=EventWait(name="n", filter=which)))
    assert world.arrived(run.run) == []
    assert await send(world, {"id": 1, "to": 2}) == 1
    assert len(world.arrived(run.run)) == 1


@pytest.mark.parametrize("which", [{}, {"id": [1]}])
async def test_the_first_of_several_early_events_wins_and_the_next_wait_gets_the_next(
    world: World, which: dict[str, list[object]]
) -> None:
    """Two events before the first wait: two waits get one each, though the first's entry is younger than both."""
    await world.worker()
    run = await world.start()
    await send(world, {"id": 1, "n": "one"})
    await send(world, {"id": 1, "n": "two"})
    await world.append(run, started("1", spec=EventWait(name="n", filter=which)))
    (first,) = world.arrived(run.run)
    await world.append(run, started("2", spec=EventWait(name="n", filter=which, after=first.seq)))
    second = world.arrived(run.run)[1]
    assert [to_json(e.value or b"") for e in (first, second)] == [{"id": 1, "n": "one"}, {"id": 1, "n": "two"}]
    await world.append(run, started("3", spec=EventWait(name="n", filter=which, after=second.seq)))
    assert len(world.arrived(run.run)) == 2
    await send(world, {"id": 1, "n": "three"})
    assert len(world.arrived(run.run)) == 3


async def test_a_filter_on_a_path_never_asked_for_finds_earlier_events(world: World) -> None:
    """The index learns the path from the first wait that has it."""
    await world.worker()
    run = await world.start()
    for number in range(5):
        await send(world, {"id": number, "deep": {"x": [number, -number]}})
    await world.append(run, started("1", spec=on(deep_x=[-3])), started("2", spec=on(id=[4], deep_x=[4])))
    assert [to_json(e.value or b"")["id"] for e in world.arrived(run.run)] == [3, 4]  # type: ignore[index]


async def test_an_event_wakes_a_waiting_run(world: World) -> None:
    """It is assigned in the same commit, with the event in its journal."""
    await world.worker()
    run = await world.start()
    await world.append(run, started("1", spec=on()))
    assert await world.suspend(run, seen=99)
    await send(world, 5)
    assert world.kinds(world.assignment(run.run).journal) == ["1 wait_started", "1 wait_completed"]


async def test_an_id_is_sent_once(world: World) -> None:
    """The second is acknowledged and ends nothing."""
    await world.worker()
    run = await world.start()
    await send(world, event_id="order-1")
    again = await world.engine.send_event("n", encode_json(2), "order-1")
    assert (again.id, again.existing, again.matched) == ("order-1", True, 0)
    await world.append(run, started("1", spec=on()))
    (end,) = world.arrived(run.run)
    await world.append(run, started("2", spec=on(after=end.seq)))
    assert len(world.arrived(run.run)) == 1


async def test_a_body_sends_an_event(world: World) -> None:
    """The step ends at once with the event's id; the event reaches other runs."""
    await world.worker()
    sender, receiver = await world.start(), await world.start()
    await world.append(receiver, started("1", spec=on()))
    await world.append(sender, started("1", spec=SendEvent(name="n", payload=encode_json(1), id="e1")))
    assert to_json(world.arrived(sender.run)[0].value or b"") == "e1"
    assert world.kinds(world.arrived(receiver.run)) == ["1 wait_completed"]


async def test_a_big_event_reaches_its_wait(world: World) -> None:
    """Payloads beyond the inline size are kept beside the event."""
    await world.worker()
    run = await world.start()
    await send(world, {"id": 1, "text": "x" * 400_000})
    await world.append(run, started("1", spec=on(id=[1])))
    assert len(world.arrived(run.run)[0].value or b"") > 0


@pytest.mark.parametrize("payload", [b"", b"\x07junk", b"\x00\xc1"])
async def test_a_payload_that_is_no_value_is_refused(world: World, payload: bytes) -> None:
    """Nothing is written, and the engine goes on."""
    with pytest.raises(InvalidValue):
        await world.engine.send_event("n", payload)
    assert await send(world) == 0


async def test_a_payload_over_the_limit_is_refused(world: World) -> None:
    """As everywhere."""
    with pytest.raises(ValueOverLimit):
        await world.engine.send_event("n", b"\x00" * (MAX_VALUE_BYTES + 1))


async def test_matching_costs_the_matches_not_the_waiters(world: World) -> None:
    """Rows written for an event do not grow with the waits that it does not match."""
    await world.worker(capacity=500)
    runs = [await world.start() for _ in range(200)]
    for number, run in enumerate(runs):
        await world.engine.append(run.run, run.token, 1, [started("1", spec=on(id=[number]))])
    before = world.engine._store.writer.changes
    assert await send(world, {"id": 7}) == 1
    assert world.engine._store.writer.changes - before < 10
