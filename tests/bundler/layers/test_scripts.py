"""Programs of wheels: first lines and entry points."""

import pytest

from bundler.layers.scripts import EntryPoint, entry_points, first_line, is_placeholder, with_interpreter


@pytest.mark.parametrize(
    ("script", "expected"),
    [
        (b"#!python\nx", b"#!/bin/py\nx"),
        (b"#!pythonw\nx", b"#!/bin/py\nx"),
        (b"#!python -u\nx", b"#!/bin/py -u\nx"),
        (b"#!python\r\nx", b"#!/bin/py\nx"),
        (b"#!python", b"#!/bin/py\n"),
        (b"#!python3\nx", b"#!python3\nx"),
        (b"#!/usr/bin/env python\nx", b"#!/usr/bin/env python\nx"),
        (b"\x7fELF", b"\x7fELF"),
        (b"", b""),
    ],
)
def test_placeholder_is_replaced(script: bytes, expected: bytes) -> None:
    """The exact word alone, its arguments are kept."""
    assert with_interpreter(script, "/bin/py") == expected
    assert is_placeholder(script) == (script != expected)


@pytest.mark.parametrize("interpreter", ["/a folder/python", "/x" * 70])
def test_long_or_spaced_interpreter_goes_through_sh(interpreter: str) -> None:
    """What the system would cut off or split."""
    assert first_line(interpreter).startswith(b"#!/bin/sh\n")
    assert interpreter.encode() in first_line(interpreter)


def test_entry_points_are_sorted_and_later_ones_win() -> None:
    """Groups that are no programs are left out; names keep their case."""
    text = "[other]\nx = y\n[console_scripts]\nb = m:f\nA = m.n : C.run [extra]\n# comment\n[gui_scripts]\nb = g:f\n"
    assert entry_points(text, "w") == [EntryPoint("A", "m.n", "C.run"), EntryPoint("b", "g", "f")]


def test_no_entry_points() -> None:
    """An empty file asks for nothing."""
    assert entry_points("", "w") == []
