"""The time axis: moments to columns, with long idle stretches folded.

A run that waits five minutes between steps of 50 ms would show nothing but the wait on a linear axis. So a stretch in
which nothing is executed is folded into a few columns, and says how long it is, when such stretches are most of it.
"""

from __future__ import annotations

import math
from collections.abc import Sequence
from dataclasses import dataclass

from trigger_cli.rendering.style import Glyphs
from trigger_cli.rendering.values import format_duration

_FOLDED_COLUMNS = 12
_IDLE_SHARE = 0.75
"""Fold when at least this share of the time is idle."""
_LABEL_ROOM = 12
_MOST_FOLDS = 4


@dataclass(frozen=True, slots=True, kw_only=True)
class Stretch:
    """A part of the axis: moments ``start`` to ``end`` take the columns from ``left`` to ``right``."""

    start: float
    end: float
    left: float
    right: float
    folded: bool


@dataclass(frozen=True, slots=True, kw_only=True)
class Scale:
    """A time axis ``width`` columns wide, made of stretches that join."""

    stretches: tuple[Stretch, ...]
    width: int

    def column(self, moment: float) -> float:
        """Return where a moment stands, 0 to ``width``; moments outside stand at the edge."""
        for stretch in self.stretches:
            if moment <= stretch.end:
                span = stretch.end - stretch.start
                share = (max(moment, stretch.start) - stretch.start) / span if span else 0.0
                return stretch.left + share * (stretch.right - stretch.left)
        return float(self.width)

    def bar(self, start: float, end: float) -> tuple[int, int]:
        """Return first column and length of a bar; at least one column, never beyond the axis."""
        first = min(math.floor(self.column(start)), self.width - 1)
        last = max(first + 1, math.ceil(self.column(end) - 1e-9))
        return first, last - first


def make_scale(start: float, end: float, busy: Sequence[tuple[float, float]], width: int) -> Scale:
    """Return an axis from ``start`` to ``end`` (seconds since the epoch).

    Args:
        start: left edge.
        end: right edge.
        busy: the times in which something was executed, in any order; the rest may be folded.
        width: columns.
    """
    total = max(end - start, 1e-6)
    gaps = sorted(_gaps(start, start + total, busy), key=lambda gap: gap[0] - gap[1])[:_MOST_FOLDS]
    room = max(0, width // 2 // _FOLDED_COLUMNS)
    linear_columns = _FOLDED_COLUMNS + 2
    folds = sorted(gap for gap in gaps[:room] if (gap[1] - gap[0]) / total * width > linear_columns)
    folded_time = sum(right - left for left, right in folds)
    if folded_time < _IDLE_SHARE * total:
        folds, folded_time = [], 0.0
    per_second = (width - _FOLDED_COLUMNS * len(folds)) / max(total - folded_time, 1e-9)
    stretches: list[Stretch] = []
    moment, left = start, 0.0
    for fold_start, fold_end in folds:
        middle = left + (fold_start - moment) * per_second
        stretches.append(Stretch(start=moment, end=fold_start, left=left, right=middle, folded=False))
        left = middle + _FOLDED_COLUMNS
        stretches.append(Stretch(start=fold_start, end=fold_end, left=middle, right=left, folded=True))
        moment = fold_end
    stretches.append(Stretch(start=moment, end=start + total, left=left, right=float(width), folded=False))
    return Scale(stretches=tuple(stretches), width=width)


def _gaps(start: float, end: float, busy: Sequence[tuple[float, float]]) -> list[tuple[float, float]]:
    """Return the stretches between ``start`` and ``end`` that no busy time touches."""
    gaps, moment = [], start
    for left, right in sorted(busy):
        if moment < left and moment < end:
            gaps.append((moment, min(left, end)))
        # Clocks that differ can have a step end before it began.
        moment = max(moment, left, right)
    if moment < end:
        gaps.append((moment, end))
    return gaps


def render_axis(scale: Scale, glyphs: Glyphs) -> str:
    """Return the axis as one line: labelled ticks, and folds with their length."""
    line = [glyphs.axis] * scale.width
    taken: list[tuple[int, int]] = []

    def put(column: int, text: str) -> bool:
        spot = (column, column + len(text))
        if column < 0 or spot[1] > scale.width or any(spot[0] <= b and a <= spot[1] for a, b in taken):
            return False
        taken.append(spot)
        line[spot[0] : spot[1]] = text
        return True

    origin = scale.stretches[0].start
    for stretch in scale.stretches:
        if stretch.folded:
            text = f"{glyphs.gap} {format_duration(stretch.end - stretch.start)} {glyphs.gap}"
            put(min(round((stretch.left + stretch.right - len(text)) / 2), scale.width - len(text)), text)
    put(0, "0")
    whole = format_duration(scale.stretches[-1].end - origin)
    put(scale.width - len(whole), whole)
    if len(scale.stretches) == 1:
        for tick in _ticks(scale):
            put(round(scale.column(origin + tick)), glyphs.tick + _short(tick))
    return "".join(line)


def _ticks(scale: Scale) -> list[float]:
    """Return round moments, in seconds from the left edge, far enough apart for their labels."""
    total = scale.stretches[-1].end - scale.stretches[0].start
    fewest = total / max(1, scale.width // _LABEL_ROOM)
    if fewest <= 0:
        return []
    power = 10.0 ** math.floor(math.log10(fewest))
    steps = [power * factor for factor in (1, 2, 5, 10)]
    if fewest > 30:  # noqa: PLR2004 - seconds: from here on people count in minutes, hours, days
        steps = [60, 120, 300, 600, 1800, 3600, 7200, 21600, 43200, 86400, 172800, 604800, 2592000]
    step = next((step for step in steps if step >= fewest), steps[-1])
    return [step * count for count in range(1, min(scale.width, int(total / step) + 1))]


def _short(seconds: float) -> str:
    """Return a round duration without decimals that say nothing: ``2s`` for 2.00s."""
    return format_duration(seconds).replace(".00s", "s").replace(".0s", "s")
