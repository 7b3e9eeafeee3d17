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


def rule_suggestion(text: str) -> str:
    """Return what to do about a text that names no rule, where one is wanted, as a sentence."""
    family = [code for code in RULES if text and code.startswith(text.strip().upper())]
    if family:
        return f"Name one of its rules: {', '.join(family)}."
    likely = _likely(text)
    return f"Did you mean {likely} ({RULES[likely].name})?" if likely else "All are listed by `trigger rule --all`."


def suggestion(text: str) -> str:
    """Return what to do about a text that selects nothing, as a sentence."""
    named = code_of(text)
    if named is not None:
        return f"Write its code: {named}."
    if is_selector(text.upper()):
        return f"Write {text.upper()}."
    likely = _likely(text)
    if likely:
        return f"Did you mean {likely} ({RULES[likely].name})?"
    return "Codes are listed by `trigger rule --all`; a prefix such as TRG1 selects a family, ALL every rule."


def _likely(text: str) -> str:
    """Return the code of the rule that was perhaps meant; empty when none is near."""
    likely = text.strip().upper().translate(_LOOK_ALIKE)
    if likely in RULES:
        return likely
    words = [*RULES, *(rule.name for rule in RULES.values())]
    close = get_close_matches(text.strip(), words, n=1, cutoff=_SIMILAR) or get_close_matches(
        text.strip().upper(), words, n=1, cutoff=_SIMILAR
    )
    return (code_of(close[0]) or "") if close else ""
