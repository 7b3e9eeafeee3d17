"""Creating runs: options, keys, delays, and what is refused."""

from __future__ import annotations

import pytest

from engine.errors import EngineError, InvalidOptions, ValueOverLimit
from engine.model import RunFilter, RunRequest
from tests.fakes.engine_world import PAYLOAD, World, manifest
from trigger_sdk.protocol.entries import RunOptions
from trigger_sdk.protocol.limits import MAX_VALUE_BYTES


async def test_a_run_shows_what_it_was_created_with(world: World) -> None:
    """Options are found again in the run and in the assignment."""
    await world.worker()
    run_id = await world.create(
        tags=["x", "y"], metadata={"k": [1]}, priority=3, queue="q", concurrency_key="c", idempotency_key="i",
        max_duration=60.0,
    )  # fmt: skip
    run = await world.run(run_id)
    assert (run.job, run.payload, run.tags, run.metadata) == ("a", PAYLOAD, ("x", "y"), {"k": [1]})
    assert (run.priority, run.queue, run.concurrency_key, run.idempotency_key) == (3, "q", "c", "i")
    assert (run.created_at, run.state, run.attempt, run.code) == (world.clock.now(), "running", 1, "code-1")
    assigned = world.assignment(run_id)
    assert (assigned.tags, assigned.metadata, assigned.idempotency_key) == (("x", "y"), {"k": [1]}, "i")
    assert assigned.deadline == world.clock.now() + 60.0
    assert assigned.journal == []


async def test_creating_and_starting_is_one_commit(world: World) -> None:
    """The worker learns of the run together with the creator's answer."""
    await world.worker()
    commits = world.engine._store.writer.changes
    await world.create()
    assert len(world.assigned_runs()) == 1
    assert world.engine._store.writer.changes - commits == 2


async def test_a_repeated_key_returns_the_first_run(world: World) -> None:
    """Per job, also after the run ended, until the key's time is over."""
    await world.declare("a", "b")
    first = await world.engine.create_run("a", PAYLOAD, RunOptions(idempotency_key="k", idempotency_ttl=60.0))
    again = await world.engine.create_run("a", b"\x00\x01", RunOptions(idempotency_key="k"))
    assert (again.run_id, again.existing) == (first.run_id, True)
    other = await world.engine.create_run("b", PAYLOAD, RunOptions(idempotency_key="k"))
    assert not other.existing
    await world.engine.cancel(first.run_id)
    assert (await world.engine.create_run("a", PAYLOAD, RunOptions(idempotency_key="k"))).existing
    await world.advance(61.0)
    fresh = await world.engine.create_run("a", PAYLOAD, RunOptions(idempotency_key="k"))
    assert not fresh.existing
    assert (await world.engine.create_run("a", PAYLOAD, RunOptions(idempotency_key="k"))).run_id == fresh.run_id


async def test_a_key_repeated_within_a_batch_is_one_run(world: World) -> None:
    """All requests of a batch see the ones before them."""
    request = RunRequest(job="a", payload=PAYLOAD, options=RunOptions(idempotency_key="k"))
    one, two = await world.engine.create_runs([request, request])
    assert one.run_id == two.run_id
    assert (one.existing, two.existing) == (False, True)


async def test_a_batch_is_created_all_or_none(world: World) -> None:
    """One request that cannot be taken refuses the batch."""
    good = RunRequest(job="a", payload=PAYLOAD)
    bad = RunRequest(job="a", payload=PAYLOAD, options=RunOptions(delay=-1.0))
    with pytest.raises(InvalidOptions):
        await world.engine.create_runs([good, bad])
    assert (await world.engine.runs(RunFilter())).items == []


@pytest.mark.parametrize(
    ("options", "field"),
    [
        (RunOptions(delay=-1.0), "delay"),
        (RunOptions(delay=float("nan")), "delay"),
        (RunOptions(ttl=float("inf")), "ttl"),
        (RunOptions(max_duration=-5.0), "max_duration"),
        (RunOptions(priority=10**9), "priority"),
        (RunOptions(tags=["t"] * 11), "tags"),
        (RunOptions(tags=["t" * 129]), "tags"),
        (RunOptions(tags=[""]), "tags"),
        (RunOptions(idempotency_key=""), "idempotency_key"),
        (RunOptions(queue="q" * 513), "queue"),
    ],
)
async def test_options_out_of_range_are_refused(world: World, options: RunOptions, field: str) -> None:
    """The problem names the option; nothing is created."""
    with pytest.raises(EngineError) as caught:
        await world.engine.create_run("a", PAYLOAD, options)
    assert caught.value.problem.where == field
    assert (await world.engine.runs(RunFilter())).items == []


async def test_a_payload_over_the_limit_is_refused(world: World) -> None:
    """The error states both sizes."""
    with pytest.raises(ValueOverLimit, match="67,108,864"):
        await world.engine.create_run("a", b"\x00" * (MAX_VALUE_BYTES + 1))


@pytest.mark.parametrize("size", [1024, 1025, 300_000])
async def test_payloads_of_all_sizes_come_back(world: World, size: int) -> None:
    """Inline or beside the row, the worker gets the same bytes."""
    payload = b"\x00" * size
    await world.worker()
    run_id = await world.create(payload=payload)
    assert world.assignment(run_id).payload == payload
    assert (await world.run(run_id)).payload == payload


async def test_the_queue_is_the_jobs_own_unless_it_is_chosen(world: World) -> None:
    """Option before declaration before the job's name."""
    await world.declare(manifest("a", queue="mail"))
    assert (await world.run(await world.create())).queue == "mail"
    assert (await world.run(await world.create(queue="q"))).queue == "q"
    assert (await world.run(await world.create("unheard-of"))).queue == "unheard-of"
