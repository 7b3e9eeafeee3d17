"""A server in memory, for one run: commits what an attempt sends, under a clock and an order that the test decides."""

from __future__ import annotations

import asyncio
from collections import deque
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass, field
from datetime import UTC, datetime
from logging import getLogger
from typing import TYPE_CHECKING, Any

import msgspec

from trigger_sdk._codec import decode, decode_error
from trigger_sdk._declare.context import AttemptInfo, Context, RunInfo
from trigger_sdk._runtime.async_body import AsyncBody
from trigger_sdk._runtime.attempt import Attempt
from trigger_sdk._runtime.scope import current_scope
from trigger_sdk._runtime.sync_body import SyncBody
from trigger_sdk._runtime.tasks import TaskSet
from trigger_sdk.protocol.entries import DELIVERED_KINDS, Entry, EventWait, StartRun, decode_spec
from trigger_sdk.protocol.messages import Ack, Append, Arrived, Finish, Start, Suspend, Suspended
from trigger_sdk.protocol.values import encode_json

if TYPE_CHECKING:
    from collections.abc import Awaitable, Callable, Iterable

BEGAN_AT = 1_000_000.0


@dataclass(kw_only=True)
class Outcome:
    """How the run ended."""

    state: str
    value: Any = None
    error: BaseException | None = None


@dataclass(kw_only=True)
class Gate:
    """A task's execution that the test ends."""

    step: str
    future: asyncio.Future[Any]


@dataclass(kw_only=True)
class Simulation:
    """Plays worker and server around one attempt at a time.

    Attributes:
        job: the job to run.
        payload: what the body is given.
        entries: the committed journal.
        gates: executions of tasks that wait for the test, by label, in the order of their start.
        executed: label of every execution of a task that began.
        labelled: which step a label was executed as.
        expected: (kind, step) of the entries to be committed next, in this order; None takes them as they come.
        grace: seconds before a waiting run leaves; by default it never does by itself.
    """

    job: Any
    payload: Any = None
    entries: list[Entry] = field(default_factory=list)
    gates: dict[str, Gate] = field(default_factory=dict)
    executed: list[str] = field(default_factory=list)
    labelled: dict[str, str] = field(default_factory=dict)
    grace: float = 1e9
    now: float = BEGAN_AT
    instant_acks: bool = True
    outcome: Outcome | None = None
    evicted: bool = False
    warnings: list[str] = field(default_factory=list)
    body_lines: list[str] = field(default_factory=list)
    expected: list[tuple[str, str]] | None = None
    _appends: list[Append] = field(default_factory=list)
    _inbox: deque[Any] = field(default_factory=deque)
    _attempt: Attempt | None = None
    _attempts: int = 0
    _pool: ThreadPoolExecutor = field(default_factory=lambda: ThreadPoolExecutor(4))

    # --- WorkerPort ---------------------------------------------------------------------------------------------

    @property
    def loop(self) -> asyncio.AbstractEventLoop:
        """The test's loop."""
        return asyncio.get_running_loop()

    def clock(self) -> float:
        """The virtual clock."""
        return self.now

    def send(self, message: Any) -> None:
        """Take a message of the attempt, as the server would."""
        if isinstance(message, Append):
            self._appends.append(message)
            if self.expected is None:
                self._commit(0)
        elif isinstance(message, Finish):
            if message.state == "completed":
                self.outcome = Outcome(state="completed", value=decode(message.value or b""))
            else:
                self.outcome = Outcome(state=message.state, error=decode_error(message.value or b""))
        elif isinstance(message, Suspend):
            behind = any(entry.seq > message.seen for entry in self.entries)
            self._inbox.append(Suspended(message.run, message.token, not behind))

    def _commit(self, index: int) -> None:
        message = self._appends.pop(index)
        first = len(self.entries) + 1
        self.entries += [
            msgspec.structs.replace(entry, seq=first + offset, at=self.now)
            for offset, entry in enumerate(message.entries)
        ]
        self._inbox.append(Ack(message.run, message.token, message.cid, first, self.now))

    def _commit_in_order(self) -> None:
        """Commit what the body will not learn of, and of the rest what is expected next."""
        index = 0
        while self.expected is not None and index < len(self._appends):
            told = [(e.kind, e.step) for e in self._appends[index].entries if e.kind in DELIVERED_KINDS]
            if told == list(self.expected)[: len(told)]:
                del self.expected[: len(told)]
                self._commit(index)
                index = 0
            else:
                index += 1

    def forget(self, attempt: Attempt) -> None:
        """The attempt left or ended."""
        if self._attempt is attempt:
            self._attempt = None
            self.evicted = True

    def new_body(self, attempt: Attempt) -> Any:
        """Make the body, as the worker does."""
        if self.job.is_async:
            return AsyncBody("run_1", attempt, began_at=BEGAN_AT, lines_kept=len(self.body_lines))
        return SyncBody("run_1", attempt, post=self.loop.call_soon_threadsafe, lines_kept=len(self.body_lines))

    def task_set(self, attempt: Attempt) -> TaskSet:
        """Make the task set, as the worker does."""
        return TaskSet(attempt, loop=self.loop, pool=self._pool, token=attempt.start.token, clock=self.clock)

    def relative(self, line: str) -> str:
        """Keep the file's name only."""
        return line.rpartition("/")[2]

    def here(self) -> str:
        """There is no project in a simulation."""
        return "job.py:1"

    def warn(self, message: str, run_id: str) -> None:
        """Keep a warning."""
        self.warnings.append(f"{run_id}: {message}")

    # --- what tests call ----------------------------------------------------------------------------------------

    def begin(self, entries: Iterable[Entry] | None = None) -> None:
        """Begin a new attempt on the journal, or on other entries."""
        if entries is not None:
            self.entries = list(entries)
            self.now = max([self.now, *(entry.at for entry in self.entries)])
        self._attempts += 1
        self.evicted = False
        start = Start(
            run="run_1", token=self._attempts, job=self.job.id, payload=b"", attempt=self._attempts,
            created_at=BEGAN_AT, began_at=BEGAN_AT,
        )  # fmt: skip
        context = Context(
            run=RunInfo(id="run_1", job=self.job.id, created_at=datetime.fromtimestamp(BEGAN_AT, tz=UTC)),
            attempt=AttemptInfo(number=self._attempts),
            logger=getLogger("job"),
        )
        self._attempt = Attempt(start, self.entries, self.job, self)
        self._attempt.begin(self.payload, context)

    def crash(self) -> None:
        """The worker dies: nothing of the attempt is left."""
        if self._attempt is not None:
            attempt, self._attempt = self._attempt, None
            attempt.drop()
        self._inbox.clear()
        self.gates.clear()

    async def gate(self, label: str) -> Any:
        """Be a task's execution that ends when the test says so."""
        self.executed.append(label)
        scope = current_scope.get()
        assert scope is not None
        self.labelled[label] = scope.step_id
        future: asyncio.Future[Any] = asyncio.get_running_loop().create_future()
        self.gates[label] = Gate(step=label, future=future)
        try:
            return await future
        finally:
            self.gates.pop(label, None)

    def open_gate(self, label: str, value: Any = None, error: BaseException | None = None) -> None:
        """End a task's execution."""
        gate = self.gates.pop(label)
        if error is not None:
            gate.future.set_exception(error)
        else:
            gate.future.set_result(value)

    async def settle(self, rounds: int = 12) -> None:
        """Let everything happen that can happen without the test's doing."""
        for _ in range(rounds):
            await asyncio.sleep(0)
            self._commit_in_order()
            if self.instant_acks:
                while self._inbox:
                    self.deliver_one()
                    await asyncio.sleep(0)

    def deliver_one(self) -> bool:
        """Let the attempt receive the next message; False when there is none."""
        if not self._inbox:
            return False
        message = self._inbox.popleft()
        attempt = self._attempt
        if attempt is None:
            return True
        if isinstance(message, Ack):
            attempt.acknowledged(message)
        elif isinstance(message, Arrived):
            attempt.arrived(message)
        else:
            attempt.suspended(message)
        return True

    async def pump_until(self, condition: Callable[[], object], seconds: float = 10.0) -> None:
        """Let everything happen until a condition holds; for bodies with threads of their own."""
        async with asyncio.timeout(seconds):
            while not condition():
                await self.settle(1)
                await asyncio.sleep(0.001)

    def end_child(self, wait: Entry, output: Any) -> None:
        """End a run that the body waits for."""
        self.write(
            Entry(kind="wait_completed", step=wait.step, op="child", value=encode_json(output), name=f"run_{wait.step}")
        )

    def write(self, entry: Entry) -> None:
        """Commit an entry of the engine."""
        entry = msgspec.structs.replace(entry, seq=len(self.entries) + 1, at=self.now)
        self.entries.append(entry)
        if self.expected:
            assert self.expected.pop(0) == (entry.kind, entry.step)
        self._inbox.append(Arrived("run_1", self._attempts, [entry]))

    def open_waits(self) -> list[Entry]:
        """Return the waits that have not ended, in the order of their registration."""
        ended = {
            entry.step
            for entry in self.entries
            if entry.kind in ("wait_completed", "wait_failed", "wait_timed_out", "wait_canceled")
        }
        return [entry for entry in self.entries if entry.kind == "wait_started" and entry.step not in ended]

    def fire(self, wait: Entry) -> None:
        """End a wait by its time: the clock moves there."""
        self.now = max(self.now, wait.due_at or self.now)
        kind = "wait_timed_out" if wait.op == "event" else "wait_completed"
        self.write(Entry(kind=kind, step=wait.step, name=wait.name, op=wait.op))  # type: ignore[arg-type]

    def send_event(self, name: str, payload: Any, event_id: str = "evt_1") -> None:
        """End the first wait for an event of this name."""
        for wait in self.open_waits():
            spec = decode_spec(wait.value) if wait.value else None
            if isinstance(spec, EventWait) and spec.name == name:
                self.write(
                    Entry(
                        kind="wait_completed", step=wait.step, op="event", value=encode_json(payload), name=event_id,
                        issued_after=len(self.entries) + 1,
                    )
                )  # fmt: skip
                return
        message = f"nothing waits for {name}"
        raise LookupError(message)

    def children(self) -> list[tuple[Entry, StartRun]]:
        """Return the runs that the body waits for."""
        specs = [(wait, decode_spec(wait.value)) for wait in self.open_waits() if wait.value]
        return [(wait, spec) for wait, spec in specs if isinstance(spec, StartRun)]

    def cancel(self) -> None:
        """Ask that the run be cancelled."""
        self.write(Entry(kind="cancel_requested"))


async def eventually(condition: Callable[[], object] | Callable[[], Awaitable[object]], seconds: float = 5.0) -> None:
    """Wait until a condition holds; raises TimeoutError."""
    async with asyncio.timeout(seconds):
        while not condition():
            await asyncio.sleep(0.001)
