"""Comments that silence diagnostics: ``# trigger: ignore[TRG101] reason``."""

from __future__ import annotations

import io
import re
import tokenize
from difflib import get_close_matches
from typing import TYPE_CHECKING, Final

from analyzer.facts.module import Suppression
from analyzer.facts.spans import pack, row_of

if TYPE_CHECKING:
    from collections.abc import Iterator, Sequence

    from analyzer.facts.module import FunctionFacts

_COMMENT: Final = re.compile(
    r"(?:^|(?<=\s))#\s*(?P<tool>trigger)\s*:\s*(?P<word>[\w-]+)(?:\s*\[(?P<codes>[^\]]*)\])?\s*(?P<reason>.*)",
    re.IGNORECASE,
)
_WORDS: Final = ("ignore", "file-ignore")
_LIKE_A_WORD: Final = 0.8
_LAYOUT: Final = frozenset((tokenize.NL, tokenize.INDENT, tokenize.DEDENT))
_MAYBE: Final = re.compile(r"#\s*trigger\s*:", re.IGNORECASE)


def find_suppressions(text: str, functions: Sequence[FunctionFacts], first_statement: int) -> list[Suppression]:
    """Return the suppressions in a text.

    One on a line of its own covers the logical line below it, over all its physical lines. On a ``def`` line, a
    decorator, or above either, it covers the function. Before the module's first statement, or as ``file-ignore``
    anywhere, it covers the file. Other tools' comments may stand before it: ``# noqa  # trigger: ignore[TRG101]``.

    Args:
        text: the source.
        functions: its functions, to know the lines of definitions.
        first_statement: the line of the module's first statement, a docstring included.
    """
    if _MAYBE.search(text) is None:
        return []
    lines = text.split("\n")
    heads = _heads(functions)
    ends: dict[int, int] = {}
    found = [
        (match, row, column)
        for row, column, comment in _comments(text, ends)
        if (match := _COMMENT.search(comment)) is not None and _is_meant(match)
    ]
    return [_suppression(match, row, column, lines, heads, first_statement, ends) for match, row, column in found]


def _comments(text: str, ends: dict[int, int]) -> Iterator[tuple[int, int, str]]:
    """Yield row, column and text of each comment; what cannot be tokenized ends it.

    Args:
        text: the source.
        ends: is given the last row of each logical line by its first, where they differ.
    """
    first = 0
    try:
        for token in tokenize.generate_tokens(io.StringIO(text).readline):
            if token.type == tokenize.COMMENT:
                yield (*token.start, token.string)
            elif token.type == tokenize.NEWLINE:
                if token.start[0] != first:
                    ends[first] = token.start[0]
                first = 0
            elif token.type not in _LAYOUT and not first:
                first = token.start[0]
    except (tokenize.TokenError, SyntaxError, IndentationError):
        return


def _heads(functions: Sequence[FunctionFacts]) -> dict[int, FunctionFacts]:
    """Return the function for each line from its first decorator to the line of its ``def``."""
    heads: dict[int, FunctionFacts] = {}
    for function in functions:
        if function.name != "<lambda>":
            for row in range(function.rows[0], row_of(function.at) + 1):
                heads[row] = function
    return heads


def _suppression(
    match: re.Match[str],
    row: int,
    column: int,
    lines: list[str],
    heads: dict[int, FunctionFacts],
    first_statement: int,
    ends: dict[int, int],
) -> Suppression:
    mistake = _mistake(match)
    codes = () if mistake else _codes(match)
    at = pack(row, column + match.start(), row, column + match.start() + len(match[0].rstrip()))
    reason = match["reason"].strip()
    is_for_file = match["word"].lower().startswith("f")
    own_line = not lines[row - 1][:column].strip()
    target = row
    if own_line:
        target = _next_code(lines, row)
        if is_for_file or (row < first_statement and target not in heads):
            return Suppression(row, at, codes, reason, "file", (1, len(lines)), mistake)
    elif is_for_file:
        return Suppression(row, at, codes, reason, "file", (1, len(lines)), mistake)
    function = heads.get(target)
    if function is not None:
        return Suppression(row, at, codes, reason, "function", function.rows, mistake)
    last = ends.get(target, target) if own_line else target
    return Suppression(row, at, codes, reason, "line", (row, last), mistake)


def _codes(match: re.Match[str]) -> tuple[str, ...]:
    return tuple(code for part in (match["codes"] or "").split(",") if (code := part.strip()))


def _is_meant(match: re.Match[str]) -> bool:
    """Tell whether a comment was to silence something: a word like ``ignore``, with codes unless spelled right."""
    word = match["word"].lower()
    if word in _WORDS:
        return match["tool"] == "trigger" or match["codes"] is not None
    return match["codes"] is not None and bool(get_close_matches(word, _WORDS, n=1, cutoff=_LIKE_A_WORD))


def _mistake(match: re.Match[str]) -> str:
    """Return why a comment silences nothing, as a sentence; empty when it is well-formed."""
    word = match["word"]
    if match["tool"] != "trigger" or word not in _WORDS:
        meant = get_close_matches(word.lower(), _WORDS, n=1, cutoff=_LIKE_A_WORD)
        return f"`# {match['tool']}: {word}` is no suppression: write `# trigger: {meant[0] if meant else _WORDS[0]}`"
    if match["codes"] is None and match["reason"].startswith("["):
        return f"`# trigger: {word}[` silences nothing: close the brackets behind the codes"
    if not _codes(match):
        return f"`# trigger: {word}` silences nothing: name the codes in brackets, `# trigger: {word}[TRG101] reason`"
    return ""


def _next_code(lines: list[str], row: int) -> int:
    """Return the first line after ``row`` that is neither empty nor a comment."""
    for number in range(row, len(lines)):
        stripped = lines[number].strip()
        if stripped and not stripped.startswith("#"):
            return number + 1
    return row
