"""Lines of output are kept once."""

from __future__ import annotations

from collections.abc import Callable

from engine.model import Settings
from engine.store.interface import Store
from tests.fakes.engine_world import World
from trigger_sdk.protocol.messages import LogLine


def line(run: str, ordinal: int, text: str = "t", step: str = "") -> LogLine:
    """Return a line of a run."""
    return LogLine(run, step, ordinal, 1.5, 20, "app", text, "log")


async def test_body_lines_are_new_once(world: World) -> None:
    """On replay the body says the same again: only what goes further is new."""
    run_id = await world.create()
    first = [line(run_id, 1, "a"), line(run_id, 2, "b")]
    assert await world.engine.keep_logs(first) == first
    again = [*first, line(run_id, 3, "c"), line(run_id, 3, "c")]
    assert await world.engine.keep_logs(again) == [line(run_id, 3, "c")]
    assert [kept.text for kept in await world.engine.logs(run_id)] == ["a", "b", "c"]


async def test_task_lines_are_all_kept(world: World) -> None:
    """Ordinal 0: what a task said in each of its attempts."""
    run_id = await world.create()
    lines = [line(run_id, 0, "x", step="1"), line(run_id, 0, "x", step="1")]
    assert await world.engine.keep_logs(lines) == lines
    assert await world.engine.logs(run_id) == lines


async def test_lines_outside_runs_pass_through(world: World) -> None:
    """They are new each time, and belong to nobody."""
    lines = [line("", 0, "import"), line("run_gone", 1, "late")]
    assert await world.engine.keep_logs(lines) == lines
    assert await world.engine.keep_logs(lines) == lines
    assert await world.engine.logs("run_gone") == []


async def test_body_lines_are_kept_from_the_holder_only(world: World) -> None:
    """A worker that lost its lease can say nothing for the run; what its tasks said is kept."""
    run_id = await world.create()
    await world.worker("w1")
    await world.engine.close_session("w1")
    await world.worker("w2")
    late = [line(run_id, 1, "late"), line(run_id, 0, "in a task", step="1")]
    assert await world.engine.keep_logs(late, "w1") == late[1:]
    said = [line(run_id, 1, "said")]
    assert await world.engine.keep_logs(said, "w2") == said
    assert [kept.text for kept in await world.engine.logs(run_id)] == ["in a task", "said"]


async def test_runs_are_kept_apart(world: World) -> None:
    """Each run counts by itself, also within one message."""
    one, two = await world.create(), await world.create()
    lines = [line(one, 1), line(two, 1), line(one, 2)]
    assert await world.engine.keep_logs(lines) == lines
    assert len(await world.engine.logs(one)) == 2


async def test_an_attempt_learns_how_far_the_output_is(world: World) -> None:
    """The greatest ordinal that was kept."""
    run_id = await world.create()
    await world.worker()
    assert world.assignment(run_id).log_ordinal == 0
    await world.engine.keep_logs([line(run_id, 1), line(run_id, 2), line(run_id, 0)])
    await world.engine.close_session("w1")
    await world.worker("w2")
    assert world.assignment(run_id).log_ordinal == 2


async def test_output_of_a_run_is_kept_up_to_a_limit(make_store: Callable[[], Store]) -> None:
    """All of it is told; the last line that is kept says so; neither a replay nor a restart tells any of it again."""
    world = World(make_store=make_store, settings=Settings(lease_ttl_s=1e6, log_limit=1000))
    await world.open()
    await world.declare("a")
    await world.worker()
    run = await world.start()
    lines = [line(run.run, ordinal, "x" * 36) for ordinal in range(1, 31)]
    for each in lines[:15]:
        assert await world.engine.keep_logs([each], "w1") == [each]
    assert await world.engine.keep_logs(lines[15:], "w1") == lines[15:]
    assert await world.engine.keep_logs(lines, "w1") == []
    task_line = line(run.run, 0, "y", step="1")
    assert await world.engine.keep_logs([task_line], "w1") == [task_line]
    await world.reopen()
    await world.worker()
    assert world.assignment(run.run).log_ordinal == 30
    assert await world.engine.keep_logs(lines[8:], "w1") == []
    further = line(run.run, 31)
    assert await world.engine.keep_logs([further], "w1") == [further]
    kept = await world.engine.logs(run.run)
    assert (len(kept), kept[-1].ordinal) == (10, 31)
    assert "no more are kept" in kept[-1].text
    other = await world.start()
    assert await world.engine.keep_logs([line(other.run, 1)], "w1")
    assert len(await world.engine.logs(other.run)) == 1
    await world.finish(other)
    assert len(world.engine._board.log_spaces) == 1  # of the run that a worker holds
    await world.close()
