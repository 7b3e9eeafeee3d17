"""Cron expressions: what is wrong with one."""

from __future__ import annotations

from typing import Final

_MACROS: Final = frozenset(("@hourly", "@daily", "@midnight", "@weekly", "@monthly", "@yearly", "@annually"))
_MONTHS: Final = ("jan", "feb", "mar", "apr", "may", "jun", "jul", "aug", "sep", "oct", "nov", "dec")
_DAYS: Final = ("sun", "mon", "tue", "wed", "thu", "fri", "sat")
_FIELDS: Final[tuple[tuple[str, int, int, tuple[str, ...]], ...]] = (
    ("minute", 0, 59, ()),
    ("hour", 0, 23, ()),
    ("day", 1, 31, ()),
    ("month", 1, 12, _MONTHS),
    ("weekday", 0, 7, _DAYS),
)
_COUNT: Final = len(_FIELDS)


def cron_mistake(text: str) -> str | None:
    """Return what is wrong with a cron expression of five fields, None when nothing is."""
    if text.strip().lower() in _MACROS:
        return None
    parts = text.split()
    if len(parts) != _COUNT:
        return f"write {_COUNT} fields (minute, hour, day, month, weekday), not {len(parts)}"
    for part, (name, low, high, names) in zip(parts, _FIELDS, strict=True):
        for item in part.split(","):
            mistake = _item_mistake(item.lower(), name, low, high, names)
            if mistake is not None:
                return mistake
    return None


def _item_mistake(item: str, name: str, low: int, high: int, names: tuple[str, ...]) -> str | None:
    values, slash, step = item.partition("/")
    if slash and (not step.isdigit() or int(step) == 0):
        return f"the step {step!r} of the {name} is no number above 0"
    if values in ("*", "?"):
        return None
    ends = values.split("-")
    if len(ends) not in (1, 2):
        return f"{values!r} is no range of the {name}"
    numbers = [_number(end, low, names) for end in ends]
    if any(number is None or not low <= number <= high for number in numbers):
        return f"{values!r} is no {name}: it is {low} to {high}"
    if len(numbers) > 1 and numbers[0] is not None and numbers[1] is not None and numbers[0] > numbers[1]:
        return f"the range {values!r} of the {name} runs backwards"
    return None


def _number(text: str, low: int, names: tuple[str, ...]) -> int | None:
    if text.isdigit():
        return int(text)
    return names.index(text) + low if text in names else None
