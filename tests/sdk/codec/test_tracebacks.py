"""An exception that comes back tells where it was raised, and what led to it."""

from __future__ import annotations

import traceback
from collections.abc import Callable

from trigger_sdk._codec import decode_error, encode_error, walk
from trigger_sdk._codec.errors import OriginalTraceback
from trigger_sdk.protocol.values import error_to_json


class Declined(Exception):
    """An exception of the user's."""


def raise_(error: BaseException) -> object:
    """Raise."""
    raise error


def caught_from(call: Callable[[], object]) -> BaseException:
    """The exception that a call raises."""
    try:
        call()
    except Exception as error:  # noqa: BLE001 - the point of the function
        return error
    raise AssertionError("nothing was raised")


def raised(error: BaseException) -> BaseException:
    """The exception as it is after it was raised."""
    return caught_from(lambda: raise_(error))


def test_traceback_is_the_cause_of_what_comes_back() -> None:
    """As text, with the line that raised it, its causes first, and notes last."""

    def fail() -> None:
        try:
            raise_(KeyError("inner"))
        except KeyError as inner:
            raise Declined("no money") from inner

    error = caught_from(fail)
    error.add_note("seen at noon")
    back = decode_error(encode_error(error))
    assert isinstance(back.__cause__, OriginalTraceback)
    text = back.__cause__.text
    assert 'raise_(KeyError("inner"))' in text
    assert text.index("KeyError") < text.index("direct cause") < text.index("Declined: no money")
    assert back.__notes__ == ["seen at noon"]
    assert text.endswith("seen at noon\n")
    printed = "".join(traceback.format_exception(back))
    assert 'raise_(KeyError("inner"))' in printed


def test_context_is_told_unless_it_is_suppressed() -> None:
    """The chain is that which the interpreter prints."""

    def fail(*, suppress: bool) -> None:
        try:
            raise_(KeyError("inner"))
        except KeyError:
            if suppress:
                raise ValueError("outer") from None
            raise ValueError("outer")  # noqa: B904 - the context is the point

    told = error_to_json(encode_error(caught_from(lambda: fail(suppress=False))))["traceback"]
    hidden = error_to_json(encode_error(caught_from(lambda: fail(suppress=True))))["traceback"]
    assert "\nDuring handling of" in told
    assert "\nDuring handling of" not in hidden


def test_chain_that_is_a_circle_ends() -> None:
    """Two exceptions may be each other's context."""
    first, second = raised(ValueError("first")), raised(ValueError("second"))
    first.__context__, second.__context__ = second, first
    assert "first" in error_to_json(encode_error(first))["traceback"]


def test_traceback_of_an_exception_read_back_and_raised_again_tells_both() -> None:
    """What a task raised and a body did not catch: first where it was raised, then where it came through."""
    once = decode_error(encode_error(raised(Declined("no money"))))
    twice = error_to_json(encode_error(raised(once)))["traceback"]
    assert twice.count("Traceback (most recent call last)") == 2
    assert "read from the journal" in twice
    assert "OriginalTraceback" not in twice
    thrice = error_to_json(encode_error(raised(RuntimeError("later").with_traceback(None))))
    assert thrice["type"] == "RuntimeError"


def test_frames_of_the_sdk_above_the_users_code_are_left_out() -> None:
    """A traceback begins where the user's code does."""

    def rule(*_arguments: object) -> None:
        raise ValueError("in user code")

    broken = walk.Walk({int: rule}, lambda _cls: rule)
    text = error_to_json(encode_error(caught_from(lambda: broken.lower(1, 0))))["traceback"]
    assert text.count("walk.py") == 1  # below the first frame of the user's it is told
    direct = caught_from(lambda: broken.lower(1, 0))
    assert direct.__traceback__ is not None
    direct.__traceback__ = direct.__traceback__.tb_next.tb_next  # type: ignore[union-attr]
    assert "walk.py" not in error_to_json(encode_error(direct))["traceback"]


def test_long_message_and_traceback_are_cut() -> None:
    """An error is to be read: its middle is left out beyond a length."""
    data = encode_error(ValueError("x" * 1_000_000))
    assert len(data) < 600_000
    assert "characters left out" in error_to_json(data)["message"]
