"""A set is sorted before its order gets out."""

from __future__ import annotations

import ast
from typing import TYPE_CHECKING, Final

from analyzer.fixes.bindings import bound_within
from analyzer.fixes.source import Found
from analyzer.fixes.target import Target, fix

if TYPE_CHECKING:
    from collections.abc import Iterator

    from analyzer.model import Fix, Location

_LISTING: Final = frozenset(("list", "tuple"))


def sort_set(target: Target) -> Fix | None:
    """Put ``sorted`` around the set of a loop or comprehension, ``list``, ``enumerate``, ``next(iter())`` or ``join``.

    Safe where the elements are known to be comparable: literal texts, and what ``join`` takes.
    """
    wanted = _iterable(target)
    if wanted is None:
        return None
    node, is_comparable, replaced = wanted
    source = target.source
    found = next((each for each in source.find(source.place(node)) if each.node is node), None)
    if found is None or "sorted" in source.bound or "sorted" in bound_within(found.outermost):
        return None
    inner = source.code(node)
    place = source.place(replaced)
    comparable = is_comparable or _is_of_literals(node)
    edit = source.replace(place, f"sorted({inner})")
    return fix("safe" if comparable else "unsafe", "Sort the set", edit)


def _iterable(target: Target) -> tuple[ast.expr, bool, ast.expr] | None:
    """Return the set's expression, whether its elements are surely comparable, and what is replaced."""
    found = target.find(ast.Call)
    if found is not None:
        return _argument(found)
    found = target.find(ast.ListComp, ast.DictComp)
    if found is not None:
        return _only_generator(found.node)
    for loop in _loops(target):
        if isinstance(loop, ast.For):
            return loop.iter, False, loop.iter
    return None


def _only_generator(node: ast.AST) -> tuple[ast.expr, bool, ast.expr] | None:
    """Return what a comprehension iterates over; None when it is several things, or iterated asynchronously."""
    match node:
        case ast.ListComp(generators=[ast.comprehension(iter=source, is_async=0)]):
            return source, False, source
        case ast.DictComp(generators=[ast.comprehension(iter=source, is_async=0)]):
            return source, False, source
        case _:
            return None


def _argument(found: Found) -> tuple[ast.expr, bool, ast.expr] | None:
    match found.node:
        case ast.Call(func=ast.Name(id=name), args=[argument], keywords=[]) if name in _LISTING:
            is_list = name == "list"
            return argument, False, (found.node if is_list else argument)
        case ast.Call(func=ast.Name(id="enumerate"), args=[argument, *_]):
            return argument, False, argument
        case ast.Call(func=ast.Name(id="next"), args=[ast.Call(func=ast.Name(id="iter"), args=[argument]), *_]):
            return argument, False, argument
        case ast.Call(func=ast.Attribute(value=ast.Constant(value=str()), attr="join"), args=[argument]):
            return argument, True, argument
        case _:
            return None


def _loops(target: Target) -> Iterator[ast.AST]:
    """Yield the loops whose head is the diagnostic's place."""
    here = target.diagnostic.location
    for node in ast.walk(target.source.tree):
        if isinstance(node, ast.For) and node.lineno == here.row:
            start, end = target.source.place(node), target.source.place(node.iter)
            if _head(start, end) == (here.column, here.end_row, here.end_column):
                yield node


def _head(start: Location, end: Location) -> tuple[int, int, int]:
    return start.column, end.end_row, end.end_column


def _is_of_literals(node: ast.expr) -> bool:
    """Tell whether a set is written out with literals of one type that can be compared."""
    if not isinstance(node, ast.Set):
        return False
    types = {type(each.value) for each in node.elts if isinstance(each, ast.Constant)}
    return all(isinstance(each, ast.Constant) for each in node.elts) and types in ({str}, {int}, {float}, {bytes})
