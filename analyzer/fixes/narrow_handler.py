"""A handler lets cancellations through."""

from __future__ import annotations

import ast
from typing import TYPE_CHECKING

from analyzer.fixes.bindings import bound_within
from analyzer.fixes.target import Target, fix

if TYPE_CHECKING:
    from analyzer.model import Edit, Fix, Location


def narrow_handler(target: Target) -> Fix | None:
    """Catch ``Exception`` instead of everything; end a handler of cancellations with ``raise``."""
    source = target.source
    for node in ast.walk(source.tree):
        if not isinstance(node, ast.ExceptHandler) or not _is_at(target, source.place(node)):
            continue
        if "Exception" in source.bound:
            return None
        edit = _narrowed(target, node)
        if edit is not None:
            return fix("unsafe", "Catch Exception only", edit)
        edit = _raising(target, node)
        return None if edit is None else fix("unsafe", "Raise the cancellation again", edit)
    return None


def _is_at(target: Target, place: Location) -> bool:
    here = target.diagnostic.location
    return (here.row, here.column) == (place.row, place.column)


def _narrowed(target: Target, handler: ast.ExceptHandler) -> Edit | None:
    source = target.source
    if handler.type is None:
        place = source.place(handler)
        return source.insert(place.row, place.column + len("except"), " Exception")
    if isinstance(handler.type, ast.Name) and handler.type.id == "BaseException":
        if handler.type.id in bound_within(handler):
            return None
        return source.replace(source.place(handler.type), "Exception")
    return None


def _raising(target: Target, handler: ast.ExceptHandler) -> Edit | None:
    """Put ``raise`` at the handler's end, if its end is reached."""
    last = handler.body[-1]
    source = target.source
    if isinstance(last, ast.Return | ast.Continue | ast.Break | ast.Raise) or last.lineno == handler.lineno:
        return None
    if isinstance(last, ast.Pass):
        return source.replace(source.place(last), "raise")
    first = source.lines[handler.body[0].lineno - 1]
    indent = first[: len(first) - len(first.lstrip())]
    end = last.end_lineno or last.lineno
    return source.insert(end, len(source.lines[end - 1]) + 1, f"\n{indent}raise")
