"""The calls that a function makes on its straight path: whenever it runs to its end without taking a turn.

A library's function may read a file on one of its branches and be used by everybody as a pure one. So only what stands
outside of branches counts: not the arms of an ``if`` or ``match`` (unless every arm has it), not ``except`` clauses,
not the later operands of ``and`` and ``or``, not nested functions.
"""

from __future__ import annotations

import ast
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Iterator


def straight_statements(body: list[ast.stmt]) -> Iterator[ast.stmt]:
    """Yield the statements of ``body`` that always run, those inside of ``with``, ``try`` and loops too, in order."""
    for statement in body:
        yield statement
        match statement:
            case ast.With() | ast.AsyncWith() | ast.For() | ast.AsyncFor() | ast.While():
                yield from straight_statements(statement.body)
            case ast.Try() | ast.TryStar():
                yield from straight_statements([*statement.body, *statement.orelse, *statement.finalbody])
        if isinstance(statement, (ast.Return, ast.Raise)):
            return


def straight_calls(statement: ast.stmt) -> Iterator[ast.Call]:
    """Yield the calls that a statement itself always makes, without those of the statements inside it."""
    for expression in _own_expressions(statement):
        yield from _calls(expression)


def _own_expressions(statement: ast.stmt) -> Iterator[ast.expr]:
    match statement:
        case ast.If() | ast.While():
            yield statement.test
        case ast.For() | ast.AsyncFor():
            yield statement.iter
        case ast.With() | ast.AsyncWith():
            yield from (item.context_expr for item in statement.items)
        case ast.Match():
            yield statement.subject
        case ast.FunctionDef() | ast.AsyncFunctionDef() | ast.ClassDef() | ast.Try() | ast.TryStar():
            return
        case _:
            yield from (child for child in ast.iter_child_nodes(statement) if isinstance(child, ast.expr))


def _calls(expression: ast.expr) -> Iterator[ast.Call]:
    match expression:
        case ast.Lambda() | ast.GeneratorExp():
            return
        case ast.IfExp():
            yield from _calls(expression.test)
        case ast.BoolOp():
            yield from _calls(expression.values[0])
        case ast.ListComp() | ast.SetComp() | ast.DictComp():
            yield from _calls(expression.generators[0].iter)
        case _:
            for child in ast.iter_child_nodes(expression):
                if isinstance(child, ast.keyword):
                    yield from _calls(child.value)
                elif isinstance(child, ast.expr):
                    yield from _calls(child)
            if isinstance(expression, ast.Call):
                yield expression
