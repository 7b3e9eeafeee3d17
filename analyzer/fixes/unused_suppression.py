"""A suppression that silences nothing goes: its code, or the whole comment."""

from __future__ import annotations

import re
from typing import TYPE_CHECKING, Final

from analyzer.fixes.target import Target, fix

if TYPE_CHECKING:
    from analyzer.model import Fix, Location

_IGNORE: Final = re.compile(r"#\s*trigger\s*:\s*(?:file-)?ignore(?:\s*\[(?P<codes>[^\]]*)\])?(?P<reason>.*)")
_OTHER_TOOL: Final = re.compile(
    r"\s#\s*(?:noqa|type:|pyright:|mypy:|pragma:|pylint:|nosec|fmt:|isort:|ruff:|trigger:|TODO|FIXME)", re.IGNORECASE
)


def remove_suppression(target: Target) -> Fix | None:
    """Remove a code from a suppression's list, or the comment with its reason when it was the only one.

    Comments of other tools on the line stay. A line on which nothing else stands goes as a whole.
    """
    source, place = target.source, target.diagnostic.location
    line = source.lines[place.row - 1]
    start = place.column - 1
    match = _IGNORE.match(line, start)
    if match is None:
        return None
    codes = [code.strip() for code in (match["codes"] or "").split(",") if code.strip()]
    rest = [code for code in codes if code != target.diagnostic.subject]
    if rest and len(rest) < len(codes):
        first, last = match.span("codes")
        separator = ", " if ", " in match["codes"] else ","
        edit = source.replace(source.between((place.row, first + 1), (place.row, last + 1)), separator.join(rest))
        return fix("safe", f"Remove {target.diagnostic.subject} from the suppression", edit)
    other = _OTHER_TOOL.search(line, match.start("reason"))
    if other is not None:
        end = other.start() + 1
        while line[end].isspace():
            end += 1
        return fix("safe", "Remove the suppression", source.replace(_row(target, start, end), ""))
    before = line[:start].rstrip()
    if before or place.row == len(source.lines):
        return fix("safe", "Remove the suppression", source.replace(_row(target, len(before), len(line)), ""))
    whole = source.between((place.row, 1), (place.row + 1, 1))
    return fix("safe", "Remove the suppression", source.replace(whole, ""))


def _row(target: Target, start: int, end: int) -> Location:
    row = target.diagnostic.location.row
    return target.source.between((row, start + 1), (row, end + 1))
