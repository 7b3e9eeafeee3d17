"""Durations as people write them: ``90``, ``1.5``, ``"90s"``, ``"1h30m"``, ``"2d"``, ``"250ms"``."""

from __future__ import annotations

import re

from executor.errors import RequestInvalid

LONGEST_S = 100 * 366 * 86_400.0
"""The longest duration that is taken: a century. Dates beyond cannot be shown."""

_UNITS = {"ms": 0.001, "s": 1.0, "m": 60.0, "h": 3600.0, "d": 86_400.0, "w": 604_800.0}
_PART = re.compile(r"(\d+(?:\.\d+)?)(ms|s|m|h|d|w)")
_WHOLE = re.compile(r"(?:\d+(?:\.\d+)?(?:ms|s|m|h|d|w))+", re.ASCII)
_NUMBER = re.compile(r"\d+(?:\.\d+)?", re.ASCII)
_LONGEST_TEXT = 64


def parse_duration(value: object, where: str) -> float:
    """Return the seconds in a number or a text.

    Args:
        value: what the request holds.
        where: its place in the request, for the error.

    Raises:
        RequestInvalid: it is no duration, negative, or longer than a century.
    """
    seconds = _seconds(value)
    if seconds is None:
        raise RequestInvalid(
            f"{where} is {_shown(value)}, which is not a duration",
            hint='Give seconds as a number, or a text such as "90s", "1h30m" or "2d".',
            where=where,
        )
    if not 0 <= seconds <= LONGEST_S:
        raise RequestInvalid(
            f"{where} is {_shown(value)}; a duration is from 0 to {LONGEST_S:.0f} seconds",
            hint="Give a duration of at most 100 years.",
            where=where,
        )
    return seconds


def _seconds(value: object) -> float | None:
    if isinstance(value, float):
        return value
    if isinstance(value, int) and not isinstance(value, bool):
        return float(max(-1, min(value, int(LONGEST_S) + 1)))  # ints of any size come in, and floats end somewhere
    if not isinstance(value, str) or len(value) > _LONGEST_TEXT:
        return None
    return _read(value)


def _read(text: str) -> float | None:
    text = text.strip().lower().replace(" ", "")
    if _NUMBER.fullmatch(text):
        return float(text)
    if not _WHOLE.fullmatch(text):
        return None
    return sum(float(number) * _UNITS[unit] for number, unit in _PART.findall(text))


def _shown(value: object) -> str:
    return repr(value)[:80]
