"""The terminal: two streams, their width, and whether they take colour and questions.

Commands get a :class:`Terminal` and never touch `sys.stdout`. Data goes to ``out``, talk to ``err``.
"""

from __future__ import annotations

import io
import os
import shutil
import sys
from collections.abc import Mapping
from dataclasses import dataclass
from typing import TextIO

from trigger_cli.rendering.style import ASCII, UNICODE, Glyphs, Palette

PIPED_WIDTH = 100
"""Columns to draw for when nobody says how many there are."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Terminal:
    """Where a command speaks.

    Attributes:
        out: stream for data.
        err: stream for talk.
        palette: colours of ``out``; those of ``err`` are in ``err_palette``.
        glyphs: the drawing characters that ``out`` can show; those of ``err`` are in ``err_glyphs``.
        width: columns of ``out``, :data:`PIPED_WIDTH` when it is no terminal.
        live: ``out`` is a terminal, so that it can be drawn over.
        can_ask: a person is there to answer (never in CI).
    """

    out: TextIO
    err: TextIO
    palette: Palette
    err_palette: Palette
    glyphs: Glyphs
    err_glyphs: Glyphs
    width: int
    live: bool
    can_ask: bool

    @classmethod
    def of_process(cls) -> Terminal:
        """Return the process's own terminal. What its encoding cannot carry is escaped from now on."""
        environ = os.environ
        for stream in (sys.stdout, sys.stderr):
            if isinstance(stream, io.TextIOWrapper):
                stream.reconfigure(errors="backslashreplace")
        live = is_tty(sys.stdout)
        return cls(
            out=sys.stdout,
            err=sys.stderr,
            palette=Palette(enabled=wants_colour(environ, tty=live)),
            err_palette=Palette(enabled=wants_colour(environ, tty=is_tty(sys.stderr))),
            glyphs=glyphs_for(sys.stdout),
            err_glyphs=glyphs_for(sys.stderr),
            width=shutil.get_terminal_size((PIPED_WIDTH, 24)).columns,
            live=live,
            can_ask=is_tty(sys.stdin) and is_tty(sys.stderr) and not environ.get("CI"),
        )

    def print(self, text: str = "") -> None:
        """Write data and a newline to ``out``."""
        self.out.write(text + "\n")

    def print_now(self, text: str = "") -> None:
        """Write data and a newline to ``out``, visible at once even when piped."""
        self.print(text)
        self.out.flush()

    def say(self, text: str = "") -> None:
        """Write talk and a newline to ``err``."""
        self.out.flush()
        self.err.write(text + "\n")
        self.err.flush()

    def print_json(self, value: object) -> None:
        """Write a JSON document to ``out``: indented for people, on one line when piped."""
        import json

        indent = 2 if self.live else None
        text = json.dumps(value, indent=indent, ensure_ascii=False)
        try:
            text.encode(self.out.encoding or "ascii")
        except (UnicodeEncodeError, LookupError):
            # A lone surrogate, or a stream that is not UTF-8: JSON has escapes of its own.
            text = json.dumps(value, indent=indent)
        self.print(text)

    def ask(self, question: str) -> str:
        """Ask on ``err`` and return the answer without the newline; empty at the end of input."""
        self.err.write(question)
        self.err.flush()
        return sys.stdin.readline().strip()

    def redraw(self, text: str) -> None:
        """Replace the visible screen by ``text``. Only for a ``live`` terminal."""
        self.out.write("\x1b[H\x1b[2J" + text + "\n")
        self.out.flush()


def wants_colour(environ: Mapping[str, str], *, tty: bool) -> bool:
    """Decide: NO_COLOR beats FORCE_COLOR beats whether it is a terminal (and TERM=dumb is none)."""
    if environ.get("NO_COLOR"):
        return False
    forced = environ.get("FORCE_COLOR", "")
    if forced:
        return forced != "0"
    return tty and environ.get("TERM") != "dumb"


def glyphs_for(stream: TextIO) -> Glyphs:
    """Return the drawing characters that the stream's encoding can carry."""
    try:
        "".join(UNICODE.all()).encode(stream.encoding or "ascii")
    except (UnicodeEncodeError, LookupError):
        return ASCII
    return UNICODE


def is_tty(stream: TextIO | None) -> bool:
    """Tell whether a stream is a terminal; False for one that is missing or closed."""
    try:
        return stream is not None and stream.isatty()
    except ValueError:
        return False
