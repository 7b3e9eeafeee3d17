"""The commit pipeline's short way: a few brief operations are committed on the loop, when nothing else is under way."""

from __future__ import annotations

import asyncio
import threading
from collections.abc import Callable
from pathlib import Path
from typing import TYPE_CHECKING

import pytest

from engine.errors import EngineError, RunNotFound
from engine.store.interface import Store
from engine.store.sqlite import SqliteStore
from tests.engine.test_pipeline import held_up, queues, save_queue
from tests.fakes.engine_world import World, completed

if TYPE_CHECKING:
    from engine.pipeline import Pipeline
    from engine.transaction import Operation, Transaction


@pytest.fixture
def make_store(tmp_path: Path) -> Callable[[], Store]:
    """Return what makes an SQLite store: PostgreSQL's commits are never quick."""
    return lambda: SqliteStore(tmp_path / "engine.db")


def noting(threads: list[str], operation: Operation[str] | None = None) -> Operation[str]:
    """Return an operation that notes on which thread it is executed."""

    def note(tx: Transaction) -> str:
        threads.append("loop" if threading.current_thread() is threading.main_thread() else "writer")
        return operation(tx) if operation is not None else ""

    return note


def pipeline_of(world: World) -> Pipeline:
    """Return the pipeline of a world's engine."""
    return world.engine._pipeline


async def at_rest(world: World) -> None:
    """Return when nothing waits and the writer thread does nothing."""
    await world.settle()
    while pipeline_of(world)._turn.locked():
        await asyncio.sleep(0)


async def test_brief_operation_when_nothing_waits(world: World) -> None:
    """It is committed on the loop, and is in the database when its future is done."""
    threads: list[str] = []
    await at_rest(world)
    assert await pipeline_of(world).submit(noting(threads, save_queue("b")), brief=True) == "b"
    assert threads == ["loop"]
    assert queues(world) == ["b"]


async def test_operation_when_it_is_not_brief(world: World) -> None:
    """It is the writer thread's."""
    threads: list[str] = []
    await pipeline_of(world).submit(noting(threads))
    assert threads == ["writer"]


async def test_brief_operations_when_there_are_many(world: World) -> None:
    """What comes in one turn of the loop and is more than a few goes to the thread, as one group."""
    threads: list[str] = []
    await asyncio.gather(*(pipeline_of(world).submit(noting(threads), brief=True) for _ in range(5)))
    assert threads == ["writer"] * 5


async def test_brief_operation_when_others_wait(world: World) -> None:
    """Operations are executed in the order of their submission, whichever way they go."""
    order: list[str] = []

    def append(name: str) -> Operation[None]:
        return lambda _tx: order.append(name)

    pipeline = pipeline_of(world)
    gate = await held_up(world)
    futures = [
        pipeline.submit(append("1"), brief=True),
        pipeline.submit(append("2")),
        pipeline.submit(append("3"), brief=True),
    ]
    await asyncio.sleep(0)
    futures.append(pipeline.submit(append("4")))
    gate.set()
    await asyncio.gather(*futures)
    assert order == ["1", "2", "3", "4"]


async def test_brief_operation_when_it_is_refused(world: World) -> None:
    """Its error is its own; what stands beside it in the group is written."""

    def refuse(_: Transaction) -> str:
        raise RunNotFound("no such run")

    pipeline = pipeline_of(world)
    refused = pipeline.submit(refuse, brief=True)
    kept = pipeline.submit(save_queue("b"), brief=True)
    with pytest.raises(EngineError):
        await refused
    await kept
    assert queues(world) == ["b"]


async def test_brief_operation_when_it_has_a_fault(world: World) -> None:
    """The group is undone on the loop and executed again by the thread, where the faulty one fails alone."""
    threads: list[str] = []

    def fault(tx: Transaction) -> str:
        save_queue("half")(tx)
        raise ZeroDivisionError

    await at_rest(world)
    pipeline = pipeline_of(world)
    faulty = pipeline.submit(noting(threads, fault), brief=True)
    kept = pipeline.submit(save_queue("b"), brief=True)
    with pytest.raises(ZeroDivisionError):
        await faulty
    await kept
    assert queues(world) == ["b"]
    assert threads[0] == "loop"
    assert set(threads[1:]) == {"writer"}


async def test_brief_operations_when_the_engine_closes(world: World) -> None:
    """What was submitted before is committed."""
    future = pipeline_of(world).submit(save_queue("b"), brief=True)
    await world.close()
    assert await future == "b"


async def test_appends_when_they_follow_each_other(world: World) -> None:
    """A run's steps one after the other keep their order and their numbers over many checkpoints' worth of commits."""
    await world.worker()
    run = await world.start()
    firsts = [
        (await world.engine.append(run.run, run.token, number, [completed(str(number))])).first
        for number in range(2100)  # the thread tidies the store twice meanwhile
    ]
    assert firsts == sorted(set(firsts))
    assert len(await world.engine.steps(run.run)) == 2100
