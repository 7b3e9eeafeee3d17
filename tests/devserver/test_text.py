"""Text from elsewhere is safe in a terminal, and problems read the same with and without colour."""

import io

import pytest

from devserver.text import Ink, problem_lines, safe_lines, wants_colour
from trigger_sdk.protocol.problem import Problem

PLAIN = Ink(enabled=False)


@pytest.mark.parametrize(
    ("text", "lines"),
    [
        ("plain", ["plain"]),
        ("", [""]),
        ("two\nlines", ["two", "lines"]),
        ("a\tb", ["a   b"]),
        ("\x1b[2J\x1b]0;title\x07gone", ["\\x1b[2J\\x1b]0;title\\u0007gone"]),
        ("\x1b[31mred\x1b[0m", ["red"]),
        ("10%\r50%\r100%\r\n", ["100%"]),
        ("a\u202eb", ["a\\u202eb"]),
        ("naïve 名前", ["naïve 名前"]),
    ],
)
def test_safe_lines(text: str, lines: list[str]) -> None:
    """Nothing moves the cursor, sets the title or reorders text."""
    assert safe_lines(text) == lines


def test_colours_of_the_text_end_with_its_line() -> None:
    """Colours that a library wrote are kept on request, and do not leak."""
    assert safe_lines("\x1b[31mred\nnext\x1b[2J", colours=True) == ["\x1b[31mred\x1b[0m", "next\\x1b[2J"]


def test_problem_reads_without_colour() -> None:
    """Words say what colour says as well."""
    problem = Problem(code="broken", message="it broke", detail="one\ntwo", hint="mend it\nwell", where="a.py:1")
    lines = problem_lines(problem, PLAIN)
    assert lines == [
        "error: broken: it broke", "  where: a.py:1", "  one", "  two", "  hint: mend it", "        well",
    ]  # fmt: skip
    coloured = problem_lines(problem, Ink(enabled=True))
    assert [line for text in coloured for line in safe_lines(text)] == lines


class FakeTerminal(io.StringIO):
    """A stream that is a terminal."""

    def isatty(self) -> bool:
        """Say so."""
        return True


@pytest.mark.parametrize(
    ("environ", "tty", "wanted"),
    [
        ({}, True, True),
        ({}, False, False),
        ({"TERM": "dumb"}, True, False),
        ({"FORCE_COLOR": "1"}, False, True),
        ({"FORCE_COLOR": "0"}, True, False),
        ({"NO_COLOR": "1", "FORCE_COLOR": "1"}, True, False),
    ],
)
def test_colour_is_wanted(environ: dict[str, str], tty: bool, wanted: bool) -> None:
    """NO_COLOR beats FORCE_COLOR beats the terminal."""
    stream = FakeTerminal() if tty else io.StringIO()
    assert wants_colour(stream, environ) is wanted


def test_closed_output_wants_no_colour() -> None:
    """A stream that is missing or closed is no terminal."""
    stream = io.StringIO()
    stream.close()
    assert not wants_colour(stream, {})
    assert not wants_colour(None, {})
