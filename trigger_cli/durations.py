"""Durations as people write them: ``90``, ``1.5s``, ``1h30m``, ``2d``."""

from __future__ import annotations

import re

from trigger_cli.errors import UsageProblem

_UNITS = {"ms": 0.001, "s": 1.0, "m": 60.0, "h": 3600.0, "d": 86400.0, "w": 604800.0}
_PART = re.compile(r"(\d+(?:\.\d+)?)\s*(ms|[smhdw])\s*")


def parse_duration(text: str, option: str) -> float:
    """Return a duration in seconds. Raises UsageProblem naming the ``option`` for anything else."""
    text = text.strip().lower()
    try:
        seconds = float(text)
    except ValueError:
        seconds = _parse_parts(text)
    if not 0 <= seconds < float("inf"):
        raise UsageProblem(f"{text!r} is not a duration ({option})", hint="a duration looks like 90, 90s, 1h30m or 2d")
    return seconds


def _parse_parts(text: str) -> float:
    """Return the sum of the parts; -1 when there is something else among them."""
    total, position = 0.0, 0
    for part in _PART.finditer(text):
        if part.start() != position:
            return -1.0
        total += float(part[1]) * _UNITS[part[2]]
        position = part.end()
    return total if text and position == len(text) else -1.0
