"""Tables: columns aligned, one of them giving way when the terminal is narrow."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

from trigger_cli.rendering.style import PLAIN, Palette
from trigger_cli.rendering.text import columns, cut, one_line, pad

_GAP = "  "
_NARROWEST = 6


@dataclass(frozen=True, slots=True, kw_only=True)
class Column:
    """One column.

    Attributes:
        title: its heading.
        right: its texts stand on the right.
        flexible: it is cut when the table is too wide; the first of them gives way first.
    """

    title: str
    right: bool = False
    flexible: bool = False


@dataclass(frozen=True, slots=True, kw_only=True)
class Cell:
    """One text, with the state whose colour it takes (empty for none)."""

    text: str
    state: str = ""


def render_table(
    head: Sequence[Column],
    rows: Sequence[Sequence[Cell]],
    *,
    width: int | None,
    palette: Palette = PLAIN,
    ellipsis: str = "…",
) -> list[str]:
    """Return the lines of a table, heading first.

    Args:
        head: the columns.
        rows: as many cells each as there are columns; their texts are made safe here.
        width: columns of the terminal; None cuts nothing (output that is piped).
        palette: colours.
        ellipsis: ends a text that was cut.
    """
    texts = [[one_line(cell.text) for cell in row] for row in rows]
    widths = [max([columns(col.title), *(columns(row[i]) for row in texts)]) for i, col in enumerate(head)]
    if width is not None:
        _narrow(widths, head, width)

    def line(values: Sequence[str]) -> list[str]:
        return [
            pad(cut(value, room, ellipsis), room, right=col.right)
            for value, room, col in zip(values, widths, head, strict=True)
        ]

    lines = [palette.dim(_GAP.join(line([col.title for col in head])).rstrip())]
    for cells, row in zip(rows, texts, strict=True):
        shown = line(row)
        if not head[-1].right:
            shown[-1] = shown[-1].rstrip()
        lines.append(
            _GAP.join(
                palette.of_state(cell.state, text) if cell.state else text
                for cell, text in zip(cells, shown, strict=True)
            ).rstrip()
        )
    return lines


def _narrow(widths: list[int], head: Sequence[Column], width: int) -> None:
    """Take columns from the flexible ones until the table fits or they are as narrow as they get."""
    excess = sum(widths) + len(_GAP) * (len(widths) - 1) - width
    for index, column in enumerate(head):
        if excess <= 0:
            return
        if column.flexible:
            taken = min(excess, max(0, widths[index] - _NARROWEST))
            widths[index] -= taken
            excess -= taken
