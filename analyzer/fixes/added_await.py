"""The missing ``await`` of a durable call."""

from __future__ import annotations

import ast
from typing import TYPE_CHECKING

from analyzer.fixes.target import Target, awaited, fix, step_form

if TYPE_CHECKING:
    from analyzer.model import Fix


def add_await(target: Target) -> Fix | None:
    """Await a call: safe for a statement of its own or an assigned value, else unsafe."""
    found = target.find(ast.Call)
    if found is None or isinstance(found.parent, ast.Await) or step_form(found) != "await":
        return None
    is_plain = isinstance(found.parent, ast.Expr | ast.Assign | ast.AnnAssign)
    place = target.source.place(found.node)  # type: ignore[arg-type]
    edit = target.source.replace(place, awaited(target.source.slice(place), found, "await"))
    return fix("safe" if is_plain else "unsafe", "Await the call", edit)
