"""Applying fixes: positions, overlaps, shared edits."""

from __future__ import annotations

from pathlib import Path

from analyzer.fixes import apply_fixes
from analyzer.model import Edit, Fix, Location


def _fix(*edits: tuple[int, int, int, int, str]) -> Fix:
    made = [
        Edit(location=Location(file=Path("a.py"), row=a, column=b, end_row=c, end_column=d), content=text)
        for a, b, c, d, text in edits
    ]
    return Fix(applicability="safe", title="x", edits=tuple(made))


def test_edits_in_lines_of_all_kinds_leave_the_rest_as_it_is() -> None:
    """Line ends, a byte order mark, form feeds and wide characters count as the check counts them."""
    text = "\ufeffa = 'ü'\r\nb\x0c = 2\rc = 3\n"
    new, count = apply_fixes(text, [_fix((1, 1, 1, 2, "A")), _fix((2, 6, 2, 7, "20")), _fix((3, 5, 3, 6, "30"))])
    assert (new, count) == ("\ufeffA = 'ü'\r\nb\x0c = 20\rc = 30\n", 3)


def test_of_overlapping_fixes_the_larger_is_applied() -> None:
    """The smaller is left for the next round, as are two insertions at one place."""
    new, count = apply_fixes("f(g(x))\n", [_fix((1, 3, 1, 7, "h")), _fix((1, 1, 1, 8, "k"))])
    assert (new, count) == ("k\n", 1)
    new, count = apply_fixes("f\n", [_fix((1, 1, 1, 1, "a ")), _fix((1, 1, 1, 1, "b "))])
    assert (new, count) == ("a f\n", 1)


def test_edits_that_fixes_share_are_made_once() -> None:
    """Two fixes that need the same import both apply."""
    text = "from t import job\nx\ny\n"
    shared = (1, 18, 1, 18, ", task")
    new, count = apply_fixes(text, [_fix((2, 1, 2, 2, "X"), shared), _fix((3, 1, 3, 2, "Y"), shared)])
    assert (new, count) == ("from t import job, task\nX\nY\n", 2)


def test_no_fixes_leave_the_text_alone() -> None:
    """Nothing to apply is no change."""
    assert apply_fixes("x\r\n", []) == ("x\r\n", 0)
