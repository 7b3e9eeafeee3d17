"""A call in a thread becomes a task, which has a thread of its own."""

from __future__ import annotations

import ast
from typing import TYPE_CHECKING, Final

from analyzer.fixes.handlers import swallows_cancellation
from analyzer.fixes.imports import sdk_name
from analyzer.fixes.lifted_block import lift_block
from analyzer.fixes.results import is_handle
from analyzer.fixes.target import Target, fix, is_in_endless_loop, step_form

if TYPE_CHECKING:
    from analyzer.model import Fix

_SKIPPED: Final = {"asyncio.to_thread": 0, "asyncio.AbstractEventLoop.run_in_executor": 1}
"""How many arguments stand before the function."""


def run_as_task(target: Target) -> Fix | None:
    """Turn ``await asyncio.to_thread(f, x)`` into ``await task.run(f, x)``; other threads move into a task."""
    skipped = _SKIPPED.get(target.diagnostic.subject)
    found = target.find(ast.Call)
    if skipped is None or found is None or target.diagnostic.chain or not isinstance(found.parent, ast.Await):
        return lift_block(target)
    call = found.node
    assert isinstance(call, ast.Call)  # noqa: S101 - what was looked for
    if step_form(found.up()) != "await" or len(call.args) <= skipped or isinstance(call.args[0], ast.Starred):
        return None
    function = call.args[skipped]
    if is_handle(getattr(function, "id", getattr(function, "attr", ""))):
        return lift_block(target)
    if swallows_cancellation(found) == "for good" or is_in_endless_loop(found):
        return None
    name = sdk_name(target.source, "task", found.outermost)
    place, first = target.source.place(call), target.source.place(call.args[skipped])
    head = target.source.between((place.row, place.column), (first.row, first.column))
    return fix("unsafe", "Make the call a task", target.source.replace(head, f"{name.text}.run("), *name.edits)
