"""Expressions that may be evaluated later, in a task, instead of now in the body: nobody would notice."""

from __future__ import annotations

import ast
from typing import Final

_BUILTINS: Final = frozenset(
    (
        *("str", "int", "float", "bool", "len", "repr", "tuple", "list", "dict", "set", "frozenset", "bytes", "sorted"),
        *("sum", "min", "max", "abs", "round", "range", "isinstance", "ord", "chr", "format", "Path", "PurePath"),
        "timedelta",
    )
)
_MODULES: Final = frozenset(("os.path", "posixpath", "json", "urllib.parse", "shlex", "pathlib", "math", "html"))
_PURE_OF_MODULES: Final = frozenset(
    (
        *("join", "dirname", "basename", "splitext", "split", "normpath", "dumps", "loads", "quote", "quote_plus"),
        *("urlencode", "urljoin", "escape", "unescape", "Path", "PurePath", "floor", "ceil"),
    )
)
_METHODS: Final = frozenset(
    (
        *("format", "strip", "lstrip", "rstrip", "lower", "upper", "title", "encode", "decode", "isoformat", "join"),
        *("get", "keys", "values", "items", "split", "rsplit", "splitlines", "replace", "with_suffix", "with_name"),
        *("joinpath", "removeprefix", "removesuffix", "startswith", "endswith", "zfill", "as_posix", "strftime"),
        *("copy", "model_dump", "model_dump_json", "total_seconds", "timestamp", "hex", "relative_to"),
    )
)
_PLAIN: Final = (
    ast.Constant,
    ast.Name,
    ast.Attribute,
    ast.Subscript,
    ast.Slice,
    ast.BinOp,
    ast.UnaryOp,
    ast.BoolOp,
    ast.Compare,
    ast.IfExp,
    ast.JoinedStr,
    ast.FormattedValue,
    ast.List,
    ast.Tuple,
    ast.Dict,
    ast.Set,
    ast.Starred,
    ast.keyword,
    ast.expr_context,
    ast.operator,
    ast.unaryop,
    ast.boolop,
    ast.cmpop,
)
_REFUSED: Final = (ast.Await, ast.Yield, ast.YieldFrom, ast.NamedExpr)
_FRAME_NAMES: Final = frozenset(("super", "locals", "vars", "dir", "eval", "exec", "__class__"))
"""What means something else inside another function."""


def may_move(node: ast.AST) -> bool:
    """Tell whether an expression is allowed inside a lambda, and means the same there."""
    return not any(
        isinstance(each, _REFUSED)
        or (isinstance(each, ast.Name) and each.id in _FRAME_NAMES)
        or (isinstance(each, ast.comprehension) and each.is_async)
        for each in ast.walk(node)
    )


def is_inert(node: ast.AST, taken: frozenset[str], *, but: tuple[ast.AST, ...] = ()) -> bool:
    """Tell whether evaluating an expression has no effect at all, on the body's variables either.

    Args:
        node: the expression.
        taken: names that the file defines itself: calls by them are not known.
        but: calls in it that are left out of the question.
    """
    pending = [node]
    while pending:
        each = pending.pop()
        if isinstance(each, ast.Call):
            if not any(each is known for known in but) and not _is_pure(each.func, taken):
                return False
        elif not isinstance(each, _PLAIN):
            return False
        pending += ast.iter_child_nodes(each)
    return True


def _is_pure(callee: ast.expr, taken: frozenset[str]) -> bool:
    match callee:
        case ast.Name(id=name):
            return name in _BUILTINS and name not in taken
        case ast.Attribute(value=owner, attr=name):
            return name in _METHODS or (name in _PURE_OF_MODULES and ast.unparse(owner) in _MODULES)
        case _:
            return False
