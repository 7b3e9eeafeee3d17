"""Durations, cuts, tables and problems as text."""

import pytest

from trigger_cli.rendering.problems import render_problem
from trigger_cli.rendering.tables import Cell, Column, render_table
from trigger_cli.rendering.text import columns, cut, one_line, pad
from trigger_cli.rendering.values import format_duration, format_time, format_value
from trigger_sdk.protocol.problem import Problem


@pytest.mark.parametrize(
    ("seconds", "text"),
    [
        (-5, "0ms"), (0, "0ms"), (0.0004, "0ms"), (0.0123, "12ms"), (0.9994, "999ms"), (0.9996, "1.00s"),
        (9.99, "9.99s"), (9.996, "10.0s"), (59.94, "59.9s"), (59.96, "1m"), (61, "1m 1s"), (3599.6, "1h"),
        (3660, "1h 1m"), (86399, "23h 59m"), (90000, "1d 1h"), (864000, "10d"),
    ],
)  # fmt: skip
def test_duration(seconds: float, text: str) -> None:
    """At most two units, and no rounding up to a unit's own limit (60s, 1000ms)."""
    assert format_duration(seconds) == text


def test_time() -> None:
    """The API's times are shown in UTC with milliseconds."""
    assert format_time("2026-11-24T11:02:03.120999Z") == "2026-11-24 11:02:03.120Z"
    assert format_time(None) == ""


def test_value_fits_or_is_indented_or_cut() -> None:
    """One line where it fits; else indented; cut with the number of lines that are missing."""
    assert format_value({"a": 1}, 20, max_lines=5) == ['{"a": 1}']
    assert format_value({"a": 1, "b": "xxxxxxx"}, 12, max_lines=5) == ["{", '  "a": 1,', '  "b": "xxx…', "}"]
    assert format_value(list(range(9)), 5, max_lines=3)[-1] == "… 9 more lines (--json shows all)"


def test_wide_characters_are_counted_by_columns() -> None:
    """Two columns for a wide character, none for a combining one; a cut never splits or exceeds."""
    assert columns("日本") == 4
    assert columns("e\u0301") == 1
    assert cut("日本語", 5) == "日本…"
    assert cut("日本語", 4) == "日…"
    assert cut("abc", 3) == "abc"
    assert cut("abcdef", 2, "...") == ".."
    assert pad("日", 4) == "日  "
    assert pad("日", 4, right=True) == "  日"


def test_control_characters_are_shown() -> None:
    """What moves the cursor or reorders text becomes visible."""
    assert one_line("a\nb\x1b[31m\t\x00\u202e\ud800") == "a\\nb\\x1b[31m\\t\\u0000\\u202e\\ud800"


def test_table_gives_way_in_flexible_columns() -> None:
    """A narrow terminal cuts the flexible column only; piped output is never cut."""
    head = [Column(title="ID"), Column(title="TEXT", flexible=True), Column(title="N", right=True)]
    rows = [[Cell(text="abc"), Cell(text="x" * 30), Cell(text="5")], [Cell(text="d"), Cell(text="y"), Cell(text="12")]]
    assert render_table(head, rows, width=20) == [
        "ID   TEXT          N",
        "abc  xxxxxxxxxx…   5",
        "d    y            12",
    ]
    assert "x" * 30 in render_table(head, rows, width=None)[1]


def test_problem_with_everything() -> None:
    """Code and message, place, detail, hint, in this order."""
    problem = Problem(code="a-b", message="bad\x1b", detail="one\ntwo", hint="do\nthis", where="x.py:1")
    assert render_problem(problem) == [
        "error: a-b: bad\\x1b", "  where: x.py:1", "  one", "  two", "  hint: do", "        this",
    ]  # fmt: skip


def test_problem_with_nothing() -> None:
    """A bare problem is one line."""
    assert render_problem(Problem(code="a", message="b"), label="warning") == ["warning: a: b"]
