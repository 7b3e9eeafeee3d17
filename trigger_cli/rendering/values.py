"""Durations, times and JSON values as text."""

from __future__ import annotations

import json
from datetime import datetime

from trigger_cli.rendering.text import cut, one_line

_MINUTE = 60
_HOUR = 60 * _MINUTE
_DAY = 24 * _HOUR
_MILLISECONDS_BELOW = 0.9995
_HUNDREDTHS_BELOW = 9.995


def format_duration(seconds: float, *, places: int = 2) -> str:
    """Return a duration in at most two units: ``3ms``, ``1.25s``, ``4m 58s``, ``2h 5m``, ``3d 4h``.

    Args:
        seconds: negative ones (clocks that differ) count as 0.
        places: decimals of the seconds below a minute: 2 for what was measured, 0 for an age.
    """
    seconds = max(0.0, seconds)
    whole = round(seconds)
    # The limits lie where rounding would show the next unit's first value.
    if whole < _MINUTE and not places:
        return f"{whole}s"
    if seconds < _MINUTE - 0.05:
        return _below_a_minute(seconds)
    if whole < _HOUR:
        return _two_units(whole, _MINUTE, "m", 1, "s")
    if whole < _DAY:
        return _two_units(whole, _HOUR, "h", _MINUTE, "m")
    return _two_units(whole, _DAY, "d", _HOUR, "h")


def _below_a_minute(seconds: float) -> str:
    if seconds < _MILLISECONDS_BELOW:
        return f"{seconds * 1000:.0f}ms"
    return f"{seconds:.2f}s" if seconds < _HUNDREDTHS_BELOW else f"{seconds:.1f}s"


def _two_units(whole: int, large: int, large_name: str, small: int, small_name: str) -> str:
    rest = whole % large // small
    return f"{whole // large}{large_name}" + (f" {rest}{small_name}" if rest else "")


def parse_time(text: str | None) -> float | None:
    """Read the API's ISO 8601 time; returns seconds since the epoch, None for None."""
    return None if text is None else datetime.fromisoformat(text).timestamp()


def format_time(text: str | None) -> str:
    """Return the API's time as ``2026-11-24 11:02:03.120Z``; empty for None."""
    return "" if text is None else datetime.fromisoformat(text).strftime("%Y-%m-%d %H:%M:%S.%f")[:-3] + "Z"


def format_value(value: object, width: int, *, max_lines: int, ellipsis: str = "…") -> list[str]:
    """Return a JSON value on one line where it fits into ``width``, else indented, cut after ``max_lines``."""
    flat = one_line(json.dumps(value, ensure_ascii=False))
    if len(flat) <= width:
        return [flat]
    lines = [cut(one_line(line), width, ellipsis) for line in _indented(value)]
    if len(lines) <= max_lines:
        return lines
    return [*lines[: max_lines - 1], f"{ellipsis} {len(lines) - max_lines + 1} more lines (--json shows all)"]


def _indented(value: object) -> list[str]:
    return json.dumps(value, ensure_ascii=False, indent=2).splitlines()
