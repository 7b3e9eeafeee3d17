"""The list of recorded calls is consistent, and true of this version of Python."""

import importlib
import random

import pytest

from trigger_sdk.protocol.recorded import BY_NAME, RECORDED_CALLS, TERMINAL_NAMES, RecordedCall, TimeArgument

NEWER = {"uuid.uuid6", "uuid.uuid7", "uuid.uuid8", "random.binomialvariate", "os.process_cpu_count"}
"""Rows that older versions of Python do not have."""


@pytest.mark.parametrize("call", RECORDED_CALLS, ids=lambda call: call.name)
def test_row_names_a_callable(call: RecordedCall) -> None:
    """Each row can be found by importing its module and following its name."""
    target = importlib.import_module(call.module)
    for part in call.name.removeprefix(f"{call.module}.").split("."):
        target = getattr(target, part, None)  # type: ignore[assignment]
    assert callable(target) or call.name in NEWER


def test_names_are_unique() -> None:
    """A name has one row."""
    assert len(BY_NAME) == len(RECORDED_CALLS)


@pytest.mark.parametrize("call", RECORDED_CALLS, ids=lambda call: call.name)
def test_blocked_rows_have_a_remedy(call: RecordedCall) -> None:
    """And only they."""
    assert bool(call.remedy) is (call.how == "blocked")


def test_every_function_of_random_is_listed() -> None:
    """The module's functions are recorded, but for those that set its state."""
    functions = {name for name in random.__all__ if callable(getattr(random, name))}
    missing = {name for name in functions if f"random.{name}" not in BY_NAME}
    assert missing == {"seed", "setstate"}


@pytest.mark.parametrize(
    ("name", "short", "terminal", "module"),
    [
        ("datetime.datetime.now", "datetime.now", "now", "datetime"),
        ("datetime.date.today", "date.today", "today", "datetime"),
        ("uuid.uuid4", "uuid.uuid4", "uuid4", "uuid"),
        ("email.utils.make_msgid", "utils.make_msgid", "make_msgid", "email.utils"),
    ],
)
def test_parts_of_a_name(name: str, short: str, terminal: str, module: str) -> None:
    """What the journal shows, what code calls it by, and what to import."""
    call = BY_NAME[name]
    assert (call.short, call.terminal, call.module) == (short, terminal, module)
    assert terminal in TERMINAL_NAMES


@pytest.mark.parametrize(
    ("args", "kwargs", "given"),
    [
        ((), {}, False),
        ((None,), {}, False),
        ((0,), {}, True),
        ((), {"x": 5}, True),
        ((), {"x": None}, False),
        ((), {"y": 5}, False),
    ],
)
def test_time_argument_is_given_unless_none(args: tuple[object, ...], kwargs: dict[str, object], given: bool) -> None:
    """None stands for the present, as in the standard library."""
    assert TimeArgument(position=0, keyword="x").is_given(args, kwargs) is given
