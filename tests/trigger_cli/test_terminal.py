"""Who gets colour, and which characters."""

import io

import pytest

from trigger_cli.rendering.style import ASCII, UNICODE
from trigger_cli.terminal import glyphs_for, is_tty, wants_colour


@pytest.mark.parametrize(
    ("environ", "tty", "wanted"),
    [
        ({}, True, True),
        ({}, False, False),
        ({"NO_COLOR": "1"}, True, False),
        ({"NO_COLOR": ""}, True, True),
        ({"FORCE_COLOR": "1"}, False, True),
        ({"FORCE_COLOR": "0"}, True, False),
        ({"NO_COLOR": "1", "FORCE_COLOR": "1"}, True, False),
        ({"TERM": "dumb"}, True, False),
        ({"TERM": "dumb", "FORCE_COLOR": "1"}, True, True),
    ],
)
def test_colour(environ: dict[str, str], tty: bool, wanted: bool) -> None:
    """NO_COLOR beats FORCE_COLOR beats whether it is a terminal."""
    assert wants_colour(environ, tty=tty) is wanted


@pytest.mark.parametrize(("encoding", "glyphs"), [("utf-8", UNICODE), ("ascii", ASCII), ("latin-1", ASCII)])
def test_glyphs_fit_the_encoding(encoding: str, glyphs: object) -> None:
    """A stream that cannot carry the symbols gets plain ones."""
    assert glyphs_for(io.TextIOWrapper(io.BytesIO(), encoding=encoding)) is glyphs


def test_closed_stream_is_no_terminal() -> None:
    """A closed or missing stream is not a terminal, and no crash."""
    stream = io.StringIO()
    stream.close()
    assert not is_tty(stream)
    assert not is_tty(None)
