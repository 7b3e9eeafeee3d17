"""Output of user code as lines: attributed, in order, once."""

from __future__ import annotations

import contextlib
import logging
import sys
from collections.abc import Iterator
from dataclasses import dataclass

import pytest

from trigger_sdk._runtime.execution import TaskScope
from trigger_sdk._runtime.output import LONGEST_LINE, LineHandler, LineStream, end_lines
from trigger_sdk._runtime.scope import current_scope
from trigger_sdk.protocol.messages import LogLine


@dataclass
class BodyLines:
    """The scope of a body of which the first lines were kept before."""

    kept: int = 0
    count: int = 0
    in_body: bool = True
    run_id: str = "run_1"
    step_id: str = ""

    def record(self, _name: str, produce: object) -> object:
        """Not used here."""
        return produce

    def next_line_ordinal(self) -> int:
        """Count, and hide what was kept."""
        self.count += 1
        return self.count if self.count > self.kept else -1


@contextlib.contextmanager
def scope_of(scope: object) -> Iterator[None]:
    """Stand in a scope."""
    token = current_scope.set(scope)  # type: ignore[arg-type]
    try:
        yield
    finally:
        current_scope.reset(token)


@pytest.fixture
def lines() -> list[LogLine]:
    """Return where lines arrive."""
    return []


def test_print_when_a_line_is_written_in_pieces(lines: list[LogLine]) -> None:
    """A line is sent when it ends; two runs' unfinished lines do not mix."""
    stream = LineStream("stdout", lines.append)
    with scope_of(TaskScope("run_1", "1")):
        print("half", end="", file=stream)
    with scope_of(TaskScope("run_2", "7")):
        print("whole", file=stream)
    with scope_of(TaskScope("run_1", "1")):
        print(" a line", file=stream)
    assert [(line.run, line.step, line.text, line.ordinal) for line in lines] == [
        ("run_2", "7", "whole", 0),
        ("run_1", "1", "half a line", 0),
    ]


def test_print_when_the_last_line_has_no_end(lines: list[LogLine]) -> None:
    """What a task wrote without a newline is sent when the task ends, and nothing of another's."""
    stream = LineStream("stdout", lines.append)
    for step in ("1", "2"):
        with scope_of(TaskScope("run_1", step)):
            stream.write(f"of step {step}")
    with contextlib.redirect_stdout(stream), scope_of(TaskScope("run_1", "1")):
        end_lines()
        end_lines()
    assert [(line.step, line.text) for line in lines] == [("1", "of step 1")]


def test_print_when_a_body_is_replayed(lines: list[LogLine]) -> None:
    """Lines of a body that were kept before are not sent again; later ones carry on the count."""
    stream = LineStream("stdout", lines.append)
    with scope_of(BodyLines(kept=2)):
        for text in "abcd":
            print(text, file=stream)
    assert [(line.text, line.ordinal) for line in lines] == [("c", 3), ("d", 4)]


def test_print_when_a_line_is_very_long(lines: list[LogLine]) -> None:
    """A line without an end is cut, and says how long it was."""
    stream = LineStream("stdout", lines.append)
    stream.write("x" * (LONGEST_LINE + 1))
    assert "(32769 characters)" in lines[0].text


def test_print_when_text_is_not_encodable(lines: list[LogLine]) -> None:
    """Lone surrogates do not break the session."""
    LineStream("stdout", lines.append).write("a\ud800b\n")
    assert lines[0].text == "a\\ud800b"


def test_logging_when_an_exception_is_logged(lines: list[LogLine]) -> None:
    """Level, logger and traceback travel with the message."""
    logger = logging.getLogger("shop.orders")
    logger.addHandler(LineHandler(lines.append))
    error = ValueError("no stock")
    try:
        int("no number")
    except ValueError:
        logger.exception("order failed", exc_info=error)
    logger.handlers.clear()
    (line,) = lines
    assert (line.logger, line.level, line.stream) == ("shop.orders", logging.ERROR, "log")
    assert line.text.startswith("order failed\n")
    assert line.text.endswith("ValueError: no stock")


def test_logging_when_the_user_adds_a_stream_handler(lines: list[LogLine]) -> None:
    """A record that the root handler shows is not shown again by the user's handler on stderr."""
    root = logging.getLogger()
    shown = LineHandler(lines.append)
    stream = LineStream("stderr", lines.append)
    user = logging.StreamHandler(stream)
    logger = logging.getLogger("test-output-user")
    logger.addHandler(user)
    root.addHandler(shown)
    try:
        logger.warning("once")
        print("plain", file=stream)
    finally:
        root.removeHandler(shown)
        logger.removeHandler(user)
    assert [line.text for line in lines] == ["once", "plain"]


def test_stream_when_it_stands_in_for_stdout(lines: list[LogLine]) -> None:
    """What libraries ask of sys.stdout is answered."""
    stream = LineStream("stdout", lines.append)
    assert (stream.encoding, stream.writable(), stream.isatty(), stream.fileno()) == ("utf-8", True, False, 1)
    with contextlib.redirect_stdout(stream):
        sys.stdout.writelines(["a\n", "b\n"])
        sys.stdout.flush()
    assert [line.text for line in lines] == ["a", "b"]
