"""Applying fixes to a text."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING, Final

from analyzer.fixes.source import Source, splice

if TYPE_CHECKING:
    from collections.abc import Iterable

    from analyzer.model import Edit, Fix

Stretch = tuple[int, int, str]
"""Start and end index into the text, and what comes there."""

_LINE_ENDS: Final = ("\n", "\r")


def apply_fixes(text: str, fixes: Iterable[Fix]) -> tuple[str, int]:
    """Apply the fixes of one file that do not get into each other's way; the rest is for the next round.

    Of two that overlap, the larger one is applied, of two that are as large the one that begins first. Edits that
    several fixes have in common, such as an import, are made once.

    Args:
        text: the file's text, as on disk.
        fixes: fixes made for this very text.

    Returns:
        The new text, and how many fixes are in it.
    """
    source = Source(text, Path())
    wanted = [({_stretch(source, edit): edit for edit in fix.edits}) for fix in fixes]
    wanted.sort(key=lambda edits: (-max((end - start for start, end, _ in edits), default=0), sorted(edits)))
    taken: dict[Stretch, Edit] = {}
    count = 0
    for edits in wanted:
        fresh = {stretch: edit for stretch, edit in edits.items() if stretch not in taken}
        if edits and not any(_overlap(stretch, other) for stretch in fresh for other in taken):
            taken.update(fresh)
            count += 1
    return splice(source, list(taken.values())), count


def _stretch(source: Source, edit: Edit) -> Stretch:
    at = edit.location
    return source.offset(at.row, at.column), source.offset(at.end_row, at.end_column), edit.content


def _overlap(one: Stretch, other: Stretch) -> bool:
    """Tell whether two stretches share a character, or begin together, so that their order would matter.

    Whole lines that are put in at one place are in nobody's way.
    """
    if one[0] == one[1] == other[0] == other[1]:
        return not (one[2].endswith(_LINE_ENDS) and other[2].endswith(_LINE_ENDS))
    return one[0] == other[0] or (one[0] < other[1] and other[0] < one[1])
