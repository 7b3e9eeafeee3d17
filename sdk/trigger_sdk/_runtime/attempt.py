"""An attempt: one execution of a run, between the session and the body.

It launches what the body asks for, sends what happened, and lets the body learn of it when it is committed. All of
it happens on the worker's main thread.
"""

from __future__ import annotations

from collections import deque
from typing import TYPE_CHECKING, Any, Final

from trigger_sdk._codec import encode, encode_error
from trigger_sdk._runtime.body import failed_step
from trigger_sdk._runtime.journal import Journal
from trigger_sdk.errors import ProblemError
from trigger_sdk.protocol.entries import DELIVERED_KINDS, Entry, encode_spec
from trigger_sdk.protocol.messages import (
    Ack,
    Append,
    Arrived,
    Finish,
    HeldRun,
    LogLine,
    Logs,
    Refused,
    Start,
    Suspend,
    Suspended,
)
from trigger_sdk.protocol.problem import Problem

if TYPE_CHECKING:
    import asyncio
    from collections.abc import Iterable

    from trigger_sdk._declare.context import Context
    from trigger_sdk._runtime.body import Delivery
    from trigger_sdk._runtime.ports import WorkerPort
    from trigger_sdk._runtime.step import Step

_RECORDS = frozenset(("value_recorded", "record_failed"))

LINES_KEPT: Final = 10_000
"""Lines of a body that are remembered until they are known to have come; older ones may be lost with a connection."""


class Attempt:
    """One execution of a run.

    Attributes:
        start: what the server said of the run.
        journal: the entries there were.
        job: the job to execute.
    """

    def __init__(self, start: Start, entries: Iterable[Entry], job: Any, worker: WorkerPort) -> None:
        self.start = start
        self.job = job
        entries = list(entries)
        self.journal = Journal(entries)
        self._worker = worker
        self._seen = entries[-1].seq if entries else 0
        self._outbox: list[Entry] = []
        self._unacked: dict[int, list[Entry]] = {}
        self._said: deque[tuple[int, LogLine]] = deque(maxlen=LINES_KEPT)
        self._cid = 0
        self._records_unacked = 0
        self._tasks = worker.task_set(self)
        self._held_back: list[Step] = []
        self._grace: asyncio.TimerHandle | None = None
        self._leaving = False
        self._finish: Finish | None = None
        self.over = False
        self._body = worker.new_body(self)

    @property
    def run_id(self) -> str:
        """The run's id."""
        return self.start.run

    def held(self) -> HeldRun:
        """Return what a reconnecting worker says of this run."""
        return HeldRun(self.start.run, self.start.token, self._seen)

    def begin(self, payload: object, context: Context) -> None:
        """Start the body."""
        self._body.begin(self.job, payload, context)
        self._consider_leaving()

    # --- what the server says -----------------------------------------------------------------------------------

    def acknowledged(self, ack: Ack) -> None:
        """Entries of ours are committed, and what was said before them has come."""
        while self._said and self._said[0][0] <= ack.cid:
            self._said.popleft()
        entries = self._unacked.pop(ack.cid, None)
        if entries is None or self.over:
            return
        deliveries: list[Delivery] = []
        for seq, entry in enumerate(entries, ack.first):
            if entry.kind in DELIVERED_KINDS:
                deliveries.append((entry, seq, ack.at))
            elif entry.kind in _RECORDS:
                self._records_unacked -= 1
        self._seen = max(self._seen, ack.first + len(entries) - 1)
        if self._held_back and not self._records_unacked:
            held_back, self._held_back = self._held_back, []
            for step in held_back:
                self.launch(step)
        self._deliver(deliveries)

    def arrived(self, message: Arrived) -> None:
        """Entries of the engine are committed; after a reconnect also our own, whose Ack was lost."""
        if self.over:
            return
        deliveries: list[Delivery] = []
        for entry in message.entries:
            if entry.seq <= self._seen:
                continue
            self._seen = entry.seq
            if self._was_ours(entry) and entry.kind in _RECORDS:
                self._records_unacked -= 1
            if entry.kind in DELIVERED_KINDS:
                deliveries.append((entry, entry.seq, entry.at))
        self._deliver(deliveries)

    def suspended(self, answer: Suspended) -> None:
        """The server's answer to the wish to leave."""
        self._leaving = False
        if answer.left:
            self.drop()
            return
        self._tasks.retry_due()
        self._consider_leaving()

    def refused(self, refusal: Refused) -> None:
        """The server cannot take an entry: the run fails."""
        error = ProblemError(Problem(code=refusal.code, message=refusal.message, hint=refusal.hint))
        self._outbox.clear()
        self._unacked.clear()
        self._body.evict()
        self.raised(error, canceled=False)

    def broken(self, error: Exception) -> None:
        """Something went wrong on our side of the body: the run fails with it, and can be resumed."""
        if self.over or self._finish is not None:
            self.drop()
            return
        self._outbox.clear()
        self._body.evict()
        self.raised(error, canceled=False)

    def drop(self) -> None:
        """Leave the run at once: nothing that happens from here on counts."""
        if self.over:
            return
        self.over = True
        self._stop_grace()
        self._body.evict()
        self._tasks.abandon()
        self._worker.forget(self)

    def finished(self) -> None:
        """The run's end is committed."""
        self.over = True
        self._stop_grace()
        self._tasks.abandon()
        self._worker.forget(self)

    def resend(self) -> None:
        """After a reconnect: say again what was not acknowledged. The server takes what it has only once."""
        if self._said:
            self._worker.send(Logs([line for _, line in self._said]))
        for cid, entries in self._unacked.items():
            self._worker.send(Append(self.start.run, self.start.token, cid, entries))
        if self._leaving:
            self._leaving = False
            self._consider_leaving()
        if self._finish is not None:
            self._worker.send(self._finish)

    def _was_ours(self, entry: Entry) -> bool:
        """Forget an entry that waits for an Ack which was lost; True when there was one."""
        for cid, entries in self._unacked.items():
            for own in entries:
                if own.step == entry.step and own.kind == entry.kind and own.attempt == entry.attempt:
                    rest = [other for other in entries if other is not own]
                    if rest:
                        self._unacked[cid] = rest
                    else:
                        del self._unacked[cid]
                    return True
        return False

    def _deliver(self, deliveries: list[Delivery]) -> None:
        if deliveries and self._finish is None:
            self._stop_grace()
            self._body.deliver(deliveries)
        self._consider_leaving()

    # --- what the body and the tasks say (BodyPort) -------------------------------------------------------------

    def launch(self, step: Step) -> None:
        """Begin a step that the journal does not settle."""
        if self.over:
            return
        if step.call is not None:
            if self._records_unacked:
                # A value a task may depend on is durable before the task starts.
                self._held_back.append(step)
            elif step.cancel_asked:
                self._tasks.never_started(step)
            else:
                self._tasks.start(step)
            return
        known = step.id in self.journal.waits
        if not known and not step.cancel_asked:
            self.add(self._wait_entry(step))
        elif known and step.cancel_asked:
            self.give_up(step)

    def give_up(self, step: Step) -> None:
        """The body no longer wants a step: cancel the task, close the wait."""
        if self.over:
            return
        if step.call is not None:
            if step not in self._held_back:
                self._tasks.cancel(step)
        elif step.id not in self.journal.given_up:
            self.add(
                Entry(kind="wait_canceled", step=step.id, name=step.name, op=step.op, issued_after=step.issued_after)
            )

    def add(self, entry: Entry) -> None:
        """Put an entry into the outbox."""
        if entry.kind in _RECORDS:
            self._records_unacked += 1
        self._outbox.append(entry)

    def say(self, line: LogLine) -> None:
        """Remember a line of the body until an entry that is sent after it is acknowledged."""
        self._said.append((self._cid + 1, line))

    def flush(self) -> None:
        """Send the outbox."""
        if self._outbox and not self.over:
            self._cid += 1
            self._unacked[self._cid] = self._outbox
            self._worker.send(Append(self.start.run, self.start.token, self._cid, self._outbox))
            self._outbox = []

    def rest(self) -> None:
        """The body waits for deliveries."""
        if not self.over:
            self.flush()
            self._consider_leaving()

    def returned(self, value: object) -> None:
        """The body returned."""
        try:
            encoded = encode(value, f"the output of job {self.job.id}")
        except Exception as error:  # noqa: BLE001 - cannot be encoded, or its own encoding raised
            self.raised(error, canceled=False)
            return
        self._end("completed", encoded, "")

    def raised(self, error: BaseException, *, canceled: bool) -> None:
        """The body raised."""
        value = encode_error(error)
        self._end("canceled" if canceled else "failed", value, "" if canceled else failed_step(error))

    def relative(self, line: str) -> str:
        """Make a source place relative to the project."""
        return self._worker.relative(line)

    def here(self) -> str:
        """Return the source place of the nearest frame of the project's code."""
        return self._worker.here()

    def warn(self, message: str) -> None:
        """Tell the developer something of this run."""
        self._worker.warn(message, self.run_id)

    def _end(self, state: Any, value: bytes, step: str) -> None:
        if self.over or self._finish is not None:
            return
        self._stop_grace()
        self._tasks.abandon()
        self.flush()
        self._finish = Finish(self.start.run, self.start.token, state, value, step)
        self._worker.send(self._finish)

    def _wait_entry(self, step: Step) -> Entry:
        wait = step.wait
        assert wait is not None  # noqa: S101 - a step without a call has a wait
        now = self._worker.clock()
        due_at = wait.due_at if wait.delay is None else now + wait.delay
        return Entry(
            kind="wait_started",
            step=step.id,
            name=step.name,
            op=step.op,
            value=None if wait.spec is None else encode_spec(wait.spec),
            started_at=now,
            due_at=due_at,
            issued_after=step.issued_after,
            line=step.line,
        )

    # --- leaving ------------------------------------------------------------------------------------------------

    def settled(self, entry: Entry) -> None:
        """An attempt of a task has ended: say so."""
        if not self.over and self._finish is None:
            self.add(entry)
            self.flush()

    def consider_leaving(self) -> None:
        """Something came to rest: see whether every branch waits now."""
        self._consider_leaving()

    def _consider_leaving(self) -> None:
        if not self._every_branch_waits():
            self._stop_grace()
        elif self._grace is None:
            self._grace = self._worker.loop.call_later(self._worker.grace, self.leave)

    def leave(self) -> None:
        """Ask to leave now, if every branch waits."""
        self._stop_grace()
        if self._every_branch_waits():
            self._leaving = True
            self._worker.send(Suspend(self.start.run, self.start.token, self._seen, self._tasks.next_retry()))

    @property
    def leaving(self) -> bool:
        """True between the wish to leave and the server's answer."""
        return self._leaving

    def _every_branch_waits(self) -> bool:
        return not (
            self.over
            or self._leaving
            or self._tasks.executing
            or self._unacked
            or self._outbox
            or self._held_back
            or self._finish is not None
            or self._body.busy
        )

    def _stop_grace(self) -> None:
        if self._grace is not None:
            self._grace.cancel()
            self._grace = None
