"""Functions that visibly change what they are given: in a task, the change would be lost on replay."""

from __future__ import annotations

import ast
from typing import TYPE_CHECKING, Final

from analyzer.fixes.bindings import statements_in

if TYPE_CHECKING:
    from collections.abc import Iterator, Sequence

Function = ast.FunctionDef | ast.AsyncFunctionDef

MUTATORS: Final = frozenset(
    (
        *("append", "appendleft", "extend", "insert", "add", "update", "setdefault", "pop", "popitem", "popleft"),
        *("remove", "discard", "clear", "sort", "reverse", "move_to_end", "subtract"),
    )
)
"""Methods by which lists, dicts and sets are changed."""


def functions_named(tree: ast.Module, name: str) -> list[Function]:
    """Return the functions and methods of a module with a name."""
    return [node for node in statements_in(tree) if isinstance(node, Function) and node.name == name]


def changes_arguments(tree: ast.Module, functions: Sequence[Function]) -> bool:
    """Tell whether one of the functions, or what it calls by name in its module, changes what it is given."""
    pending, seen = list(functions), set[str]()
    while pending:
        function = pending.pop()
        if any(_changed(function)):
            return True
        for node in ast.walk(function):
            name = getattr(node, "id", getattr(node, "attr", ""))
            if name and name not in seen:  # a call, or a property
                seen.add(name)
                pending += functions_named(tree, name)
    return False


def _changed(function: Function) -> Iterator[bool]:
    arguments = function.args
    names = {each.arg for each in [*arguments.posonlyargs, *arguments.args, *arguments.kwonlyargs]}
    if function.name == "__init__" and arguments.args:
        names.discard(arguments.args[0].arg)
    for node in ast.walk(function):
        yield changed_root(node) in names


def changed_root(node: ast.AST) -> str:
    """Return the variable of which a node changes something: ``found`` of ``found.items.append(x)``; else empty."""
    match node:
        case (
            ast.Subscript(value=owner, ctx=ast.Store() | ast.Del())
            | ast.Attribute(value=owner, ctx=ast.Store() | ast.Del())
        ):
            return root_name(owner)
        case ast.Call(func=ast.Attribute(value=owner, attr=name)) if name in MUTATORS:
            return root_name(owner)
        case _:
            return ""


def root_name(node: ast.expr) -> str:
    """Return the variable with which an expression begins: ``a`` of ``a.b[0].c()``; else empty."""
    while True:
        match node:
            case ast.Name(id=name):
                return name
            case (
                ast.Attribute(value=inner) | ast.Subscript(value=inner) | ast.Call(func=inner) | ast.Await(value=inner)
            ):
                node = inner
            case _:
                return ""
