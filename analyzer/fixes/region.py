"""The statements around an effect that can become a function: which they are, what goes in and what comes out."""

from __future__ import annotations

import ast
from dataclasses import dataclass
from typing import TYPE_CHECKING, Final

from analyzer.fixes.bindings import bound_by
from analyzer.fixes.changes import changed_root, changes_arguments, functions_named, root_name
from analyzer.fixes.dataflow import (
    imported_name,
    imports_before,
    is_bound_first,
    names_around,
    names_read,
    names_stored,
    own_nodes,
    read_after,
    surely_bound,
)
from analyzer.fixes.handles import handles_of
from analyzer.fixes.target import Target, names_in

if TYPE_CHECKING:
    from analyzer.fixes.changes import Function
    from analyzer.fixes.source import Found, Source

_FRAME_NAMES: Final = frozenset(("super", "locals", "vars", "dir", "eval", "exec", "__class__"))
_LIMIT: Final = 20


@dataclass(frozen=True, slots=True)
class Region:
    """Statements of one block, one after the other, and what goes in and out.

    Attributes:
        function: the function they stand in.
        statements: they.
        inputs: variables of the function that they read.
        outputs: variables that they bind and that are read elsewhere.
        imports: imports of the function that they use, to be made again.
        returns: they end the function: what they return is returned.
        is_async: they await.
    """

    function: Function
    statements: tuple[ast.stmt, ...]
    inputs: tuple[str, ...]
    outputs: tuple[str, ...]
    imports: tuple[ast.Import | ast.ImportFrom, ...]
    returns: bool
    is_async: bool


def region_of(target: Target) -> Region | None:
    """Return the smallest region around a diagnostic after which nothing needs what was opened in it."""
    covering = target.source.covering(target.diagnostic.location)
    if covering.function is None or isinstance(covering.function, ast.Lambda):
        return None
    function = covering.function
    statement = covering.statement
    if not any(node is function for node in statement.above):
        return None
    objects = target.objects(function)
    given: frozenset[str] = frozenset()
    for _ in range(_LIMIT):
        statements = _around(statement, function, handles_of(target, function, given))
        region = None if statements is None else _checked(target, function, statements)
        if region is None or not objects.intersection(region.outputs):
            return region
        given |= objects.intersection(region.outputs)  # what is made of it belongs to the block as well
    return None


def _around(statement: Found, function: Function, handles: frozenset[str]) -> tuple[ast.stmt, ...] | None:
    """Return the statements of a block, around one of them, after which nothing needs the handles in them."""
    for _ in range(_LIMIT):
        block = _block_of(statement)
        if block is None:
            return None
        inner = _grown(block, statement.node, function, handles)
        if isinstance(inner, tuple):
            return inner
        statement = statement.up() if isinstance(statement.parent, ast.stmt) else statement.up(2)
        if statement.node is function or not isinstance(statement.node, ast.stmt):
            return None
    return None


def _block_of(statement: Found) -> list[ast.stmt] | None:
    for name in ("body", "orelse", "finalbody"):
        block = getattr(statement.parent, name, None)
        if isinstance(block, list) and any(each is statement.node for each in block):
            return block
    return None


def _grown(
    block: list[ast.stmt], statement: ast.AST, function: Function, handles: frozenset[str]
) -> tuple[ast.stmt, ...] | None:
    """Return the statements of a block that belong together with one; None when those around the block do, too."""
    first = last = next(index for index, each in enumerate(block) if each is statement)
    while True:
        inside = tuple(block[first : last + 1])
        mine = {name for each in inside for name in names_in(each)} & handles
        using = [index for index, each in enumerate(block) if names_in(each) & mine]
        start, end = min([first, *using]), max([last, *using])
        start = min(start, _filled_from(block, start, end))
        if (start, end) == (first, last):
            break
        first, last = start, end
    rows = (block[first].lineno, block[last].end_lineno or block[last].lineno)
    for node in ast.walk(function):
        outside = isinstance(node, ast.Name) and not rows[0] <= node.lineno <= rows[1]
        if outside and node.id in mine:  # type: ignore[attr-defined]
            return None
    return inside


def _filled_from(block: list[ast.stmt], first: int, last: int) -> int:
    """Return where the collections begin that statements fill: those made empty just before belong to them."""
    changed = {changed_root(node) for statement in block[first : last + 1] for node in ast.walk(statement)}
    result = first
    for index in range(first - 1, -1, -1):
        match block[index]:
            case (
                ast.Assign(targets=[ast.Name(id=name)], value=value)
                | ast.AnnAssign(target=ast.Name(id=name), value=ast.expr() as value)
            ) if name in changed and isinstance(value, ast.List | ast.Dict | ast.Set | ast.Call):
                result = index
                changed.discard(name)
            case _:
                continue
    return result


# --- what goes in and out ---------------------------------------------------------------------------------------------


def _checked(target: Target, function: Function, statements: tuple[ast.stmt, ...]) -> Region | None:
    source = target.source
    nodes = [node for statement in statements for node in own_nodes(statement)]
    returns = any(isinstance(node, ast.Return) for node in nodes)
    if not _may_be_lifted(source, statements, nodes) or _asks_for_steps(target, statements):
        return None
    if returns and (not _always_returns(statements[-1]) or _returns_object(target, function, nodes)):
        return None
    reads = names_read(source, statements)
    first = {name: index for index, name in enumerate(names_stored(statements))}
    bound = sorted(set(bound_by(statements)), key=lambda name: first.get(name, len(first)))
    before, elsewhere = names_around(function, statements)
    if reads is None or any(isinstance(node, ast.ClassDef) for node in nodes):
        return None
    sure = surely_bound(statements)
    outputs = [name for name in bound if name in elsewhere and read_after(name, function, statements)]
    outputs = [] if returns else outputs
    imports = tuple(each for each in imports_before(function, statements) if imported_name(each) in reads)
    imported = {imported_name(each) for each in imports}
    inputs = [name for name in reads if name in before - imported and not is_bound_first(name, statements)]
    inputs += [name for name in outputs if name not in sure and name not in inputs]
    if any(name not in before for name in inputs):
        return None
    if any(changed_root(node) in inputs or _may_change(target, node, inputs) for node in nodes):
        return None  # the change would be lost on replay
    is_async = any(isinstance(node, ast.Await | ast.AsyncWith | ast.AsyncFor) for node in nodes)
    return Region(function, statements, tuple(inputs), tuple(outputs), imports, returns, is_async)


def _may_change(target: Target, node: ast.AST, inputs: list[str]) -> bool:
    """Tell whether a node calls, with one of the inputs, what changes what it is given, by its text or by the check."""
    if not isinstance(node, ast.Call) or not _given(node).intersection(inputs):
        return False
    tree, place = target.source.tree, target.source.place(node)
    name = getattr(node.func, "id", getattr(node.func, "attr", ""))
    is_found = any(each.changes_body and each.location == place for each in target.others)
    return is_found or changes_arguments(tree, functions_named(tree, name))


def _given(call: ast.Call) -> set[str]:
    """Return the variables that a call gets: those in its arguments, and the one whose method it is of."""
    given = {root_name(call.func)} if isinstance(call.func, ast.Attribute) else set()
    for argument in [*call.args, *(keyword.value for keyword in call.keywords)]:
        given |= names_in(argument)
    return given


def _returns_object(target: Target, function: Function, nodes: list[ast.AST]) -> bool:
    """Tell whether one of the nodes returns what is not known to be storable."""
    objects = target.objects(function)
    for node in nodes:
        if isinstance(node, ast.Return) and node.value is not None:
            value = node.value.value if isinstance(node.value, ast.Await) else node.value
            place = target.source.place(value)
            if any(each.gives_object and each.location == place for each in target.others):
                return True
            if isinstance(value, ast.Name) and value.id in objects:
                return True
    return False


def _may_be_lifted(source: Source, statements: tuple[ast.stmt, ...], nodes: list[ast.AST]) -> bool:
    first, last = source.place(statements[0]), source.place(statements[-1])
    head = source.lines[first.row - 1][: first.column - 1]
    tail = source.lines[last.end_row - 1][last.end_column - 1 :].strip()
    if head.strip() or (tail and not tail.startswith("#")):
        return False
    if any("trigger:" in line for line in source.lines[first.row - 1 : last.end_row]):
        return False  # a suppression would silence nothing in a task
    for node in nodes:
        if isinstance(node, ast.Yield | ast.YieldFrom | ast.Global | ast.Nonlocal | ast.Import | ast.ImportFrom):
            return False
        if isinstance(node, ast.Name) and (node.id in _FRAME_NAMES or node.id.startswith("__")):
            return False
        if isinstance(node, ast.Attribute) and node.attr.startswith("__") and not node.attr.endswith("__"):
            return False
    return not any(_jumps_out(statement) for statement in statements)


def _jumps_out(statement: ast.AST) -> bool:
    """Tell whether a ``break`` or ``continue`` in a statement is about a loop around it."""
    if isinstance(statement, ast.Break | ast.Continue):
        return True
    if isinstance(statement, ast.For | ast.AsyncFor | ast.While):
        return any(_jumps_out(each) for each in statement.orelse)
    if isinstance(statement, ast.FunctionDef | ast.AsyncFunctionDef | ast.ClassDef | ast.expr):
        return False
    return any(_jumps_out(each) for each in ast.iter_child_nodes(statement))


def _asks_for_steps(target: Target, statements: tuple[ast.stmt, ...]) -> bool:
    """Tell whether there are tasks or waits among the statements; where that is not known, there may be."""
    if target.steps is None:
        return True
    first, last = statements[0].lineno, statements[-1].end_lineno or statements[-1].lineno
    return any(first <= step.row <= last for step in target.steps)


def _always_returns(statement: ast.stmt) -> bool:
    match statement:
        case ast.Return() | ast.Raise():
            return True
        case ast.With(body=[*_, last]) | ast.AsyncWith(body=[*_, last]):
            return _always_returns(last)
        case ast.If(body=[*_, last], orelse=[*_, other]):
            return _always_returns(last) and _always_returns(other)
        case _:
            return False
