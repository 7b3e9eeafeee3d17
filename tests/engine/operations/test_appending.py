"""A worker's entries: fencing, repetition, big values, what is refused."""

from __future__ import annotations

import pytest

from engine.errors import InvalidEntry, JournalConflict, LeaseLost, ValueOverLimit
from tests.fakes.engine_world import World, completed, started
from trigger_sdk.protocol.entries import Entry, EventWait
from trigger_sdk.protocol.limits import BIG_VALUE_BYTES, MAX_VALUE_BYTES


async def journal_of(world: World, run_id: str) -> list[Entry]:
    """Return what the next worker gets of a run."""
    await world.engine.close_session("w1", crashed=False)
    await world.worker("w1")
    return world.assignment(run_id).journal


async def test_entries_come_back_as_they_were_written(world: World) -> None:
    """Every field, with seq and the commit's clock."""
    await world.worker()
    run = await world.start()
    entry = Entry(
        kind="step_completed", step="1.2", name="charge", op="task", value=b"\x00v", attempt=3, started_at=5.5,
        due_at=6.5, issued_after=4, line="jobs/a.py:12",
    )  # fmt: skip
    answer = await world.append(run, entry, completed("2"))
    first, second = await journal_of(world, run.run)
    assert (first.seq, first.at) == (answer.first, world.clock.now())
    assert second.seq == answer.first + 1
    fields = ("kind", "step", "name", "op", "value", "attempt", "started_at", "due_at", "issued_after", "line")
    assert [getattr(first, name) for name in fields] == [getattr(entry, name) for name in fields]


async def test_an_old_token_writes_nothing(world: World) -> None:
    """After the lease went to another, append, suspend and finish of the first are refused."""
    await world.worker("w1")
    run = await world.start()
    await world.engine.close_session("w1")
    await world.worker("w2")
    taken = world.assignment(run.run)
    assert taken.token > run.token
    for write in (
        lambda: world.append(run, completed("1")),
        lambda: world.suspend(run, wake_at=1.0),
        lambda: world.finish(run),
    ):
        with pytest.raises(LeaseLost):
            await write()
    await world.append(taken, completed("1"))
    assert [step.id for step in await world.engine.steps(run.run)] == ["1"]


async def test_a_lease_without_successor_is_over_too(world: World) -> None:
    """A worker that lost its session writes nothing, also when nobody took the run yet."""
    await world.worker("w1")
    run = await world.start()
    await world.engine.close_session("w1")
    with pytest.raises(LeaseLost):
        await world.append(run, completed("1"))
    with pytest.raises(LeaseLost):
        await world.finish(run)
    assert await world.state(run.run) == "queued"


async def test_an_unknown_run_has_no_lease(world: World) -> None:
    """Not found is a lost lease to a worker."""
    with pytest.raises(LeaseLost):
        await world.engine.append("run_x", 1, 1, [completed("1")])


async def test_repeated_entries_are_acknowledged_in_their_place(world: World) -> None:
    """The same append again gives the same answer and writes nothing, whatever came between."""
    await world.worker()
    run = await world.start()
    first = await world.append(run, completed("1"), completed("2"))
    await world.append(run, completed("3"))
    world.clock.advance(1.0)
    assert await world.append(run, completed("1"), completed("2")) == first
    assert [e.step for e in await journal_of(world, run.run)] == ["1", "2", "3"]


async def test_a_repeated_wait_begins_once(world: World) -> None:
    """No second timer, no second child."""
    await world.worker()
    run = await world.start()
    due = world.clock.now() + 10
    first = await world.append(run, started("1", due_at=due))
    assert await world.append(run, started("1", due_at=due)) == first
    await world.advance(11)
    assert world.kinds(world.arrived(run.run)) == ["1 wait_completed"]


async def test_a_partly_repeated_append_is_refused(world: World) -> None:
    """Two executions of one lease wrote differently: nothing of it is kept."""
    await world.worker()
    run = await world.start()
    await world.append(run, completed("1"))
    with pytest.raises(JournalConflict):
        await world.append(run, completed("1"), completed("2"))
    with pytest.raises(JournalConflict):
        await world.append(run, completed("2"), completed("1"))
    assert [e.step for e in await journal_of(world, run.run)] == ["1"]


async def test_a_step_completes_once(world: World) -> None:
    """A second completion with another value is acknowledged as the first: the journal keeps what it said."""
    await world.worker()
    run = await world.start()
    await world.append(run, completed("1", value=b"\x00first"))
    await world.append(run, completed("1", value=b"\x00second"))
    (entry,) = await journal_of(world, run.run)
    assert entry.value == b"\x00first"


@pytest.mark.parametrize("size", [BIG_VALUE_BYTES, BIG_VALUE_BYTES + 1, 3 * BIG_VALUE_BYTES])
async def test_big_values_are_kept_beside_the_journal(world: World, size: int) -> None:
    """They come back whole with the journal and in the steps."""
    value = b"\x00" * size
    await world.worker()
    run = await world.start()
    await world.append(run, completed("1", value=value))
    assert (await world.engine.steps(run.run))[0].output == value
    assert (await journal_of(world, run.run))[0].value == value


async def test_a_value_over_the_limit_is_refused(world: World) -> None:
    """The problem names the step; the run goes on."""
    await world.worker()
    run = await world.start()
    with pytest.raises(ValueOverLimit, match="step 4 "):
        await world.append(run, completed("3"), completed("4", value=b"\x00" * (MAX_VALUE_BYTES + 1)))
    assert await world.engine.steps(run.run) == []
    await world.append(run, completed("3"))


@pytest.mark.parametrize(
    "entry",
    [
        Entry(kind="wait_completed", step="1", op="sleep"),
        Entry(kind="cancel_requested"),
        Entry(kind="wait_started", step="1", op="sleep"),
        Entry(kind="wait_started", step="1", op="teleport"),
        Entry(kind="wait_started", step="1", op="event", value=b"nonsense"),
        Entry(kind="wait_started", step="1", op="event"),
    ],
)
async def test_entries_that_a_worker_cannot_write_are_refused(world: World, entry: Entry) -> None:
    """The engine's own kinds and waits that cannot be read; nothing beside them is written."""
    await world.worker()
    run = await world.start()
    with pytest.raises(InvalidEntry):
        await world.append(run, completed("9"), entry)
    assert await world.engine.steps(run.run) == []


async def test_a_specification_of_another_kind_is_refused(world: World) -> None:
    """A child needs a run to start, not an event."""
    await world.worker()
    run = await world.start()
    with pytest.raises(InvalidEntry):
        await world.append(run, started("1", spec=EventWait(name="n"), op="child"))


async def test_appending_nothing_is_acknowledged(world: World) -> None:
    """An empty append checks the lease only."""
    await world.worker()
    run = await world.start()
    assert (await world.append(run)).at == world.clock.now()


async def test_a_commits_clock_does_not_turn_back(world: World) -> None:
    """A clock that is set back a little leaves the order of times as it was."""
    await world.worker()
    run = await world.start()
    first = await world.append(run, completed("1"))
    world.clock.time -= 5.0
    second = await world.append(run, completed("2"))
    assert second.at >= first.at
