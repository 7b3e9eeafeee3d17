"""Places in the text: rows and columns as people count them, whatever the encoding, the line ends, the length."""

from __future__ import annotations

from pathlib import Path

import pytest

from analyzer.facts.module import decode_body
from analyzer.facts.read import read_facts
from analyzer.facts.spans import end_row_of, location_of, pack, row_of
from analyzer.facts.tree import Call, Evaluate


def first_call(source: str | bytes) -> tuple[int, int, int, int]:
    """Return row, column, end row and end column of the first statement of a module that is a call."""
    facts = read_facts(source)
    assert facts.broken is None
    for statement in decode_body(facts.body):
        if isinstance(statement, Evaluate) and isinstance(statement.value, Call):
            place = location_of(statement.value.at, Path("x.py"))
            return place.row, place.column, place.end_row, place.end_column
    raise AssertionError


@pytest.mark.parametrize(
    ("source", "expected"),
    [
        ("g(1)\n", (1, 1, 1, 5)),
        ("x = 'é'; g(1)\n", (1, 10, 1, 14)),
        ("x = '日本'; g('語')\n", (1, 11, 1, 17)),
        ("x = '🐍'; g(1)\n", (1, 10, 1, 14)),
        ("é = 1; g(é)\n", (1, 8, 1, 12)),
        ("g('é',\n  'é')\n", (1, 1, 2, 7)),
        ("x = 'e\u0301'; g(1)\n", (1, 11, 1, 15)),
        ("x = '\u2028'; g(1)\n", (1, 10, 1, 14)),
        ("x = '\x85\x0b\x1c'\ng(1)\n", (2, 1, 2, 5)),
        ("\ufeffg(1)\n", (1, 1, 1, 5)),
        (b"\xef\xbb\xbfg(1)\n", (1, 1, 1, 5)),
        (b"x = 1\r\ng(1)\r\n", (2, 1, 2, 5)),
        (b"x = 1\rg(1)\r", (2, 1, 2, 5)),
        (b"x = '''\r\n'''; g(1)\r\n", (2, 6, 2, 10)),
        ("\f\ng(1)\n", (2, 1, 2, 5)),
        ("x = 1\n\fg(1)\n", (2, 2, 2, 6)),
        ("if 1:\n\tpass\ng(1)\n", (3, 1, 3, 5)),
        (b"# -*- coding: latin-1 -*-\nx = '\xe9'; g(1)\n", (2, 10, 2, 14)),
        (b"# vim: set fileencoding=cp1252 :\nx = '\x80'; g(1)\n", (2, 10, 2, 14)),
        (b"#!/usr/bin/python\n# coding: koi8-r\nx = '\xc1'; g(1)\n", (3, 10, 3, 14)),
        ("x = 1 + \\\n  2; g(1)\n", (2, 6, 2, 10)),
    ],
)
def test_place_of_a_call_is_as_people_count(source: str | bytes, expected: tuple[int, int, int, int]) -> None:
    """Columns count characters, from 1; line ends of any kind end one line; marks and encodings do not count."""
    assert first_call(source) == expected


def test_place_on_a_huge_line_is_cut() -> None:
    """A column over 16383 is told as 16384: the row stays right."""
    row, column, end_row, end_column = first_call("x = '" + "a" * 100_000 + "'; g(1)\n")
    assert (row, end_row) == (1, 1)
    assert column == end_column == 16384


def test_place_of_a_tall_call_is_cut() -> None:
    """A call over more than 4095 further lines ends there; it begins where it does."""
    place = first_call("x = 1\ng(\n" + "1,\n" * 10_000 + ")\n")
    assert place[:2] == (2, 1)
    assert place[2] == 2 + 4095


def test_places_sort_as_in_the_text() -> None:
    """Integers of places compare by row, then by column."""
    places = [pack(1, 0, 1, 5), pack(1, 4, 1, 5), pack(1, 16383, 2, 1), pack(2, 0, 2, 1), pack(70_000, 3, 70_001, 1)]
    assert places == sorted(places)
    assert [row_of(place) for place in places] == [1, 1, 1, 2, 70_000]
    assert end_row_of(places[-1]) == 70_001


@pytest.mark.parametrize(
    ("text", "column", "end_column"),
    [
        ("def run(): pass\n", 5, 8),
        ("async def run(): pass\n", 11, 14),
        ("if 1:\n    def run(): pass\n", 9, 12),
        ("def größe(): pass\n", 5, 10),
        ("@d('é')\ndef run(): pass\n", 5, 8),
    ],
)
def test_place_of_a_definition_is_its_name(text: str, column: int, end_column: int) -> None:
    """A function stands where its name does."""
    (function,) = read_facts(text).functions
    place = location_of(function.at, Path("x.py"))
    assert (place.column, place.end_column) == (column, end_column)
