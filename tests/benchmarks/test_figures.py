"""Figures: medians, percentiles, what is printed."""

from __future__ import annotations

import json

import pytest

from benchmarks.figures import Figure, percentile, significant


def test_a_figure_is_the_median_of_its_repetitions() -> None:
    """The line has no more digits than mean something."""
    figure = Figure.of("steps_per_s", [1.0, 2000.44, 3000.0], "1/s")
    assert json.loads(figure.line()) == {"metric": "steps_per_s", "value": 2000, "unit": "1/s"}
    assert figure.spread == pytest.approx(2999 / 2000.44)


def test_one_repetition_has_no_spread() -> None:
    """Nor has a figure that is zero."""
    assert Figure.of("a", [5.0], "s").spread == 0
    assert Figure.of("a", [0.0, 0.0, 1.0], "s").spread == 0


@pytest.mark.parametrize(("part", "expected"), [(0.0, 1), (0.5, 5), (0.99, 10), (1.0, 10), (0.1, 1), (0.11, 2)])
def test_a_percentile_is_a_sample(part: float, expected: float) -> None:
    """The smallest that so many of the samples do not exceed, whatever their order."""
    assert percentile([10, 9, 8, 7, 6, 5, 4, 3, 2, 1], part) == expected


@pytest.mark.parametrize(("value", "rounded"), [(0.123456, 0.1235), (123456.0, 123500), (2.0, 2), (0.0, 0)])
def test_values_have_four_digits(value: float, rounded: float) -> None:
    """What is cut off is noise."""
    assert significant(value) == rounded
