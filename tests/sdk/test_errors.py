"""What the SDK's errors say, and that they survive a pickle."""

import pickle
from datetime import UTC, datetime, timedelta, timezone

import pytest

from trigger_sdk.errors import Abort, Canceled, NonDeterminismError, RetryAfter, SideEffectOutsideTask, Suspended


def test_side_effect_names_the_line_that_is_running() -> None:
    """Raised by the runtime deep below, it points at the innermost line of user code: here, this one."""
    error = SideEffectOutsideTask.of("loop.create_connection")
    assert error.problem.where.split("/")[-1].startswith("test_errors.py:")
    assert "loop.create_connection" in error.message
    assert "task.run" in error.problem.hint


def test_side_effect_takes_another_remedy() -> None:
    """Some things have a better way than a task."""
    assert SideEffectOutsideTask.of("time.sleep", remedy="Use sleep.").problem.hint == "Use sleep."


def test_non_determinism_shows_both_sides() -> None:
    """The journalled step and the one asked for, each with its line; a pickle keeps them."""
    error = NonDeterminismError(
        step="2.1", journalled="task charge", asked="sleep", journalled_line="jobs/a.py:3", asked_line="jobs/a.py:9"
    )
    copy = pickle.loads(pickle.dumps(error))  # noqa: S301 - pickled right here
    for shown in (error, copy):
        assert (shown.step, shown.journalled, shown.asked) == ("2.1", "task charge", "sleep")
        assert "jobs/a.py:3" in shown.message
        assert shown.problem.where == "jobs/a.py:9"


@pytest.mark.parametrize(
    ("delay", "seconds"),
    [
        (5, 5.0),
        (timedelta(minutes=1), 60.0),
        (datetime(2024, 1, 1, 0, 0, 30, tzinfo=UTC), 30.0),
        (datetime(2024, 1, 1, 2, 0, 30, tzinfo=timezone(timedelta(hours=2))), 30.0),
        (-1, 0.0),
        (datetime(2023, 1, 1, tzinfo=UTC), 0.0),
    ],
)
def test_retry_after_counts_seconds(delay: float | timedelta | datetime, seconds: float) -> None:
    """A number, a timedelta or a moment; the past is now."""
    error = RetryAfter(delay, "busy")
    assert error.seconds(datetime(2024, 1, 1, tzinfo=UTC).timestamp()) == seconds
    copy = pickle.loads(pickle.dumps(error))  # noqa: S301 - pickled right here
    assert (copy.delay, copy.message, str(copy)) == (delay, "busy", "busy")


def test_retry_after_refuses_a_naive_moment() -> None:
    """Without a zone it would depend on the worker's."""
    with pytest.raises(ValueError, match="aware"):
        RetryAfter(datetime(2024, 1, 1))  # noqa: DTZ001 - what is refused


@pytest.mark.parametrize(("cls", "eaten"), [(Suspended, False), (Canceled, False), (Abort, True), (RetryAfter, True)])
def test_control_flow_is_not_eaten_by_except_exception(cls: type[BaseException], eaten: bool) -> None:
    """`except Exception` in user code lets suspension and cancellation pass."""
    assert issubclass(cls, Exception) is eaten
