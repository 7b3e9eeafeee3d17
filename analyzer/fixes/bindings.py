"""Which names a scope binds: so that a name that a fix brings in neither shadows another nor is shadowed."""

from __future__ import annotations

import ast
from collections import Counter
from functools import lru_cache
from typing import TYPE_CHECKING, Final

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator

STAR: Final = "*"
"""Stands for all that a star import may bind."""

_BLOCKS: Final = ("body", "orelse", "finalbody", "handlers", "cases")
_SCOPES: Final = (ast.FunctionDef, ast.AsyncFunctionDef, ast.ClassDef, ast.Lambda)
_COMPREHENSIONS: Final = (ast.ListComp, ast.SetComp, ast.DictComp, ast.GeneratorExp)


@lru_cache(maxsize=16)
def bound_in_module(tree: ast.Module) -> Counter[str]:
    """Return how often the module's level binds each name, ``global`` declarations in functions included.

    Kept, for it is asked for each finding in a file; not to be changed.
    """
    found: Counter[str] = Counter()
    found.update(bound_by(tree.body))
    for statement in statements_in(tree):
        if isinstance(statement, ast.Global):
            found.update(statement.names)
    return found


def statements_in(node: ast.AST) -> Iterator[ast.stmt]:
    """Yield all statements in a node, those of functions and classes too; expressions are not looked into."""
    pending = [node]
    while pending:
        each = pending.pop()
        for name in _BLOCKS:
            block = getattr(each, name, ())
            for child in block if isinstance(block, list) else ():
                pending.append(child)
                if isinstance(child, ast.stmt):
                    yield child


def bound_by(nodes: Iterable[ast.AST]) -> Iterator[str]:
    """Yield the names that statements bind in the scope they stand in, once for each time."""
    pending: list[tuple[ast.AST, bool]] = [(node, False) for node in nodes]
    while pending:
        node, in_comprehension = pending.pop()
        if isinstance(node, ast.NamedExpr) or not in_comprehension:
            yield from _names(node)
        if isinstance(node, _SCOPES):
            pending += [(child, in_comprehension) for child in _evaluated_outside(node)]
            continue
        inside = in_comprehension or isinstance(node, _COMPREHENSIONS)
        children = [child for child in ast.iter_child_nodes(node) if not isinstance(child, ast.expr_context)]
        pending += [(child, inside) for child in children]
        if isinstance(node, ast.NamedExpr):
            pending.remove((node.target, inside))


@lru_cache(maxsize=64)
def bound_within(node: ast.AST) -> frozenset[str]:
    """Return all names that are bound anywhere in a node, in whatever scope."""
    return frozenset(name for each in ast.walk(node) for name in _names(each))


def _names(node: ast.AST) -> Iterator[str]:
    match node:
        case ast.Name(id=name, ctx=ast.Store() | ast.Del()) | ast.NamedExpr(target=ast.Name(id=name)):
            yield name
        case ast.FunctionDef(name=name) | ast.AsyncFunctionDef(name=name) | ast.ClassDef(name=name):
            yield name
        case ast.arg(arg=name):
            yield name
        case ast.alias(name=name, asname=asname):
            yield asname or name.partition(".")[0]
        case ast.ExceptHandler(name=str(name)) | ast.MatchAs(name=str(name)) | ast.MatchStar(name=str(name)):
            yield name
        case ast.MatchMapping(rest=str(name)):
            yield name
        case _:
            return


def _evaluated_outside(node: ast.AST) -> Iterator[ast.AST]:
    """Yield the parts of a definition that are evaluated in the scope around it."""
    if isinstance(node, ast.FunctionDef | ast.AsyncFunctionDef | ast.ClassDef):
        yield from node.decorator_list
    if isinstance(node, ast.ClassDef):
        yield from node.bases
        yield from (keyword.value for keyword in node.keywords)
    elif isinstance(node, ast.FunctionDef | ast.AsyncFunctionDef | ast.Lambda):
        yield from node.args.defaults
        yield from (default for default in node.args.kw_defaults if default is not None)
