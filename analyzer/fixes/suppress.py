"""Comments that silence diagnostics: putting them in, and extending those that are there."""

from __future__ import annotations

import io
import re
import tokenize
from dataclasses import dataclass, field
from functools import lru_cache
from pathlib import Path
from typing import TYPE_CHECKING, Final

from analyzer.fixes.source import Source
from analyzer.model import Edit, Fix

if TYPE_CHECKING:
    from collections.abc import Sequence

_IGNORE: Final = re.compile(
    r"(?:^|(?<=\s))#\s*trigger\s*:\s*(?:file-)?ignore\b(?P<list>\s*\[(?P<codes>[^\]]*)\])?(?P<reason>.*)"
)
_LAYOUT: Final = frozenset((tokenize.NL, tokenize.INDENT, tokenize.DEDENT, tokenize.COMMENT))
_TEXT_STARTS: Final = frozenset(
    getattr(tokenize, name) for name in ("FSTRING_START", "TSTRING_START") if hasattr(tokenize, name)
)
_TEXT_ENDS: Final = frozenset(
    getattr(tokenize, name) for name in ("FSTRING_END", "TSTRING_END") if hasattr(tokenize, name)
)


@dataclass(slots=True)
class _Lines:
    """What is known of the lines of a text.

    Attributes:
        comments: column, from 0, and text of the comment in a row.
        firsts: the first row of the logical line, for each row that continues one.
        closed: rows that end inside a text.
        first_statement: the row of the first logical line.
        is_whole: False when the text could not be read to its end.
    """

    comments: dict[int, tuple[int, str]] = field(default_factory=dict)
    firsts: dict[int, int] = field(default_factory=dict)
    closed: set[int] = field(default_factory=set)
    first_statement: int = 0
    is_whole: bool = True


def suppress(text: str, row: int, codes: Sequence[str], reason: str = "", *, file: Path | None = None) -> Fix | None:
    """Return the fix that silences codes at a line.

    The comment stands at the line's end, behind other tools' comments; where a line cannot have one (it ends inside a
    text, or with a backslash), on a line of its own above the statement. A suppression that is there is extended.

    Args:
        text: the file's text, as on disk.
        row: the line on which the diagnostics begin, from 1.
        codes: what to silence.
        reason: why, in the user's words; one line.
        file: the file, for the edit.

    Returns:
        None when there is nothing to silence that is not silenced, or no place for it.
    """
    source = Source(text, file or Path())
    known = _read(source.plain)
    if not codes or not 1 <= row <= len(source.lines) or (not known.is_whole and row not in known.firsts):
        return None
    edit = _edit(source, known, row, list(dict.fromkeys(codes)), " ".join(reason.split()))
    title = f"Silence {', '.join(dict.fromkeys(codes))} here"
    return None if edit is None else Fix(applicability="safe", title=title, edits=(edit,))


def _edit(source: Source, known: _Lines, row: int, codes: list[str], reason: str) -> Edit | None:
    first = known.firsts.get(row, row)
    above = first - 1
    while above in known.comments and not source.lines[above - 1][: known.comments[above][0]].strip():
        if _IGNORE.search(known.comments[above][1]) is not None:
            return _extended(source, known, above, codes, reason)
        above -= 1
    if row in known.comments and _IGNORE.search(known.comments[row][1]) is not None:
        return _extended(source, known, row, codes, reason)
    comment = f"# trigger: ignore[{', '.join(codes)}] {reason}".rstrip()
    line = source.lines[row - 1]
    if row not in known.closed and (row in known.comments or not line.rstrip().endswith("\\")):
        return source.insert(row, len(line.rstrip()) + 1, f"  {comment}")
    if first <= known.first_statement:
        return None  # above the first statement it would silence the whole file
    start = source.lines[first - 1]
    indent = start[: len(start) - len(start.lstrip())]
    return source.insert(first, 1, f"{indent}{comment}\n")


def _extended(source: Source, known: _Lines, row: int, codes: list[str], reason: str) -> Edit | None:
    """Add codes to the suppression in a row; one without a list silences nothing yet, and is given one."""
    column, comment = known.comments[row]
    match = _IGNORE.search(comment)
    if match is None:
        return None
    if match["codes"] is None:
        said = f" {reason}" if reason and not match["reason"].strip() else ""
        place = (row, column + match.start("reason") + 1)
        return source.replace(source.between(place, place), f"[{', '.join(codes)}]{said}")
    listed = [code.strip() for code in match["codes"].split(",") if code.strip()]
    missing = [code for code in codes if not any(code.startswith(known_code) for known_code in listed)]
    if not missing:
        return None
    separator = "," if "," in match["codes"] and ", " not in match["codes"] else ", "
    start, end = match.span("codes")
    content = separator.join([*listed, *missing])
    if reason and not match["reason"].strip():
        end += 1
        content += f"] {reason}"
    return source.replace(source.between((row, column + start + 1), (row, column + end + 1)), content)


@lru_cache(maxsize=4)
def _read(text: str) -> _Lines:
    """Read the lines of a text; of one that is no Python, those before the mistake."""
    known = _Lines()
    first = depth = 0
    opened = 0
    try:
        for token in tokenize.generate_tokens(io.StringIO(text).readline):
            (row, column), (end_row, _) = token.start, token.end
            if token.type == tokenize.COMMENT:
                known.comments[row] = (column, token.string)
            elif token.type == tokenize.STRING:
                known.closed.update(range(row, end_row))
            elif token.type in _TEXT_STARTS:
                opened, depth = (row if not depth else opened), depth + 1
            elif token.type in _TEXT_ENDS:
                depth -= 1
                known.closed.update(range(opened, end_row) if not depth else ())
            if token.type == tokenize.NEWLINE:
                known.firsts.update((each, first or row) for each in range(first or row, row + 1))
                first = 0
            elif token.type not in _LAYOUT and not first:
                first = row
                known.first_statement = known.first_statement or row
    except (tokenize.TokenError, SyntaxError):
        known.is_whole = False
    return known
