"""Random lives of runs against a small model: states, tokens, entries and what workers are told must agree."""

from __future__ import annotations

import asyncio
import shutil
import tempfile
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import pytest
from hypothesis import settings
from hypothesis import strategies as st
from hypothesis.stateful import Bundle, RuleBasedStateMachine, initialize, invariant, rule

from engine.errors import LeaseLost, RunFinal, RunNotResumable
from engine.operations import journal, queueing
from engine.store.sqlite import SqliteStore
from tests.fakes.engine_world import World, completed, manifest, started
from trigger_sdk.protocol.entries import EventWait, RunOptions
from trigger_sdk.protocol.states import FINAL_STATES
from trigger_sdk.protocol.values import encode_json

CAPACITY = 3
LIMIT = 2
KEYS = [1, 2]


@dataclass
class ModelRun:
    """What the model knows of a run."""

    number: int
    lane: str
    priority: int
    state: str
    token: int = 0
    run_at: float | None = None
    waits: dict[str, tuple[str, Any]] = field(default_factory=dict)
    entries: list[str] = field(default_factory=list)
    cancel_requested: bool = False


class Lives(RuleBasedStateMachine):
    """One session, one limited queue with two lanes, timers and events."""

    runs = Bundle("runs")

    def __init__(self) -> None:
        super().__init__()
        self.folder = Path(tempfile.mkdtemp())
        self.runner = asyncio.Runner()
        self.world = World(make_store=lambda: SqliteStore(self.folder / "e.db"))
        self.model: dict[str, ModelRun] = {}
        self.events: list[tuple[int, int]] = []
        self.count = 0
        self.session: str | None = None

    def go(self, work: Any) -> Any:
        """Run a coroutine, then let the model hand out runs as the engine does."""
        return self.runner.run(work)

    @initialize()
    def begin(self) -> None:
        """Open the engine with a limited queue."""
        self.go(self.world.open())
        self.go(self.world.declare(manifest("a", concurrency=LIMIT)))

    def teardown(self) -> None:
        """Close."""
        self.go(self.world.close())
        self.runner.close()
        shutil.rmtree(self.folder)

    # --- the model's own moves ---

    def assign(self) -> None:
        """Give queued runs to the session: by priority and age, within capacity and lanes."""
        if self.session is None:
            return
        queued = [run for run in self.model.values() if run.state == "queued"]
        for run in sorted(queued, key=lambda run: (-run.priority, run.number)):
            running = [other for other in self.model.values() if other.state == "running"]
            if len(running) >= CAPACITY:
                return
            if sum(other.lane == run.lane for other in running) < LIMIT:
                run.state = "running"
                run.token += 1

    def entered(self, run: ModelRun, entry: str) -> None:
        """Note an entry of the engine's; a waiting run comes back."""
        run.entries.append(entry)
        if run.state == "waiting":
            run.state = "queued"

    def time_passes(self) -> None:
        """End what is due."""
        now = self.world.clock.now()
        for run in self.model.values():
            if run.run_at is not None and run.run_at <= now and run.state == "delayed":
                run.state = "queued"
        due = [
            (at, run, step)
            for run in self.model.values()
            if run.state not in FINAL_STATES
            for step, (kind, at) in run.waits.items()
            if kind == "time" and at <= now
        ]
        for _, run, step in sorted(due, key=lambda one: one[0]):
            del run.waits[step]
            self.entered(run, f"{step} wait_completed")

    def meets(self, run: ModelRun, key: int) -> bool:
        """Return whether an event with the key was sent since the run was created."""
        return any(sent == key and number > run.number for number, sent in self.events)

    def next_number(self) -> int:
        """Count runs and events on one line."""
        self.count += 1
        return self.count

    # --- rules ---

    @rule(
        target=runs,
        lane=st.sampled_from(["x", "y"]),
        priority=st.sampled_from([0, 0, 5]),
        delay=st.sampled_from([None, None, 20.0]),
    )
    def create(self, lane: str, priority: int, delay: float | None) -> str:
        """Create a run."""
        options = RunOptions(concurrency_key=lane, priority=priority, delay=delay)
        created = self.runner.run(self._create(options))
        run_at = None if delay is None else self.world.clock.now() + delay
        state = "queued" if delay is None else "delayed"
        self.model[created] = ModelRun(self.next_number(), lane, priority, state, run_at=run_at)
        self.assign()
        return created

    async def _create(self, options: RunOptions) -> str:
        created = await self.world.engine.create_run("a", encode_json(1), options)
        await self.world.settle()
        return created.run_id

    @rule()
    def open_session(self) -> None:
        """A worker comes, if there is none."""
        if self.session is None:
            self.session = f"w{self.next_number()}"
            self.go(self.world.worker(self.session, capacity=CAPACITY))
            self.assign()

    @rule()
    def close_session(self) -> None:
        """The worker leaves in order."""
        if self.session is not None:
            self.go(self._close(self.session))
            self.session = None
            self.release()

    async def _close(self, worker: str) -> None:
        await self.world.engine.close_session(worker, crashed=False)
        await self.world.settle()

    @rule()
    def restart(self) -> None:
        """The server is started again."""
        self.go(self.world.reopen())
        self.session = None
        self.release()

    def release(self) -> None:
        """Every run that was running is queued."""
        for run in self.model.values():
            if run.state == "running":
                run.state = "queued"

    @rule(run_id=runs)
    def complete_step(self, run_id: str) -> None:
        """The worker appends a completed step, with the lease it has or had."""
        run = self.model[run_id]
        step = str(len(run.entries) + 1000)
        if self.leased(run_id, lambda: self.append(run_id, completed(step))):
            run.entries.append(f"{step} step_completed")

    @rule(run_id=runs, seconds=st.sampled_from([0.0, 10.0, 30.0]))
    def sleep(self, run_id: str, seconds: float) -> None:
        """The body sleeps."""
        run = self.model[run_id]
        step = str(len(run.entries) + 1000)
        due = self.world.clock.now() + seconds
        if self.leased(run_id, lambda: self.append(run_id, started(step, due_at=due))):
            run.entries.append(f"{step} wait_started")
            run.waits[step] = ("time", due)
            self.time_passes()
            self.assign()

    @rule(run_id=runs, key=st.sampled_from(KEYS))
    def wait_for_event(self, run_id: str, key: int) -> None:
        """The body waits for an event."""
        run = self.model[run_id]
        step = str(len(run.entries) + 1000)
        entry = started(step, spec=EventWait(name="n", filter={"k": [key]}))
        if self.leased(run_id, lambda: self.append(run_id, entry)):
            run.entries.append(f"{step} wait_started")
            if self.meets(run, key):
                self.entered(run, f"{step} wait_completed")
            else:
                run.waits[step] = ("event", key)

    @rule(run_id=runs)
    def suspend(self, run_id: str) -> None:
        """The worker has seen everything and asks to leave."""
        run = self.model[run_id]
        left = self.leased(run_id, lambda: self.world.suspend(self.world.assignment(run_id), seen=10**9), fenced=False)
        if left is not False:
            assert left.value is bool(run.waits)
            if left.value:
                run.state = "waiting"
                self.assign()

    @rule(run_id=runs, state=st.sampled_from(["completed", "failed", "canceled"]))
    def finish(self, run_id: str, state: str) -> None:
        """The body ends."""
        if self.leased(run_id, lambda: self.world.finish(self.world.assignment(run_id), state), fenced=False):
            self.model[run_id].state = state
            self.assign()

    @rule(key=st.sampled_from(KEYS))
    def send_event(self, key: int) -> None:
        """An event is sent."""
        self.events.append((self.next_number(), key))
        sent = self.go(self._send(key))
        matched = 0
        for run in self.model.values():
            if run.state in FINAL_STATES:
                continue
            for step in [step for step, wait in run.waits.items() if wait == ("event", key)]:
                del run.waits[step]
                self.entered(run, f"{step} wait_completed")
                matched += 1
        assert sent.matched == matched
        self.assign()

    async def _send(self, key: int) -> Any:
        sent = await self.world.engine.send_event("n", encode_json({"k": key}))
        await self.world.settle()
        return sent

    @rule(run_id=runs)
    def cancel(self, run_id: str) -> None:
        """Somebody cancels the run."""
        run = self.model[run_id]
        if run.state in FINAL_STATES and run.state != "canceled":
            with pytest.raises(RunFinal):
                self.go(self._cancel(run_id))
            return
        self.go(self._cancel(run_id))
        if run.state == "canceled":
            return
        if run.token == 0:
            run.state = "canceled"
        elif not run.cancel_requested:
            run.cancel_requested = True
            self.entered(run, "cancel_requested")
        self.assign()

    async def _cancel(self, run_id: str) -> None:
        await self.world.engine.cancel(run_id)
        await self.world.settle()

    @rule(run_id=runs)
    def resume(self, run_id: str) -> None:
        """Somebody resumes the run."""
        run = self.model[run_id]
        if run.state != "failed":
            with pytest.raises(RunNotResumable):
                self.go(self._resume(run_id))
            return
        self.go(self._resume(run_id))
        run.state = "queued"
        for step in [step for step, (kind, key) in run.waits.items() if kind == "event" and self.meets(run, key)]:
            del run.waits[step]
            self.entered(run, f"{step} wait_completed")
        self.time_passes()
        self.assign()

    async def _resume(self, run_id: str) -> None:
        await self.world.engine.resume(run_id)
        await self.world.settle()

    @rule(seconds=st.sampled_from([5.0, 15.0, 40.0]))
    def time_goes_on(self, seconds: float) -> None:
        """The clock moves."""
        self.go(self.world.advance(seconds))
        self.time_passes()
        self.assign()

    # --- what must hold ---

    @invariant()
    def states_agree(self) -> None:
        """Every run is where the model says, with the model's token and entries."""
        for run_id, expected in self.model.items():
            run = self.go(self.world.run(run_id))
            assert (run.state, run.attempt) == (expected.state, expected.token), run_id
            entries = self.go(self._entries(run_id))
            assert sorted(entries) == sorted(expected.entries), run_id

    async def _entries(self, run_id: str) -> list[str]:
        def read(tx: Any) -> list[str]:
            return self.world.kinds(journal.entries(tx.sql, queueing.find(tx, run_id).num))

        return await self.world.engine._pipeline.submit(read)

    def append(self, run_id: str, entry: Any) -> Any:
        """Append with the last lease that a worker got."""
        return self.world.append(self.world.assignment(run_id), entry)

    def leased(self, run_id: str, work: Any, *, fenced: bool = True) -> Any:
        """Do a worker's work; False when the model says that it has no lease, and the engine says so too.

        Without ``fenced`` the engine is not asked: a repeated suspend or finish is acknowledged.
        """
        run = self.model[run_id]
        if not any(assignment.run == run_id for _, assignment in self.world.listener.assignments):
            return False
        if run.state == "running":
            return Answer(self.go(work()))
        if not fenced:
            return False
        with pytest.raises(LeaseLost):
            self.go(work())
        return False


@dataclass
class Answer:
    """What a worker's call returned; true however that is."""

    value: Any


Lives.TestCase.settings = settings(max_examples=60, stateful_step_count=40, deadline=None)
TestLives = Lives.TestCase
