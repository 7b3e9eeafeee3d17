"""An effect in a body becomes a step: its call, or the block around it."""

from __future__ import annotations

import ast
from typing import TYPE_CHECKING

from analyzer.fixes.lifted_block import lift_block
from analyzer.fixes.wrapped_call import wrap_call

if TYPE_CHECKING:
    from analyzer.fixes.target import Target
    from analyzer.model import Fix


def make_step(target: Target) -> Fix | None:
    """Wrap the call when that is safe; else lift what belongs together, or wrap a call that stands alone."""
    wrapped = wrap_call(target)
    if wrapped is not None and (wrapped.applicability == "safe" or not _is_discarded(target)):
        return wrapped
    return lift_block(target) or wrapped


def _is_discarded(target: Target) -> bool:
    """Tell whether nobody wants the result of an effect: in a function of its own, it need not be stored."""
    found = target.find(ast.Call)
    if found is None or target.diagnostic.chain:
        return False
    value = found.up() if isinstance(found.parent, ast.Await) else found
    return isinstance(value.parent, ast.Expr)
