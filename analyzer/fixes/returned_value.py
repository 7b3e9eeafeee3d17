"""A task returns its value, and the body changes its variable with it."""

from __future__ import annotations

import ast
from typing import TYPE_CHECKING, Final

from analyzer.fixes.target import Target, awaited, fix, step_form

if TYPE_CHECKING:
    from analyzer.fixes.changes import Function
    from analyzer.fixes.source import Found, Source
    from analyzer.model import Edit, Fix

_TAKING_ONE: Final = frozenset(("append", "appendleft", "extend", "add", "update", "discard", "remove"))
_AUGMENTED: Final = {
    ast.Add: "+", ast.Sub: "-", ast.Mult: "*", ast.Div: "/", ast.FloorDiv: "//", ast.Mod: "%", ast.BitOr: "|",
    ast.BitAnd: "&",
}  # fmt: skip


def return_value(target: Target) -> Fix | None:
    """Turn ``task.run(lambda: found.append(f(x)))`` into ``found.append(await task.run(lambda: f(x)))``.

    And where a nested function ends with such a change, it returns the value, and the body makes the change.
    """
    covering = target.source.covering(target.diagnostic.location)
    chain = [covering, *(covering.up(steps) for steps in range(1, len(covering.above)))]
    for found in chain:
        if isinstance(found.node, ast.Lambda):
            return _of_lambda(target, found)
        if isinstance(found.node, ast.FunctionDef | ast.AsyncFunctionDef):
            return _of_function(target, found)
    return None


# --- lambdas ----------------------------------------------------------------------------------------------------------


def _of_lambda(target: Target, found: Found) -> Fix | None:
    node, run = found.node, found.parent
    assert isinstance(node, ast.Lambda)  # noqa: S101 - what was looked for
    body = node.body
    if not isinstance(run, ast.Call) or run.args != [node] or run.keywords or not _is_run(run.func):
        return None
    value = _given(body)
    if value is None or any(isinstance(each, ast.arg) for each in ast.walk(node.args)):
        return None
    call = found.up()
    whole = call.up() if isinstance(call.parent, ast.Await) else call
    if not isinstance(whole.parent, ast.Expr) or step_form(whole) is None:
        return None
    source = target.source
    text = source.code(value)
    if any(isinstance(each, ast.Call) for each in ast.walk(value)):
        text = f"{source.code(run.func)}(lambda: {text})"
        text = f"await {text}" if whole is not call else text
    place, inner = source.place(body), source.place(value)
    before = source.slice(source.between((place.row, place.column), (inner.row, inner.column)))
    after = source.slice(source.between((inner.end_row, inner.end_column), (place.end_row, place.end_column)))
    edit = source.replace(source.place(whole.node), f"{before}{text}{after}")  # type: ignore[arg-type]
    return fix("unsafe", "Change the variable in the body", edit)


def _is_run(callee: ast.expr) -> bool:
    return isinstance(callee, ast.Attribute) and callee.attr == "run"


def _given(node: ast.expr) -> ast.expr | None:
    """Return the one value with which a call changes its collection."""
    match node:
        case ast.Call(func=ast.Attribute(attr=name), args=[value], keywords=[]) if name in _TAKING_ONE:
            return None if isinstance(value, ast.Starred) else value
        case _:
            return None


# --- nested functions -------------------------------------------------------------------------------------------------


def _of_function(target: Target, found: Found) -> Fix | None:
    """Rewrite a function whose last statement is its only change, and the one statement that runs it."""
    function = found.node
    assert isinstance(function, ast.FunctionDef | ast.AsyncFunctionDef)  # noqa: S101 - what was looked for
    outer = found.function
    if outer is None or isinstance(outer, ast.Lambda):
        return None
    if function.returns is not None and not isinstance(function.returns, ast.Constant):
        return None
    last = function.body[-1]
    if any(isinstance(each, ast.Return | ast.Yield | ast.YieldFrom) for each in ast.walk(function)):
        return None
    changed = _change(target, function, last)
    run = _only_run(target, function, outer)
    if changed is None or run is None:
        return None
    value, template, edits = changed
    source = target.source
    form = step_form(run)
    if form is None:
        return None
    call = run.up() if isinstance(run.parent, ast.Await) else run
    text = source.code(call.node) if call is not run else awaited(source.code(run.node), run, form)  # type: ignore[arg-type]
    edits = [*edits, source.replace(source.place(last), f"return {value}")]
    edits.append(source.replace(source.place(call.node), template.format(text)))  # type: ignore[arg-type]
    if function.returns is not None:
        edits.append(source.replace(source.place(function.returns), "object"))
    return fix("unsafe", "Return the value from the task", *edits)


def _change(target: Target, function: Function, last: ast.stmt) -> tuple[str, str, list[Edit]] | None:
    """Return what the task returns, the body's statement with ``{}`` for it, and the edits that go with it."""
    nonlocals = [each for each in function.body if isinstance(each, ast.Nonlocal)]
    names = [name for each in nonlocals for name in each.names]
    stored = [each.id for each in ast.walk(function) if isinstance(each, ast.Name) and isinstance(each.ctx, ast.Store)]
    result = _written(target.source, last)
    if result is None or len(names) > 1 or _mentions_own(function, last):
        return None
    changed = last.targets[0] if isinstance(last, ast.Assign) else getattr(last, "target", None)
    if isinstance(changed, ast.Name) and (changed.id not in names or stored.count(changed.id) != 1):
        return None
    if not isinstance(changed, ast.Name) and names:
        return None
    edits = []
    for statement in nonlocals:
        if statement.lineno in (function.lineno, function.body[-1].lineno):
            return None
        rows = target.source.between((statement.lineno, 1), (statement.lineno + 1, 1))
        edits.append(target.source.replace(rows, ""))
    return *result, edits


def _written(source: Source, last: ast.stmt) -> tuple[str, str] | None:
    """Return the value of a change, and the change with ``{}`` in its place."""
    match last:
        case ast.Expr(value=ast.Call(func=callee) as call) if (given := _given(call)) is not None:
            return source.code(given), f"{_braces(source.code(callee))}({{}})"
        case ast.Assign(targets=[ast.Subscript() | ast.Name() as place], value=value):
            return source.code(value), f"{_braces(source.code(place))} = {{}}"
        case ast.AugAssign(target=ast.Name(id=name), op=op, value=value) if type(op) in _AUGMENTED:
            return f"{name} {_AUGMENTED[type(op)]} ({source.code(value)})", f"{name} = {{}}"
        case _:
            return None


def _braces(text: str) -> str:
    return text.replace("{", "{{").replace("}", "}}")


def _mentions_own(function: Function, last: ast.stmt) -> bool:
    """Tell whether the target of the last change names variables of the function itself, unknown in the body."""
    own = {each.id for each in ast.walk(function) if isinstance(each, ast.Name) and isinstance(each.ctx, ast.Store)}
    own |= {each.arg for each in ast.walk(function.args) if isinstance(each, ast.arg)}
    match last:
        case ast.Expr(value=ast.Call(func=place)) | ast.Assign(targets=[ast.Subscript() as place]):
            return any(isinstance(each, ast.Name) and each.id in own for each in ast.walk(place))
        case _:
            return bool(function.args.args)


def _only_run(target: Target, function: Function, outer: ast.AST | None) -> Found | None:
    """Return the call that runs a function, when it is a statement of its own and the only mention."""
    if outer is None:
        return None
    mentions = [each for each in ast.walk(outer) if isinstance(each, ast.Name) and each.id == function.name]
    if len(mentions) != 1:
        return None
    found = target.source.find(target.source.place(mentions[0]))[-1]
    call = found.up()
    if not isinstance(call.node, ast.Call):
        return None
    is_run = mentions[0] in call.node.args[:1] and _is_run(call.node.func)
    is_called = call.node.func is mentions[0] and bool(function.decorator_list)
    whole = call.up() if isinstance(call.parent, ast.Await) else call
    return call if (is_run or is_called) and isinstance(whole.parent, ast.Expr) else None
