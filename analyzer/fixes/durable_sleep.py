"""A blocking sleep becomes the SDK's, which is durable."""

from __future__ import annotations

import ast
from typing import TYPE_CHECKING

from analyzer.fixes.imports import sdk_name
from analyzer.fixes.target import Target, awaited, fix, is_in_endless_loop, step_form

if TYPE_CHECKING:
    from analyzer.model import Fix


def sleep_durably(target: Target) -> Fix | None:
    """Turn ``time.sleep(x)`` into ``await sleep(x)``, in sync code into ``sleep(x)``."""
    found = target.find(ast.Call)
    if found is None or target.diagnostic.subject != "time.sleep" or target.diagnostic.chain:
        return None
    call = found.node
    assert isinstance(call, ast.Call)  # noqa: S101 - what was looked for
    form = step_form(found)
    if form is None or is_in_endless_loop(found) or len(call.args) != 1 or call.keywords:
        return None
    if isinstance(call.args[0], ast.Starred):
        return None
    name = sdk_name(target.source, "sleep", found.outermost)
    place, function = target.source.place(call), target.source.place(call.func)
    rest = target.source.between((function.end_row, function.end_column), (place.end_row, place.end_column))
    edit = target.source.replace(place, awaited(name.text + target.source.slice(rest), found, form))
    return fix("safe", "Sleep durably", edit, *name.edits)
