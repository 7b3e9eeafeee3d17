"""What happened in the world, as the services wrote it down, compared with what must have happened."""

from __future__ import annotations

from collections import Counter
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from trigger_cli.demo.acts import EFFECTS, Act
from trigger_cli.rendering.style import Glyphs, Palette
from trigger_cli.rendering.tables import Cell, Column, render_table

Request = Mapping[str, Any]
"""One line of the services' journal."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Count:
    """How often one effect happened in one act, and how often it should have; ``asked``: the requests for it."""

    effect: str
    promised: int
    counted: int
    asked: int

    @property
    def kept(self) -> bool:
        """True when the promise was kept."""
        return self.promised == self.counted


def count(act: Act, requests: Sequence[Request]) -> list[Count]:
    """Return a count for every effect, those included that must not happen.

    Args:
        act: whose effects.
        requests: everything that the services were asked for, by anybody.
    """
    orders = {request["request"]["order"] for request in requests if request["request"].get("user_id") == act.user}
    mine = [request for request in requests if request["request"].get("order") in orders]
    asked = Counter(_effect(request) for request in mine)
    done = Counter(_effect(request) for request in mine if request["outcome"] == "done")
    names = [*EFFECTS, *sorted(set(asked) - set(EFFECTS))]
    return [
        Count(effect=name, promised=act.effects.get(name, 0), counted=done[name], asked=asked[name]) for name in names
    ]


def _effect(request: Request) -> str:
    return f"{request['service']}.{request['action']}"


def render_counts(counts: Sequence[Count], *, palette: Palette, glyphs: Glyphs) -> list[str]:
    """Return a table of what was promised and what was counted; effects that nobody asked for are left out."""
    head = [
        Column(title="EFFECT"), Column(title="PROMISED", right=True), Column(title="COUNTED", right=True),
        Column(title="REQUESTS", right=True), Column(title=""),
    ]  # fmt: skip
    rows = []
    for item in counts:
        if item.asked or item.promised:
            state = "completed" if item.kept else "failed"
            verdict = Cell(text=glyphs.of_state(state) + ("" if item.kept else " not as promised"), state=state)
            texts = [item.effect, str(item.promised), str(item.counted), str(item.asked)]
            rows.append([*(Cell(text=text) for text in texts), verdict])
    return render_table(head, rows, width=None, palette=palette, ellipsis=glyphs.ellipsis)
