"""A job that is called as a function becomes a run of its own."""

from __future__ import annotations

import ast
from typing import TYPE_CHECKING

from analyzer.fixes.target import Target, fix, step_form

if TYPE_CHECKING:
    from analyzer.model import Fix


def start_run(target: Target) -> Fix | None:
    """Turn ``await child(x)`` into ``await child.trigger_and_wait(x)``, in a sync body without ``await``."""
    found = target.find(ast.Call)
    if found is None or target.diagnostic.chain or not target.diagnostic.job:
        return None
    call = found.node
    assert isinstance(call, ast.Call)  # noqa: S101 - what was looked for
    is_awaited = isinstance(found.parent, ast.Await)
    form = step_form(found.up() if is_awaited else found)
    given = [*call.args, *(keyword.value for keyword in call.keywords)]
    is_plain = isinstance(call.func, ast.Name | ast.Attribute) and not any(
        isinstance(each, ast.Starred) for each in given
    )
    if form is None or (form == "await") != is_awaited or len(given) > 1 or not is_plain or None in _keywords(call):
        return None
    function = target.source.place(call.func)
    end = (function.end_row, function.end_column)
    edits = [target.source.insert(*end, ".trigger_and_wait")]
    if call.keywords:  # the payload is positional
        value = target.source.place(call.keywords[0])
        inner = target.source.place(call.keywords[0].value)
        name = target.source.between((value.row, value.column), (inner.row, inner.column))
        edits.append(target.source.replace(name, ""))
    return fix("unsafe", "Start a run and wait for it", *edits)


def _keywords(call: ast.Call) -> list[str | None]:
    return [keyword.arg for keyword in call.keywords]
