"""What the handlers around a call would do to it, were it a step."""

from __future__ import annotations

import ast
from typing import TYPE_CHECKING, Final, Literal

if TYPE_CHECKING:
    from analyzer.fixes.source import Found

Swallowing = Literal["", "narrow", "for good"]
"""``narrow``: a handler takes cancellations, and could be made narrower; ``for good``: something else keeps them."""

_CATCHING: Final = ("BaseException", "CancelledError")


def swallows_cancellation(found: Found) -> Swallowing:
    """Tell whether a cancellation raised by a step at a place would be caught there and kept."""
    result: Swallowing = ""
    below: ast.AST = found.node
    for node in reversed(found.above):
        if isinstance(node, ast.FunctionDef | ast.AsyncFunctionDef | ast.Lambda):
            break
        if isinstance(node, ast.Try) or type(node).__name__ == "TryStar":
            if any(isinstance(each, ast.Return | ast.Break | ast.Continue) for each in node.finalbody):  # type: ignore[attr-defined]
                return "for good"
            if any(below is statement for statement in node.body):  # type: ignore[attr-defined]
                result = "narrow" if any(catches_all(each) for each in node.handlers) else result  # type: ignore[attr-defined]
        if isinstance(node, ast.With | ast.AsyncWith) and any(_names_all(item.context_expr) for item in node.items):
            return "for good"
        below = node
    return result


def catches_all(handler: ast.ExceptHandler) -> bool:
    """Tell whether a handler takes cancellations, and does not raise again."""
    if handler.type is not None and not _names_all(handler.type):
        return False
    return not any(isinstance(node, ast.Raise) for statement in handler.body for node in ast.walk(statement))


def _names_all(node: ast.expr) -> bool:
    return any(getattr(each, "id", getattr(each, "attr", "")) in _CATCHING for each in ast.walk(node))


def reads_parts_of_error(found: Found) -> bool:
    """Tell whether a handler around a call looks into the error: into ``error.response``, which no journal keeps."""
    for node in reversed(found.above):
        if isinstance(node, ast.FunctionDef | ast.AsyncFunctionDef | ast.Lambda):
            return False
        for handler in getattr(node, "handlers", ()):
            for each in ast.walk(handler):
                if (
                    isinstance(each, ast.Attribute)
                    and isinstance(each.value, ast.Name)
                    and each.value.id == handler.name
                ):
                    return True
    return False
