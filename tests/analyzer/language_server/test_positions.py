"""Positions, offsets and edits, in every encoding."""

import pytest
from hypothesis import given
from hypothesis import strategies as st
from lsprotocol import types

from analyzer.language_server.positions import Encoding, Lines, characters, units
from analyzer.model import Location

ENCODINGS = [Encoding.Utf8, Encoding.Utf16, Encoding.Utf32]
TEXTS = st.text(alphabet=st.sampled_from("ab\n\r\x0c\u2028é漢\U0001f600\ufeff"), max_size=40)
WIDTHS = {Encoding.Utf8: ("utf-8", 1), Encoding.Utf16: ("utf-16-le", 2), Encoding.Utf32: ("utf-32-le", 4)}


@given(text=TEXTS, encoding=st.sampled_from(ENCODINGS))
def test_units_are_those_of_the_encoder(text: str, encoding: Encoding) -> None:
    """The length in code units is that of the encoded text."""
    name, width = WIDTHS[encoding]
    assert units(text, encoding) == len(text.encode(name)) // width


@given(text=TEXTS, encoding=st.sampled_from(ENCODINGS), data=st.data())
def test_position_of_an_offset_leads_back(text: str, encoding: Encoding, data: st.DataObject) -> None:
    """Every offset that is not inside a line's end has a position, and that has this offset."""
    lines = Lines(text, encoding)
    offset = data.draw(st.integers(0, len(text)))
    if text[offset - 1 : offset + 1] == "\r\n":
        offset += 1
    assert lines.offset(lines.position_at(offset)) == offset


@given(text=TEXTS, encoding=st.sampled_from(ENCODINGS), new=TEXTS, data=st.data())
def test_edit_replaces_its_stretch(text: str, encoding: Encoding, new: str, data: st.DataObject) -> None:
    """An edit of a stretch is what slicing makes of it."""
    lines = Lines(text, encoding)
    first = data.draw(st.integers(0, len(text)))
    last = data.draw(st.integers(first, len(text)))
    first, last = (offset + 1 if text[offset - 1 : offset + 1] == "\r\n" else offset for offset in (first, last))
    stretch = types.Range(start=lines.position_at(first), end=lines.position_at(last))
    change = types.TextDocumentContentChangePartial(range=stretch, text=new)
    assert lines.edited(change) == text[:first] + new + text[last:]


@pytest.mark.parametrize("encoding", ENCODINGS)
def test_positions_past_the_end_stand_for_the_end(encoding: Encoding) -> None:
    """A column past a line's end is the line's end, a line past the last is the text's end."""
    lines = Lines("ab\r\nc漢", encoding)
    assert lines.offset(types.Position(line=0, character=99)) == 2
    assert lines.offset(types.Position(line=1, character=99)) == 6
    assert lines.offset(types.Position(line=9, character=0)) == 6


def test_column_inside_a_character_is_behind_it() -> None:
    """Half of a surrogate pair is no place: the whole character counts."""
    assert characters("\U0001f600x", 1, Encoding.Utf16) == 1
    assert characters("\U0001f600x", 2, Encoding.Utf16) == 1
    assert characters("\U0001f600x", 3, Encoding.Utf8) == 1


def test_places_of_the_check_skip_a_byte_order_mark(tmp_path: object) -> None:
    """The check counts the first line without it; the editor's text has it."""
    lines = Lines("\ufeffx = 1\ny = 2\n", Encoding.Utf16)
    assert lines.position(1, 1) == types.Position(line=0, character=1)
    assert lines.place(types.Position(line=0, character=1)) == (1, 1)
    assert lines.position(2, 1) == types.Position(line=1, character=0)
    assert lines.place(types.Position(line=1, character=4)) == (2, 5)


def test_empty_location_is_widened_to_be_seen() -> None:
    """A location without any width gets that of a character; past a line's end there is none to give."""
    from pathlib import Path

    lines = Lines("abc\n", Encoding.Utf16)
    at = Location(file=Path("/a.py"), row=1, column=2, end_row=1, end_column=2)
    shown = lines.visible_range(at)
    assert (shown.start.character, shown.end.character) == (1, 2)
    past = Location(file=Path("/a.py"), row=7, column=2, end_row=9, end_column=2)
    assert lines.visible_range(past).start == types.Position(line=1, character=0)
