"""What statements read, what they bind, and what the function around them does with it."""

from __future__ import annotations

import ast
import symtable
from typing import TYPE_CHECKING

from analyzer.fixes.bindings import bound_by
from analyzer.fixes.target import names_in

if TYPE_CHECKING:
    from collections.abc import Iterator

    from analyzer.fixes.changes import Function
    from analyzer.fixes.source import Source
    from analyzer.model import Location


def names_read(source: Source, statements: tuple[ast.stmt, ...]) -> list[str] | None:
    """Return the names that statements read from outside functions of their own, in the order of the alphabet."""
    place = source.between((statements[0].lineno, 1), _end(source.place(statements[-1])))
    try:
        table = symtable.symtable("async def _():\n" + source.slice(place) + "\n", "", "exec")
    except (SyntaxError, ValueError):
        return None
    names: set[str] = set()
    inner = table.get_children()[0]
    names.update(symbol.get_name() for symbol in inner.get_symbols() if symbol.is_referenced())
    pending = list(inner.get_children())
    while pending:
        each = pending.pop()
        names.update(symbol.get_name() for symbol in each.get_symbols() if symbol.is_global() or symbol.is_free())
        pending += each.get_children()
    return sorted(names | _augmented(statements))


def _augmented(statements: tuple[ast.stmt, ...]) -> set[str]:
    """Return the names that are read only to be written again: ``total += 1``, which no symbol table tells."""
    return {
        node.target.id
        for statement in statements
        for node in own_nodes(statement)
        if isinstance(node, ast.AugAssign) and isinstance(node.target, ast.Name)
    }


def own_nodes(statement: ast.stmt) -> Iterator[ast.AST]:
    """Yield the nodes of a statement, without those of functions defined in it."""
    pending: list[ast.AST] = [statement]
    while pending:
        node = pending.pop()
        yield node
        if not isinstance(node, ast.FunctionDef | ast.AsyncFunctionDef | ast.Lambda):
            pending += ast.iter_child_nodes(node)


def names_around(function: Function, statements: tuple[ast.stmt, ...]) -> tuple[set[str], set[str]]:
    """Return the names that the function binds before the statements, and those it reads elsewhere."""
    first, last = statements[0].lineno, statements[-1].end_lineno or statements[-1].lineno
    before = {each.arg for each in ast.walk(function.args) if isinstance(each, ast.arg)}
    elsewhere: set[str] = set()
    for node in ast.walk(function):
        if isinstance(node, ast.Name) and not first <= node.lineno <= last:
            if isinstance(node.ctx, ast.Load | ast.Del):
                elsewhere.add(node.id)
            elif node.lineno < first:
                before.add(node.id)
    for statement in function.body:
        if statement.lineno < first:
            before.update(bound_by([statement]))
    for node in ast.walk(function):
        is_loop = isinstance(node, ast.For | ast.AsyncFor | ast.While)
        if is_loop and node.lineno < first and last <= (node.end_lineno or 0):  # type: ignore[attr-defined]
            elsewhere |= {each for each in _read_in(statements) if not is_bound_first(each, statements)}
    return before, elsewhere


def read_after(name: str, function: Function, statements: tuple[ast.stmt, ...]) -> bool:
    """Tell whether what statements leave in a variable may be read behind them, as far as is known.

    False only where each way on binds it anew: in ``for each in x``, or by an assignment.
    """
    following = _ways_on(function.body, statements[-1])
    if following is None or _is_captured(name, function):
        return True
    for statement in following:
        if not _is_loop_over(name, statement) and name in names_in(statement):
            return not is_bound_first(name, (statement,))
    return False


def _is_loop_over(name: str, statement: ast.stmt) -> bool:
    """Tell whether a statement is a loop that binds a name each time, and does not read it before or behind that."""
    if not isinstance(statement, ast.For | ast.AsyncFor) or name not in names_in(statement.target):
        return False
    return not any(name in names_in(each) for each in (statement.iter, *statement.orelse))


def _is_captured(name: str, function: Function) -> bool:
    """Tell whether functions in a function name a variable."""
    return any(
        name in names_in(node)
        for node in ast.walk(function)
        if node is not function and isinstance(node, ast.FunctionDef | ast.AsyncFunctionDef | ast.Lambda)
    )


def _ways_on(block: list[ast.stmt], first: ast.stmt) -> list[ast.stmt] | None:
    """Return what follows a statement in its block and those around it; None where there may be other ways.

    In a loop what stands before may follow as well, and in ``try`` a handler.
    """
    for index, statement in enumerate(block):
        behind = block[index + 1 :]
        if statement is first:
            return behind
        if not any(each is first for each in ast.walk(statement)):
            continue
        if isinstance(statement, ast.If | ast.With | ast.AsyncWith):
            for inner in (statement.body, getattr(statement, "orelse", [])):
                found = _ways_on(inner, first)
                if found is not None:
                    return [*found, *behind]
        return None
    return None


def names_stored(statements: tuple[ast.stmt, ...]) -> list[str]:
    """Return the names that are assigned, in the order of the text, the first place last."""
    nodes = [
        node
        for statement in statements
        for node in ast.walk(statement)
        if isinstance(node, ast.Name) and isinstance(node.ctx, ast.Store)
    ]
    ordered = sorted(nodes, key=lambda node: (node.lineno, node.col_offset))
    return list(dict.fromkeys(node.id for node in ordered))


def imports_before(function: Function, statements: tuple[ast.stmt, ...]) -> Iterator[ast.Import | ast.ImportFrom]:
    """Yield an import of its own for each name that a function imports before the statements, and binds but once."""
    bound = list(bound_by(function.body))
    for node in ast.walk(function):
        if isinstance(node, ast.Import | ast.ImportFrom) and node.lineno < statements[0].lineno:
            for alias in node.names:
                known: ast.Import | ast.ImportFrom = ast.Import([alias])
                if isinstance(node, ast.ImportFrom):
                    known = ast.ImportFrom(node.module, [alias], node.level)
                if bound.count(imported_name(known)) == 1:
                    yield known


def imported_name(node: ast.Import | ast.ImportFrom) -> str:
    """Return what an import of one name binds."""
    alias = node.names[0]
    return alias.asname or alias.name.partition(".")[0]


def surely_bound(statements: tuple[ast.stmt, ...]) -> set[str]:
    """Return the names that are bound on every way to the end of the statements."""
    found: set[str] = set()
    for statement in statements:
        if isinstance(statement, ast.With | ast.AsyncWith):
            for item in statement.items:
                found |= names_in(item.optional_vars)
            found |= surely_bound(tuple(statement.body))
        elif isinstance(statement, ast.If):
            found |= surely_bound(tuple(statement.body)) & surely_bound(tuple(statement.orelse))
        elif not isinstance(statement, ast.For | ast.AsyncFor | ast.While | ast.Try | ast.Match):
            found |= set(bound_by([statement]))
    return found


def is_bound_first(name: str, statements: tuple[ast.stmt, ...]) -> bool:
    """Tell whether a name is surely bound among the statements before it is read."""
    in_loops = False
    for statement in statements:
        if _is_loop_over(name, statement):
            in_loops = True
            continue
        reads = name in _read_in((statement,))
        if isinstance(statement, ast.With | ast.AsyncWith):
            for item in statement.items:  # one after the other: `with a() as x, x.b():`
                if name in names_in(item.context_expr) or name in names_in(item.optional_vars):
                    return name not in names_in(item.context_expr)
            if reads or name in surely_bound((statement,)):
                return is_bound_first(name, tuple(statement.body))
            continue
        if reads:
            return False
        if name in surely_bound((statement,)):
            return True
    return in_loops


def _read_in(statements: tuple[ast.stmt, ...]) -> set[str]:
    read = {
        node.id
        for statement in statements
        for node in ast.walk(statement)
        if isinstance(node, ast.Name) and not isinstance(node.ctx, ast.Store)
    }
    return read | _augmented(statements)


def _end(place: Location) -> tuple[int, int]:
    return place.end_row, place.end_column
