"""Selectors of rules, as options and settings name them: a code, a prefix of codes, ``ALL``."""

from __future__ import annotations

from difflib import get_close_matches
from typing import Final

from analyzer.rules.registry import RULES

EVERYTHING: Final = "ALL"
"""Selects every rule."""

_SIMILAR: Final = 0.6
_LOOK_ALIKE: Final = str.maketrans("OIL", "011")


def is_selector(text: str) -> bool:
    """Tell whether a text selects at least one rule."""
    return text == EVERYTHING or (bool(text) and any(code.startswith(text) for code in RULES))


def code_of(text: str) -> str | None:
    """Return the code of the rule that a text names, by its code or its name in any case; None when there is none."""
    wanted = text.strip()
    if wanted.upper() in RULES:
        return wanted.upper()
    return next((rule.code for rule in RULES.values() if rule.name == wanted.lower().replace("_", "-")), None)


def suggestion(text: str) -> str:
    """Return what to do about a text that selects nothing, as a sentence."""
    named = code_of(text)
    if named is not None:
        return f"Write its code: {named}."
    if is_selector(text.upper()):
        return f"Write {text.upper()}."
    likely = text.strip().upper().translate(_LOOK_ALIKE)
    if likely in RULES:
        return f"Did you mean {likely} ({RULES[likely].name})?"
    words = [*RULES, *(rule.name for rule in RULES.values())]
    close = get_close_matches(text.strip(), words, n=1, cutoff=_SIMILAR) or get_close_matches(
        text.strip().upper(), words, n=1, cutoff=_SIMILAR
    )
    if close:
        return f"Did you mean {code_of(close[0])} ({RULES[code_of(close[0]) or ''].name})?"
    return "Codes are listed by `trigger rule --all`; a prefix such as TRG1 selects a family, ALL every rule."
