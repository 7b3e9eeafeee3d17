"""Durations as people write them."""

from __future__ import annotations

import pytest

from executor.api.durations import LONGEST_S, parse_duration
from executor.errors import RequestInvalid


@pytest.mark.parametrize(
    ("value", "seconds"),
    [
        (0, 0.0), (90, 90.0), (1.5, 1.5), ("90", 90.0), ("90s", 90.0), ("1h30m", 5400.0), ("2d", 172_800.0),
        ("250ms", 0.25), ("1w", 604_800.0), (" 1h 30m ", 5400.0), ("1.5h", 5400.0), ("0s", 0.0), ("90S", 90.0),
        ("1m30s", 90.0), (LONGEST_S, LONGEST_S),
    ],
)  # fmt: skip
def test_duration_is_read(value: object, seconds: float) -> None:
    """Numbers are seconds; texts have units."""
    assert parse_duration(value, "delay") == seconds


@pytest.mark.parametrize(
    "value",
    [
        None, True, False, "", "abc", "1x", "h", "1h30", "-1s", "--1", [], {}, "1e3", "NaN", "inf",
        "\N{SUPERSCRIPT TWO}s", "1" * 1000, -1, -0.5, 1e300, 10**400, -(10**400), float("inf"),
        float("nan"), "999999w", LONGEST_S + 1, "\N{ARABIC-INDIC DIGIT ONE}s",
    ],
)  # fmt: skip
def test_what_is_no_duration_is_refused(value: object) -> None:
    """The error names the place and shows the value, shortened."""
    with pytest.raises(RequestInvalid) as refused:
        parse_duration(value, "options.delay")
    problem = refused.value.problem
    assert problem.where == "options.delay"
    assert problem.hint
    assert len(problem.message) < 250
