"""What is measured, as values: a metric with its samples, and the line that is printed of it."""

from __future__ import annotations

import json
import math
from collections.abc import Sequence
from dataclasses import dataclass
from statistics import median

_DIGITS = 4
"""Significant digits of a printed value; the noise is larger than what is cut off."""


class BenchmarkFailed(Exception):
    """What was to be measured did not happen; the message says what, and what the dev server printed last."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Figure:
    """One metric.

    Attributes:
        metric: its name.
        value: what is reported: the median of the samples unless the metric says otherwise (a percentile).
        unit: of the value: ``1/s``, ``ms``, ``s``, ``MB`` (10^6 bytes), ``%``, ``ratio``.
        samples: what the repetitions gave, in their order; one repetition or many.
        repeated: whether the samples are repetitions of one measurement; False when the value is a percentile of them.
    """

    metric: str
    value: float
    unit: str
    samples: tuple[float, ...]
    repeated: bool = True

    @classmethod
    def of(cls, metric: str, samples: Sequence[float], unit: str) -> Figure:
        """Return the figure of the median of some repetitions."""
        return cls(metric=metric, value=median(samples), unit=unit, samples=tuple(samples))

    @property
    def spread(self) -> float:
        """How far repetitions lie apart: (largest - smallest) / value; 0 when there are none."""
        if not self.repeated or len(self.samples) < 2 or not self.value:  # noqa: PLR2004 - one value has no spread
            return 0.0
        return (max(self.samples) - min(self.samples)) / self.value

    def line(self) -> str:
        """Return the JSON line that is printed."""
        return json.dumps({"metric": self.metric, "value": significant(self.value), "unit": self.unit})

    def to_dict(self) -> dict[str, object]:
        """Return everything, for the file of ``--json``."""
        return {
            "metric": self.metric,
            "value": significant(self.value),
            "unit": self.unit,
            "samples": [significant(sample) for sample in self.samples],
            "spread": significant(self.spread),
        }


def significant(value: float) -> float:
    """Round to the digits that mean something."""
    rounded = float(f"{value:.{_DIGITS}g}")
    return int(rounded) if rounded.is_integer() else rounded


def percentile(samples: Sequence[float], part: float) -> float:
    """Return the smallest sample that at least ``part`` (0 to 1) of the samples do not exceed."""
    return sorted(samples)[max(0, math.ceil(len(samples) * part) - 1)]
