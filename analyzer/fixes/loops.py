"""Whether a loop may go over a set: a step in it would then be asked for in another order on replay."""

from __future__ import annotations

import ast
from typing import TYPE_CHECKING, Final

if TYPE_CHECKING:
    from collections.abc import Iterator

    from analyzer.fixes.source import Found, Source

_SET_WORDS: Final = frozenset(("set", "frozenset", "Set", "FrozenSet", "AbstractSet", "MutableSet"))
_ORDERED: Final = frozenset(
    ("range", "sorted", "list", "tuple", "dict", "items", "keys", "values", "split", "splitlines")
)
_PASSING: Final = frozenset(("enumerate", "zip", "reversed", "list", "tuple", "iter"))


def may_be_unordered(source: Source, found: Found) -> bool:
    """Tell whether a place stands in a loop over what may be a set, as far as the file tells."""
    below: ast.AST = found.node
    for node in reversed(found.above):
        if isinstance(node, ast.FunctionDef | ast.AsyncFunctionDef | ast.Lambda):
            return False
        iterated: list[ast.expr] = []
        if isinstance(node, ast.For) and below is not node.iter:
            iterated = [node.iter]
        elif isinstance(node, ast.ListComp | ast.SetComp | ast.DictComp | ast.GeneratorExp):
            iterated = [clause.iter for clause in node.generators if clause is not below]
        if any(_may_be_set(source, found, each) for each in iterated):
            return True
        below = node
    return False


def _may_be_set(source: Source, found: Found, iterable: ast.expr) -> bool:
    result = True
    match iterable:
        case ast.Constant() | ast.List() | ast.Tuple() | ast.Dict() | ast.ListComp() | ast.JoinedStr():
            result = False
        case ast.Call(func=ast.Name(id=name) | ast.Attribute(attr=name), args=arguments):
            passes = name in _PASSING and any(_may_be_set(source, found, argument) for argument in arguments)
            result = passes or name not in _PASSING | _ORDERED
        case ast.Name(id=name):
            values = [value for value in _values(found, name) if value is not iterable]
            known = [_may_be_set(source, found, value) for value in values if name not in _names(value)]
            result = any(known) if known else not source.words.isdisjoint(_SET_WORDS)
        case ast.Subscript(value=inner):
            result = _may_be_set(source, found, inner)
        case ast.Attribute():
            result = not source.words.isdisjoint(_SET_WORDS)
    return result


def _names(node: ast.expr) -> set[str]:
    return {each.id for each in ast.walk(node) if isinstance(each, ast.Name)}


def _values(found: Found, name: str) -> Iterator[ast.expr]:
    """Yield what a name is bound to in its function."""
    function = found.function
    for node in ast.walk(function) if function is not None else ():
        match node:
            case ast.Assign(targets=[ast.Name(id=known)], value=value) if known == name:
                yield value
            case ast.AnnAssign(target=ast.Name(id=known), value=ast.expr() as value) if known == name:
                yield value
            case ast.For(target=ast.Name(id=known), iter=iterable) if known == name:
                yield iterable
