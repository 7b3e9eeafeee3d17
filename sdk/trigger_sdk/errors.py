"""What the SDK raises, and what user code may raise to steer a run.

::

    TriggerError                     (protocol.problem) carries a Problem
    ├── SideEffectOutsideTask        a body touched the outside world
    ├── BodyBlocked                  a body kept the worker's main thread from turning
    ├── RunFailed                    a run that a script waited for did not complete
    ├── ProblemError                 any other problem, as the server or the engine stated it
    └── NonDeterminismError          replay asked for something else than the journal holds
    Exception
    ├── Abort                        raised by user code: give up, do not retry
    └── RetryAfter                   raised by user code: try again at a stated time
    BaseException                    control flow, which `except Exception` cannot eat
    ├── Suspended                    the run leaves the worker and comes back by replay
    └── Canceled                     the run is cancelled
"""

from __future__ import annotations

from datetime import UTC, datetime, timedelta

from trigger_sdk.protocol.problem import Problem, TriggerError

REMEDY_ASYNC = "Call it in a task: `await task.run(lambda: ...)`."
REMEDY_SYNC = "Call it in a task: `task.run(lambda: ...)`."


class SideEffectOutsideTask(TriggerError):
    """A job's body opened a socket, a file, a process or a thread itself, so replay would do it again.

    ``problem.where`` is the source line of the project that did.
    """

    code = "side-effect-outside-task"
    hint = REMEDY_ASYNC

    @classmethod
    def of(cls, effect: str, *, remedy: str = "") -> SideEffectOutsideTask:
        """Return the error for ``effect`` (``loop.create_connection``), done by the project frame that is running now.

        ``remedy`` replaces the advice to call it in a task.
        """
        from trigger_sdk._runtime.frames import calling_place

        place = calling_place()
        if place is None:
            return cls.at(effect, where="", remedy=remedy)
        return cls.at(effect, where=place.where, remedy=remedy or (REMEDY_ASYNC if place.in_coroutine else REMEDY_SYNC))

    @classmethod
    def at(cls, effect: str, *, where: str, remedy: str = "") -> SideEffectOutsideTask:
        """Return the error for ``effect`` at ``where`` (``jobs/a.py:12``)."""
        line = f" at {where}" if where else ""
        return cls(
            f"the job's body called {effect}{line}, outside a task: replaying the run would do it again",
            hint=remedy,
            where=where,
        )


class NonDeterminismError(TriggerError):
    """On replay the body asked for another step than the journal holds: the code changed, or is not deterministic.

    Attributes:
        step: the step's id, such as ``2.1``.
        journalled: what the journal holds there, such as ``task charge``.
        asked: what the body asked for, such as ``sleep``.
        journalled_line: source line of the journalled step, ``jobs/a.py:12``; empty when it is not known.
        asked_line: source line of the step asked for.
    """

    code = "non-determinism"
    hint = (
        "A body must ask for the same steps in the same order on every replay. If the code changed, replay the run "
        "from the start; otherwise record what differs with `record(...)` or move it into a task."
    )

    def __init__(
        self, *, step: str, journalled: str, asked: str, journalled_line: str = "", asked_line: str = ""
    ) -> None:
        recorded_at = f" ({journalled_line})" if journalled_line else ""
        asked_at = f" ({asked_line})" if asked_line else ""
        super().__init__(
            f"step {step} is {journalled}{recorded_at} in the journal, but the body now asks for {asked}{asked_at}",
            detail=f"journalled: {journalled}{recorded_at}\nasked for:  {asked}{asked_at}",
            where=asked_line or journalled_line,
        )
        self.step = step
        self.journalled = journalled
        self.asked = asked
        self.journalled_line = journalled_line
        self.asked_line = asked_line

    def __reduce__(self) -> tuple[object, ...]:
        fields = (self.step, self.journalled, self.asked, self.journalled_line, self.asked_line)
        return (_non_determinism, fields)


def _non_determinism(step: str, journalled: str, asked: str, journalled_line: str, asked_line: str) -> TriggerError:
    """Rebuild a pickled :class:`NonDeterminismError`, whose arguments are keywords."""
    return NonDeterminismError(
        step=step, journalled=journalled, asked=asked, journalled_line=journalled_line, asked_line=asked_line
    )


class BodyBlocked(TriggerError):
    """An async body computed or slept for so long that every other run of its worker stood still."""

    code = "body-blocked"
    hint = (
        "Move the work into a task with a plain `def`, which runs in a thread: `await task.run(crunch, data)`; sleep "
        "with `await trigger_sdk.sleep(...)`."
    )

    @classmethod
    def at(cls, where: str, seconds: float) -> BodyBlocked:
        """Return the error for a body that has blocked at ``where`` (``jobs/a.py:12``) for ``seconds``."""
        return cls(f"the job's body blocked its worker for {seconds:g} s at {where}", where=where)


class ProblemError(TriggerError):
    """A problem that was stated elsewhere, by the server or the engine, raised here. Its code is the problem's."""

    def __init__(self, problem: Problem) -> None:
        super().__init__(problem.message)
        self.problem = problem
        self.__dict__["code"] = problem.code
        self.__dict__["hint"] = problem.hint

    def __reduce__(self) -> tuple[object, ...]:
        return (type(self), (self.problem,))


class RunFailed(ProblemError):
    """A run that was waited for from outside ended in another state than ``completed``.

    Attributes:
        run: the run as the API shows it.
    """

    def __init__(self, problem: Problem, run: dict[str, object] | None = None) -> None:
        super().__init__(problem)
        self.run = run or {}


class Abort(Exception):
    """Raise it in a task to fail the task at once, without the retries it would have left.

    In a body it fails the run like any other exception.
    """


class RetryAfter(Exception):
    """Raise it in a task to be tried again at a stated time, instead of the time the retry policy would choose.

    Args:
        delay: seconds or a timedelta from now, or the moment itself as an aware datetime (a ``Retry-After`` header).
        message: why, for the journal.
    """

    def __init__(self, delay: float | timedelta | datetime, message: str = "") -> None:
        if isinstance(delay, datetime) and delay.tzinfo is None:
            raise ValueError("RetryAfter needs an aware datetime: datetime.now(UTC) + ...")
        super().__init__(delay, message)
        self.delay = delay
        self.message = message

    def __str__(self) -> str:
        return self.message or f"retry after {self.delay}"

    def seconds(self, now: float) -> float:
        """Return how many seconds after ``now`` (seconds since the epoch) to retry; never negative."""
        if isinstance(self.delay, datetime):
            return max(0.0, self.delay.astimezone(UTC).timestamp() - now)
        if isinstance(self.delay, timedelta):
            return max(0.0, self.delay.total_seconds())
        return max(0.0, float(self.delay))


class Suspended(BaseException):
    """Raised through a body whose run leaves the worker: not an error, and nothing may catch it.

    The run comes back by replay; what `finally` blocks ask for while it passes is refused.
    """


class Canceled(BaseException):
    """Raised in the body of a run that is being cancelled; `finally` blocks and compensation may still call tasks."""
