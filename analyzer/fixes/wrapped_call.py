"""An effect in a body becomes a step: ``await task.run(lambda: requests.get(url).json())``."""

from __future__ import annotations

import ast
from dataclasses import dataclass
from typing import TYPE_CHECKING, Final

from analyzer.fixes.bindings import bound_within
from analyzer.fixes.changes import Function, changes_arguments, functions_named
from analyzer.fixes.handlers import reads_parts_of_error, swallows_cancellation
from analyzer.fixes.handles import is_of_handle
from analyzer.fixes.imports import sdk_name
from analyzer.fixes.inert import is_inert, may_move
from analyzer.fixes.loops import may_be_unordered
from analyzer.fixes.results import CONSUMING, HANDLES, LAZY, PARTS, STORABLE, TO_STORABLE, is_handle
from analyzer.fixes.target import Target, awaited, call_root, fix, is_in_endless_loop, step_form

if TYPE_CHECKING:
    from analyzer.fixes.source import Found, Source
    from analyzer.model import Fix

_GATHERING: Final = frozenset(("gather", "create_task", "ensure_future", "wait", "wait_for", "as_completed", "shield"))
_MODELS: Final = ("openai.", "anthropic.")
"""Libraries whose results are models, which can be stored."""
_IMPORTED: Final = {"Path": "pathlib", "PurePath": "pathlib", "timedelta": "datetime"}


@dataclass(frozen=True, slots=True)
class Wanted:
    """What becomes a step.

    Attributes:
        found: the expression: the call, or a larger one of which the result can be stored.
        is_storable: the result is known to be storable.
        suffix: what is added so that it is, where nobody wants the result: ``.status_code``.
    """

    found: Found
    is_storable: bool
    suffix: str = ""


def wrap_call(target: Target) -> Fix | None:
    """Wrap the diagnostic's call in ``task.run``. Safe where all is known of it, else unsafe, or nothing."""
    found = target.find(ast.Call)
    if found is None or target.diagnostic.leads_to_steps or not _can_be_step(found):
        return None
    is_awaited = isinstance(found.parent, ast.Await)
    form = step_form(found.up() if is_awaited else found)
    wanted = _wanted(target, found, is_awaited=is_awaited)
    if form is None or wanted is None or (is_awaited and form == "plain"):
        return None
    handling = swallows_cancellation(found)
    if handling == "for good" or is_in_endless_loop(found):
        return None
    taken = taken_names(target.source, found)
    call = found.node
    assert isinstance(call, ast.Call)  # noqa: S101 - what was looked for
    known = wanted.is_storable and not target.diagnostic.chain and _is_named(call, target)
    harmless = not (handling or reads_parts_of_error(found) or may_be_unordered(target.source, found))
    arguments_inert = is_inert(wanted.found.node, taken, but=(call, *_outer_calls(wanted.found, found)))
    needs_lambda = _is_larger(wanted, found) or _last_name(call.func) in CONSUMING
    by_lambda = not is_awaited and may_move(wanted.found.node) and (arguments_inert or needs_lambda)
    if needs_lambda and not by_lambda:
        return None
    if by_lambda and not arguments_inert and _asks_for_steps(target, wanted.found):
        return None
    name = sdk_name(target.source, "task", found.outermost)
    content = _lambda(target.source, wanted, name.text) if by_lambda else _eager(target.source, call, name.text)
    place = target.source.place(wanted.found.node)  # type: ignore[arg-type]
    is_safe = known and harmless and (arguments_inert or not by_lambda)
    text = content if is_awaited else awaited(content, wanted.found, form)
    return fix("safe" if is_safe else "unsafe", "Make the call a task", target.source.replace(place, text), *name.edits)


def _can_be_step(found: Found) -> bool:
    """Tell whether the value of a call is used at once, by nothing that needs the object itself."""
    call = found.node
    assert isinstance(call, ast.Call)  # noqa: S101 - what was looked for
    if isinstance(call.func, ast.Name) and call.func.id in LAZY:
        return False
    value = found.up() if isinstance(found.parent, ast.Await) else found
    parent = value.parent
    if isinstance(parent, ast.withitem):
        return False
    if isinstance(parent, ast.For | ast.AsyncFor | ast.comprehension) and parent.iter is value.node:
        return not isinstance(parent, ast.AsyncFor)
    if isinstance(parent, ast.Call) and (parent.func is value.node or _last_name(parent.func) in _GATHERING):
        return False
    return not isinstance(parent, ast.Starred)


def _wanted(target: Target, found: Found, *, is_awaited: bool) -> Wanted | None:
    subject = target.diagnostic.subject
    if target.diagnostic.chain:
        cannot = target.diagnostic.gives_object or target.diagnostic.changes_body
        cannot = cannot or is_of_handle(target, call_root(found.node))
        return None if cannot else _of_own_function(target.source, found)
    if subject in STORABLE:
        return Wanted(found, is_storable=True)
    if subject in PARTS and not is_awaited:
        return _part(found, subject)
    larger = found
    if not is_awaited and isinstance(found.parent, ast.Call) and _last_name(found.parent.func) in TO_STORABLE:
        larger = found.up()
    value = found.up() if is_awaited else found
    is_object = isinstance(value.parent, ast.Attribute) and not subject.startswith(_MODELS)
    is_object = is_object or target.diagnostic.gives_object or is_handle(subject)
    if larger is found and (is_object or is_of_handle(target, call_root(found.node))):
        return None
    return Wanted(larger, is_storable=False)


def _of_own_function(source: Source, found: Found) -> Wanted | None:
    """Return a call of the project's own function, unless it makes an object or changes what it is given."""
    call = found.node
    assert isinstance(call, ast.Call)  # noqa: S101 - what was looked for
    name = _last_name(call.func)
    if name[:1].isupper() or name in HANDLES or isinstance(found.parent, ast.For | ast.comprehension):
        return None
    known = functions_named(source.tree, name)
    if any(_cannot_be_task(function, found) for function in known) or changes_arguments(source.tree, known):
        return None
    return Wanted(found, is_storable=False)


def _cannot_be_task(function: Function, found: Found) -> bool:
    """Tell whether a function gives a generator, or a coroutine that is not awaited at once."""
    if isinstance(function, ast.AsyncFunctionDef) and not isinstance(found.parent, ast.Await):
        return True
    return any(isinstance(node, ast.Yield | ast.YieldFrom) for node in ast.walk(function))


def _part(found: Found, subject: str) -> Wanted | None:
    """Return the storable part of a result that is asked for; where nobody wants the result, one is added."""
    parts = PARTS[subject]
    attribute = found.parent
    if isinstance(attribute, ast.Expr):
        name, kind = next(iter(parts.items()))
        return Wanted(found, is_storable=True, suffix=f".{name}()" if kind == "call" else f".{name}")
    if not isinstance(attribute, ast.Attribute) or not isinstance(attribute.ctx, ast.Load):
        return None
    steps = 1
    match parts.get(attribute.attr), found.above[-2:], found.above[-3:]:
        case "value", _, _:
            steps = 1
        case "call", [ast.Call(func=callee), _], _ if callee is attribute:
            steps = 2
        case "item", [ast.Subscript(value=owner, ctx=ast.Load()), _], _ if owner is attribute:
            steps = 2
        case "item", _, [ast.Call(func=callee), ast.Attribute(attr="get"), _] if callee is found.above[-2]:
            steps = 3
        case _:
            return None
    return Wanted(found.up(steps), is_storable=True)


def _is_named(call: ast.Call, target: Target) -> bool:
    """Tell whether a call is one of the subject by its own name, not of something that stands for it."""
    last = target.diagnostic.subject.rpartition(".")[2]
    if _last_name(call.func) == last:
        return not isinstance(call.func, ast.Call)
    return isinstance(call.func, ast.Name) and any(
        alias.asname == call.func.id and alias.name == last
        for node in ast.walk(target.source.tree)
        if isinstance(node, ast.ImportFrom)
        for alias in node.names
    )


def _outer_calls(wanted: Found, found: Found) -> tuple[ast.AST, ...]:
    """Return the calls of which the wanted expression consists beside the effect: ``.json()``."""
    return (wanted.node, *(node for node in found.above if node in wanted.above or isinstance(node, ast.Call)))


def _is_larger(wanted: Wanted, found: Found) -> bool:
    return wanted.found.node is not found.node or bool(wanted.suffix)


def _asks_for_steps(target: Target, found: Found) -> bool:
    """Tell whether there are tasks or waits in an expression; where that is not known, there may be."""
    if target.steps is None:
        return True
    place = target.source.place(found.node)  # type: ignore[arg-type]
    start, end = (place.row, place.column), (place.end_row, place.end_column)
    return any(start <= (step.row, step.column) < end for step in target.steps)


def taken_names(source: Source, found: Found) -> frozenset[str]:
    """Return the names that the file binds where a node stands, but for imports of what they commonly are."""
    imported = {
        alias.name
        for statement in source.tree.body
        if isinstance(statement, ast.ImportFrom)
        for alias in statement.names
        if alias.asname is None and _IMPORTED.get(alias.name) == statement.module
    }
    level = source.bound
    once = {name for name in imported if level[name] == 1}
    return (frozenset(level) - once) | bound_within(found.outermost)


def _last_name(callee: ast.expr) -> str:
    match callee:
        case ast.Name(id=name) | ast.Attribute(attr=name):
            return name
        case _:
            return ""


def _lambda(source: Source, wanted: Wanted, task: str) -> str:
    return f"{task}.run(lambda: {source.code(wanted.found.node)}{wanted.suffix})"  # type: ignore[arg-type]


def _eager(source: Source, call: ast.Call, task: str) -> str:
    """Give the function and its arguments to ``task.run``: they are evaluated in the body, as they were."""
    function = source.place(call.func)
    place = source.place(call)
    rest = source.slice(source.between((function.end_row, function.end_column), (place.end_row, place.end_column)))
    inside = rest[rest.index("(") + 1 :]
    separator = ", " if call.args or call.keywords else ""
    return f"{task}.run({source.code(call.func)}{separator}{inside}"
