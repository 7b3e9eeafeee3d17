"""The corpus itself: well formed, large enough, valid Python."""

from __future__ import annotations

import ast

import pytest

from tests.analyzer.corpus.reading import Case, cases, compare

_BROKEN_ON_PURPOSE = {"misuse/syntax-error", "traps/broken-helper-does-not-stop-the-rest"}
_AT_LEAST = 200


def test_corpus_size_covers_what_the_issue_asks() -> None:
    """There are enough cases, each with a name of its own."""
    names = [case.name for case in cases()]
    assert len(names) >= _AT_LEAST
    assert len(names) == len(set(names))


@pytest.mark.parametrize("case", cases(), ids=lambda case: case.name)
def test_case_parses_as_python(case: Case) -> None:
    """Every file of a case is valid Python, but for those that are about broken files."""
    if case.name in _BROKEN_ON_PURPOSE:
        return
    for text in case.files.values():
        ast.parse(text)


def test_compare_counts_right_missed_and_wrong() -> None:
    """A finding that is expected, one that is missing, one too many, and one of two that are allowed."""
    text = "a()  # TRG101\nb()  # TRG102|TRG103\nc()\nd()  # TRG106?\ne()  # TRG201\n"
    case = Case(name="x/y", files={"jobs/case.py": text})
    place = "jobs/case.py"
    found = {(place, 2, "TRG103"), (place, 3, "TRG101"), (place, 4, "TRG106")}
    errors = compare(case, found, hints=False)
    assert errors.right == 2
    assert [each.row for each in errors.missed] == [1]
    assert errors.wrong == ((place, 3, "TRG101"),)
    hints = compare(case, found, hints=True)
    assert [each.row for each in hints.missed] == [5]
