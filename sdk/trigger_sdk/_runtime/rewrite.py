"""Instruments the syntax tree of a project module, so that recorded functions are recognised when it runs.

Three things are inserted, and nothing else changes; lines and columns of all instructions stay:

- ``f(x)`` becomes ``pick(f)(x)`` where ``f`` could be a recorded function: by its name (``dt.now()``, ``uuid4()``), or
  because the text does not tell what it is (a parameter, a variable, ``handlers[k]()``, an attribute that the module
  fills).
- An expression that names a recorded function and is passed on becomes ``wrap(f)``: an argument, an assigned value, a
  default, an element. Whoever calls it in a body, be it a library, is recorded then.
- ``x is time.time`` compares ``unwrap(x)``; ``from time import time as clock`` is followed by ``clock = wrap(clock)``.

Calls of methods by other names, of builtins and of what the module defines or imports are left alone: they cost what
they did. The price: a recorded function that reaches an object through code that is not the project's
(``library.clock()`` where a library holds ``time.time``, ``operator.attrgetter("now")``) is recorded only if the call
goes by a recorded name, a variable, or an attribute that the calling module fills itself. Classes (``random.Random``)
are recognised where they are called, not where they are passed on.

The walk keeps its own stack: deeply nested expressions must not exhaust Python's.
"""

from __future__ import annotations

import ast
import sys
from typing import TYPE_CHECKING, Any, Final

from trigger_sdk._runtime.bindings import Bindings, bindings_of
from trigger_sdk.protocol.recorded import TERMINAL_NAMES

if TYPE_CHECKING:
    from collections.abc import Iterator

PICK: Final = "__trigger_pick__"
WRAP: Final = "__trigger_wrap__"
UNWRAP: Final = "__trigger_unwrap__"
"""Names of the inserted functions: builtins once a project is instrumented, and class bodies do not mangle them."""

_FACTORY_KEYWORDS: Final = frozenset(("default_factory", "factory"))
"""Keywords that are wrapped even inside annotations: ``Annotated[UUID, Field(default_factory=uuid4)]``."""

_NEVER_RECORDED: Final = (ast.Lambda, ast.Constant, ast.JoinedStr, ast.Tuple, ast.List, ast.Dict, ast.Set)
"""Callees that the compiler warns of, or that are plainly no recorded function."""

_PASSED_ON: Final[dict[type[ast.AST], tuple[str, ...]]] = {
    ast.Call: ("args",),
    ast.keyword: ("value",),
    ast.Assign: ("value",),
    ast.AnnAssign: ("value",),
    ast.NamedExpr: ("value",),
    ast.Return: ("value",),
    ast.Yield: ("value",),
    ast.Lambda: ("body",),
    ast.Tuple: ("elts",),
    ast.List: ("elts",),
    ast.Set: ("elts",),
    ast.Dict: ("values",),
    ast.IfExp: ("body", "orelse"),
    ast.BoolOp: ("values",),
    ast.arguments: ("defaults", "kw_defaults"),
    ast.ListComp: ("elt",),
    ast.SetComp: ("elt",),
    ast.GeneratorExp: ("elt",),
    ast.DictComp: ("value",),
}
"""Where a value goes on to somebody else: node type to its fields."""

_ANNOTATIONS: Final[dict[type[ast.AST], tuple[str, ...]]] = {
    ast.arg: ("annotation",),
    ast.AnnAssign: ("annotation",),
    ast.FunctionDef: ("returns",),
    ast.AsyncFunctionDef: ("returns",),
}

_SKIPPED: Final[frozenset[str]] = frozenset(("type_params", "pattern"))
"""Fields whose expressions are not evaluated as calls are: type parameters and match patterns."""

_MAX_METHOD_ARGUMENTS: Final = 30
"""Beyond that many arguments the compiler makes no method call of a call, see :func:`_is_method_call`."""


def instrument(tree: ast.Module) -> ast.Module:
    """Insert the calls into ``tree``, in place, and return it."""
    names = bindings_of(tree)
    pending: list[tuple[ast.AST, bool]] = [(tree, False)]
    while pending:
        node, in_annotation = pending.pop()
        # Children are taken before the node is changed: what is inserted is not looked at again.
        pending.extend(_children(node, in_annotation=in_annotation))
        if in_annotation:
            if isinstance(node, ast.keyword) and node.arg in _FACTORY_KEYWORDS:
                _wrap_passed_on(node, names)
            continue
        _wrap_passed_on(node, names)
        if isinstance(node, ast.Call):
            _instrument_call(node, names)
        elif isinstance(node, ast.Compare):
            _unwrap_identity(node, names)
        for block in _blocks(node):
            _wrap_imports(block)
    return tree


def _children(node: ast.AST, *, in_annotation: bool) -> Iterator[tuple[ast.AST, bool]]:
    annotations = _ANNOTATIONS.get(type(node), ())
    for name, value in ast.iter_fields(node):
        if name in _SKIPPED or type(node).__name__ == "TypeAlias":
            continue
        for child in value if isinstance(value, list) else (value,):
            if isinstance(child, ast.AST):
                yield child, in_annotation or name in annotations


def _wrap_passed_on(node: ast.AST, names: Bindings) -> None:
    for name in _PASSED_ON.get(type(node), ()):
        value = getattr(node, name)
        if isinstance(value, list):
            value[:] = [_wrapped(child, names) for child in value]
        elif value is not None:
            setattr(node, name, _wrapped(value, names))


def _wrapped(value: Any, names: Bindings) -> Any:
    """Return ``wrap(value)`` if it names a recorded function that is read, else ``value``."""
    if not isinstance(value, ast.expr) or isinstance(getattr(value, "ctx", None), ast.Store | ast.Del):
        return value
    return _asked(WRAP, value) if names.is_reference(value) else value


def _instrument_call(node: ast.Call, names: Bindings) -> None:
    callee = node.func
    if isinstance(callee, ast.Name):
        asks = names.may_hold_recorded(callee.id)
    elif isinstance(callee, ast.Attribute):
        asks = callee.attr in TERMINAL_NAMES or callee.attr in names.fields
    else:
        asks = not isinstance(callee, _NEVER_RECORDED)
    if not asks:
        return
    if isinstance(callee, ast.Attribute) and _is_method_call(node, callee):
        _place_at_attribute(node, callee)
    node.func = _beginning_first(_asked(PICK, callee))


def _is_method_call(node: ast.Call, callee: ast.Attribute) -> bool:
    """Tell whether the compiler would make this a method call, whose instructions stand at the method's name."""
    arguments = len(node.args) + len(node.keywords) + bool(node.keywords)
    return (
        node.lineno != callee.end_lineno
        and arguments < _MAX_METHOD_ARGUMENTS
        and not any(isinstance(argument, ast.Starred) for argument in node.args)
        and all(argument.arg is not None for argument in node.keywords)
    )


def _place_at_attribute(node: ast.Call, callee: ast.Attribute) -> None:
    """Let a call begin at its method's name, where the compiler places it when a chain goes over several lines."""
    end_line, end_column = callee.end_lineno, callee.end_col_offset
    if end_line is not None and end_column is not None:
        node.lineno, node.col_offset = end_line, max(0, end_column - len(callee.attr))


def _unwrap_identity(node: ast.Compare, names: Bindings) -> None:
    """Let ``x is time.time`` compare the functions themselves."""
    operands = [node.left, *node.comparators]
    references = [names.is_reference(operand) and not isinstance(operand, ast.Call) for operand in operands]
    if not any(references) or not any(isinstance(operator, ast.Is | ast.IsNot) for operator in node.ops):
        return
    node.left, *node.comparators = [
        operand if reference or isinstance(operand, _NEVER_RECORDED) else _asked(UNWRAP, operand)
        for operand, reference in zip(operands, references, strict=True)
    ]


def _blocks(node: ast.AST) -> Iterator[list[ast.stmt]]:
    for name in ("body", "orelse", "finalbody"):
        block = getattr(node, name, None)
        if isinstance(block, list):
            yield block


def _wrap_imports(block: list[ast.stmt]) -> None:
    """After ``from time import time as clock`` insert ``clock = wrap(clock)``: its new name tells nothing elsewhere."""
    for index in range(len(block) - 1, -1, -1):
        statement = block[index]
        if isinstance(statement, ast.ImportFrom):
            block[index + 1 : index + 1] = [
                _rebinding(alias.asname, statement)
                for alias in statement.names
                if alias.asname is not None and alias.asname != alias.name and alias.name in TERMINAL_NAMES
            ]


def _rebinding(name: str, statement: ast.ImportFrom) -> ast.Assign:
    value = ast.Call(func=ast.Name(id=WRAP, ctx=ast.Load()), args=[ast.Name(id=name, ctx=ast.Load())], keywords=[])
    assignment = ast.Assign(targets=[ast.Name(id=name, ctx=ast.Store())], value=value)
    for node in ast.walk(assignment):
        ast.copy_location(node, statement)
    return assignment


def _asked(function: str, value: ast.expr) -> ast.Call:
    """Return ``function(value)``, placed so that no instruction gets a line that ``value`` does not have there."""
    name = ast.copy_location(ast.Name(id=function, ctx=ast.Load()), _first_evaluated(value))
    call = ast.copy_location(ast.Call(func=name, args=[value], keywords=[]), value)
    if isinstance(value, ast.Attribute):
        _place_at_attribute(call, value)
    return call


def _beginning_first(call: ast.Call) -> ast.expr:
    """Return a callee that the compiler begins at the line where its first part stands.

    Up to Python 3.12 a call begins with an instruction at its callee's own line. For a method at the end of a chain
    over several lines that would be the last of them, before the first. The conditional leaves no instruction behind.
    """
    first = _first_evaluated(call.args[0])
    if sys.version_info >= (3, 13) or first.lineno == call.lineno:
        return call
    always = ast.IfExp(test=ast.Constant(value=True), body=call, orelse=ast.Constant(value=None))
    for node in (always, always.test, always.orelse):
        ast.copy_location(node, first)
    return always


def _first_evaluated(value: ast.expr) -> ast.expr:
    """Return the part of an expression whose instructions come first."""
    while True:
        match value:
            case (
                ast.Attribute(value=inner) | ast.Subscript(value=inner) | ast.Call(func=inner) | ast.Await(value=inner)
            ):
                value = inner
            case ast.BinOp(left=inner) | ast.Compare(left=inner) | ast.IfExp(test=inner) | ast.NamedExpr(value=inner):
                value = inner
            case ast.BoolOp(values=[inner, *_]):
                value = inner
            case _:
                return value
