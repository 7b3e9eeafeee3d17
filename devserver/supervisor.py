"""Workers by code version: starts them, replaces them when files are saved, restarts them when they crash.

At most one worker is *current* and takes new runs; one may be *starting*, beside it; those of older code are
*retiring*: they finish what they hold. A worker that crashes is replaced at once; one that keeps crashing, with pauses.
"""

from __future__ import annotations

import asyncio
from collections.abc import Callable, Collection, Sequence
from dataclasses import dataclass
from typing import Protocol

from devserver.errors import InterpreterTooOld, SdkMissing, WorkerCrashed
from devserver.failures import explain_end, split_dump, stuck_problem
from devserver.launch import Child
from devserver.notices import Notices, Ready
from devserver.sources import Change
from devserver.worker import Stream, Worker
from trigger_sdk.protocol.problem import Problem, TriggerError


class Sessions(Protocol):
    """What the supervisor tells the server about its workers."""

    def worker_died(self, worker_id: str, *, crashed: bool) -> None:
        """The process is gone: its runs are free at once. Does nothing for a worker that never had a session.

        ``crashed=False``: we ended it, which is not held against its runs.
        """

    def jobs_of(self, worker_id: str) -> Collection[str]:
        """Return the ids of the jobs that the worker serves."""

    def held(self, worker_id: str) -> int:
        """Return how many runs the worker holds."""

    def drain(self, worker_id: str) -> None:
        """Give the worker nothing new. Does nothing for a worker without a session."""


@dataclass(frozen=True, slots=True, kw_only=True)
class SupervisorTiming:
    """How the supervisor keeps time, in seconds.

    Attributes:
        coalesce: saves that follow each other within this start one worker.
        longest_coalesce: a worker starts after this, even while saves go on.
        stuck: a worker that is not ready after this is reported.
        dump: how long to wait for the stack of a worker that is stuck.
        young: a worker that crashes before it served this long is crashing repeatedly.
        first_pause: before the second restart in a row; the first is immediate. It doubles.
        longest_pause: what it doubles up to.
        start_crashes: crashes in a row during the start after which only a save starts a worker again.
        retiring: the most workers of older code at once.
    """

    coalesce: float = 0.08
    longest_coalesce: float = 1.0
    stuck: float = 5.0
    dump: float = 0.5
    young: float = 3.0
    first_pause: float = 0.25
    longest_pause: float = 5.0
    start_crashes: int = 4
    retiring: int = 4


class Supervisor:
    """Keeps a worker with the newest code that works. Lives on the server's loop; implements ``WorkerListener``.

    Attributes:
        hopeless: done when the first worker cannot start, and no save will change that: the interpreter is unfit.
    """

    def __init__(
        self,
        start: Callable[[], Child],
        sessions: Sessions,
        notices: Notices,
        *,
        timing: SupervisorTiming | None = None,
    ) -> None:
        """Take how to start a worker (TriggerError when it cannot be), and whom to tell."""
        self._start_child = start
        self._sessions = sessions
        self._notices = notices
        self._timing = timing or SupervisorTiming()
        self._loop = asyncio.get_running_loop()
        self._current: Worker | None = None
        self._starting: Worker | None = None
        self._retiring: list[Worker] = []
        self._superseded: set[Worker] = set()
        self._ready_at = 0.0
        self._crashes = 0
        self._changes: dict[str, Change] = {}
        self._saves_began = 0.0
        self._due: asyncio.TimerHandle | None = None
        self._stuck: asyncio.TimerHandle | None = None
        self._stopping = False
        self.hopeless: asyncio.Future[SdkMissing | InterpreterTooOld] = self._loop.create_future()

    @property
    def current(self) -> Worker | None:
        """The worker that takes new runs, or None."""
        return self._current

    # --- starting -----------------------------------------------------------------------------------------------

    def adopt(self, child: Child) -> None:
        """Take charge of a worker that was started before there was a loop."""
        self._starting = Worker(child, self)
        elapsed = self._loop.time() - child.started_at
        self._stuck = self._loop.call_later(max(0.0, self._timing.stuck - elapsed), self._look_where_stuck)

    def start(self) -> None:
        """Start a worker now, unless one is starting."""
        self._cancel_due()
        if self._stopping or self._starting is not None:
            return
        try:
            child = self._start_child()
        except TriggerError as error:
            self._changes.clear()
            self._notices.failed([error.problem], old_goes_on=self._current is not None)
        else:
            self.adopt(child)

    def reload(self, changes: Sequence[Change]) -> None:
        """Start a worker with the code as it is now; one that is starting has read older code and is given up."""
        if self._stopping:
            return
        again = self._starting is not None or self._due is not None
        if self._starting is not None:
            self._give_up(self._starting)
        if not self._changes:
            self._saves_began = self._loop.time()
        self._changes.update((change.path, change) for change in changes)
        self._crashes = 0
        self._cancel_due()
        waited = self._loop.time() - self._saves_began
        if again and waited < self._timing.longest_coalesce:
            self._due = self._loop.call_later(self._timing.coalesce, self._start_reloading)
        else:
            self._start_reloading()

    def _start_reloading(self) -> None:
        self._notices.reloading(sorted(self._changes.values()))
        self.start()

    def _give_up(self, worker: Worker) -> None:
        """End a worker that serves nothing yet."""
        self._starting = None
        self._cancel_stuck()
        self._superseded.add(worker)
        worker.kill()

    # --- WorkerListener -----------------------------------------------------------------------------------------

    def worker_ready(self, worker: Worker) -> None:
        """Make it the current one; the one before retires."""
        if worker is not self._starting:
            return
        self._starting = None
        self._cancel_stuck()
        self._tell_stderr(worker)
        old, self._current = self._current, worker
        self._ready_at = self._loop.time()
        if old is not None:
            self._retire(old)
        changes = sorted(self._changes.values())
        self._changes.clear()
        self._notices.ready(
            Ready(
                worker=worker.id,
                pid=worker.pid,
                jobs=self._sessions.jobs_of(worker.id),
                seconds=self._ready_at - worker.child.started_at,
                interpreter=worker.child.interpreter,
                changes=changes,
                retiring=sum(self._sessions.held(older.id) for older in self._retiring),
            )
        )

    def worker_failed(self, worker: Worker, problems: list[Problem]) -> None:
        """Show why; who served before goes on."""
        if worker is not self._starting:
            return
        self._starting = None
        self._cancel_stuck()
        self._changes.clear()
        self._notices.failed(problems, old_goes_on=self._current is not None)

    def worker_said(self, worker: Worker, stream: Stream, text: str) -> None:
        """Pass a line on; what a worker that never served wrote to stderr may explain its end, and waits for that."""
        if worker.ready or stream == "stdout":
            self._notices.said(text)

    def worker_died(self, worker: Worker) -> None:
        """Free its runs, and start another when it was needed."""
        self._sessions.worker_died(worker.id, crashed=not worker.killed)
        was_current, was_starting = worker is self._current, worker is self._starting
        if was_current:
            self._current = None
        elif was_starting:
            self._starting = None
            self._cancel_stuck()
        elif worker in self._retiring:
            self._retiring.remove(worker)
        self._superseded.discard(worker)
        if worker.failed:
            self._tell_stderr(worker)
        if worker.killed or worker.failed or self._stopping:
            return
        if was_current and self._current_served_long():
            self._crashes = 0
        if was_current or was_starting:
            self._restart_after(worker)
        elif worker.exit_code != 0:
            self._notices.crashed(self._explain(worker).problem, restart_in=None)

    def _restart_after(self, worker: Worker) -> None:
        error = self._explain(worker)
        self._crashes += 1
        if not isinstance(error, WorkerCrashed) and not self._ready_at:
            self.hopeless.set_result(error)
            return
        again = worker.ready or self._crashes <= self._timing.start_crashes
        if not isinstance(error, WorkerCrashed) or not again:
            self._changes.clear()
            self._notices.failed([error.problem], old_goes_on=self._current is not None)
            return
        pause = self._pause()
        if self._starting is None and self._due is None:
            if pause > 0:
                self._due = self._loop.call_later(pause, self.start)
            else:
                self.start()
        self._notices.crashed(error.problem, restart_in=pause)

    def _explain(self, worker: Worker) -> WorkerCrashed | SdkMissing | InterpreterTooOld:
        child = worker.child
        code = worker.exit_code if worker.exit_code is not None else 0
        stderr = list(worker.stderr)
        return explain_end(code, stderr, ready=worker.ready, interpreter=child.interpreter, project=child.project)

    def _pause(self) -> float:
        if self._crashes <= 1:
            return 0.0
        pause: float = self._timing.first_pause * 2 ** min(self._crashes - 2, 20)
        return min(pause, self._timing.longest_pause)

    def _current_served_long(self) -> bool:
        return self._loop.time() - self._ready_at >= self._timing.young

    # --- retiring -----------------------------------------------------------------------------------------------

    def _retire(self, worker: Worker) -> None:
        self._retiring.append(worker)
        self._sessions.drain(worker.id)
        worker.drain()
        while len(self._retiring) > self._timing.retiring:
            oldest = self._retiring.pop(0)
            oldest.kill()
            self._notices.cut_off(oldest.pid)

    async def stop(self, grace: float) -> None:
        """End all workers: those that serve get ``grace`` seconds to finish what they hold."""
        self._stopping = True
        self._cancel_due()
        self._cancel_stuck()
        workers = self._workers()
        for worker in workers:
            if worker.ready and grace > 0:
                self._sessions.drain(worker.id)
                worker.drain()
            else:
                worker.kill()
        ends = [worker.ended for worker in workers if not worker.ended.done()]
        if ends:
            await asyncio.wait(ends, timeout=grace)
        self.kill_all()
        ends = [end for end in ends if not end.done()]
        if ends:
            await asyncio.wait(ends, timeout=max(grace, 1.0))

    def kill_all(self) -> None:
        """End all workers at once."""
        for worker in self._workers():
            worker.kill()

    def _workers(self) -> list[Worker]:
        current = [worker for worker in (self._starting, self._current) if worker is not None]
        return [*current, *self._retiring, *self._superseded]

    # --- a worker that does not come up -------------------------------------------------------------------------

    def _look_where_stuck(self) -> None:
        """Ask the worker where it is; report it when it answered, or after a moment."""
        worker = self._starting
        if worker is not None:
            pause = self._timing.dump if worker.dump_stack() else 0.0
            self._stuck = self._loop.call_later(pause, self._report_stuck, worker)

    def _report_stuck(self, worker: Worker) -> None:
        self._stuck = None
        if worker is not self._starting:
            return
        frames, others = split_dump(list(worker.stderr))
        worker.stderr.clear()
        for line in others:
            self._notices.said(line)
        seconds = self._loop.time() - worker.child.started_at
        self._notices.stuck(stuck_problem(frames, worker.child.project, seconds))

    def _tell_stderr(self, worker: Worker) -> None:
        """Show what a worker wrote before it served, or could not."""
        for line in worker.stderr:
            self._notices.said(line)
        worker.stderr.clear()

    def _cancel_due(self) -> None:
        if self._due is not None:
            self._due.cancel()
            self._due = None

    def _cancel_stuck(self) -> None:
        if self._stuck is not None:
            self._stuck.cancel()
            self._stuck = None
