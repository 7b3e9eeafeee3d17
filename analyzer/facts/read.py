"""One file's text to its facts."""

from __future__ import annotations

import ast
import codecs
import io
import re
import sys
import tokenize
import traceback
import warnings
from collections.abc import Iterator
from contextlib import contextmanager
from typing import Final

from analyzer.facts.comments import find_suppressions
from analyzer.facts.expressions import is_text
from analyzer.facts.module import Broken, ModuleFacts, encode_body
from analyzer.facts.spans import Columns
from analyzer.facts.statements import StatementReader

_STACK: Final = 1000
"""Calls of Python that may be nested while a file is read: those that the interpreter allows when it compiles one."""

_LITERAL: Final = (ast.List, ast.Tuple, ast.Set, ast.Constant, ast.BinOp, ast.Add, ast.Load, ast.Starred)
"""What ``__all__`` is written with when all its names are known."""


def decode_source(content: bytes) -> str:
    r"""Return a source file as text, by its byte order mark or coding comment, with line ends as ``\\n``.

    Raises:
        SyntaxError: the encoding is unknown, or the bytes do not fit it.
    """
    if content.startswith(codecs.BOM_UTF8):
        content = content[len(codecs.BOM_UTF8) :]
        encoding = "utf-8"
    elif b"coding" in content[:400]:
        encoding, _ = tokenize.detect_encoding(io.BytesIO(content).readline)
    else:
        encoding = "utf-8"
    try:
        text = content.decode(encoding)
    except (UnicodeDecodeError, LookupError) as error:
        row = content[: getattr(error, "start", 0)].count(b"\n") + 1
        message = f"the file is not {encoding} text"
        raise SyntaxError(message, ("", row, 1, None)) from error
    return normalized(text)


def normalized(text: str) -> str:
    r"""Return a text with line ends as ``\\n`` and without byte order mark."""
    text = text.removeprefix("\ufeff")
    return text.replace("\r\n", "\n").replace("\r", "\n") if "\r" in text else text


def read_facts(source: bytes | str) -> ModuleFacts:
    """Return the facts of a module. A text that is no valid Python has no facts but what is wrong with it."""
    with _same_stack():
        return _read(source)


@contextmanager
def _same_stack() -> Iterator[None]:
    """Have the same stack left wherever facts are read from: they are kept, and must not depend on who asked first."""
    outer = sys.getrecursionlimit()
    sys.setrecursionlimit(sum(1 for _ in traceback.walk_stack(None)) + _STACK)
    try:
        yield
    finally:
        sys.setrecursionlimit(outer)


_LATER_SYNTAX: Final = (
    ((3, 12), re.compile(r"\s*type\s+\w+\s*(\[.*\])?\s*="), "invalid syntax"),
    ((3, 12), re.compile(r"\s*(async\s+)?(def|class)\s+\w+\s*\["), ""),
    ((3, 12), re.compile(r".*\b[rR]?[fF][rR]?(\"|')"), "f-string"),
    ((3, 14), re.compile(r"\s*except\s+\w[\w.]*\s*,"), "multiple exception types"),
    ((3, 14), re.compile(r".*\b[rR]?[tT][rR]?(\"|')"), "invalid syntax"),
)
"""Syntax of later versions of Python: since when, how such a line looks, and how what is said of it begins."""


def _explained(error: SyntaxError) -> str:
    """Return what is wrong, and whether a later Python may take it."""
    said, line = error.msg or "invalid syntax", error.text or ""
    for version, pattern, beginning in _LATER_SYNTAX:
        if sys.version_info < version and said.startswith(beginning) and pattern.match(line):
            since, now = ".".join(map(str, version)), ".".join(map(str, sys.version_info[:2]))
            return f"{said}; if it is syntax of Python {since}, check it with that Python: this is {now}"
    return said


def _read(source: bytes | str) -> ModuleFacts:
    try:
        text = decode_source(source) if isinstance(source, bytes) else normalized(source)
        with warnings.catch_warnings():
            warnings.simplefilter("ignore")  # of escapes in the user's literals: his own tools tell
            tree = ast.parse(text)
    except SyntaxError as error:
        return _broken(_explained(error), error.lineno or 1, error.offset or 1)
    except (ValueError, RecursionError, MemoryError) as error:
        message = str(error) or "the code is nested too deeply to be read"
        return _broken(message, 1, 1)
    reader = StatementReader(Columns(text))
    body = reader.read_block(tree.body)
    first = tree.body[0].lineno if tree.body else 1
    return ModuleFacts(
        body=encode_body(body),
        functions=reader.functions,
        classes=reader.classes,
        imports=reader.imports,
        suppressions=find_suppressions(text, reader.functions, first),
        mentions_sdk="trigger_sdk" in text,
        exports=_exports(tree) if "__all__" in text else None,
        bound=frozenset(reader.scope.bound),
    )


def _broken(message: str, row: int, column: int) -> ModuleFacts:
    return ModuleFacts(body=encode_body([]), functions=[], classes=[], broken=Broken(message, row, max(column, 1)))


def _exports(tree: ast.Module) -> tuple[str, ...] | None:
    """Return the names in ``__all__``; None when there is none, or when not all of them are literals.

    ``+=``, ``extend`` and ``append`` add to it, and so do assignments in branches; one outside of them starts anew.
    """
    names: list[str] = []
    found = False
    for statement in _statements(tree.body):
        value = _added_exports(statement)
        if value is None:
            continue
        if not found or (isinstance(statement, ast.Assign | ast.AnnAssign) and statement in tree.body):
            names = []
        if not all(isinstance(part, _LITERAL) for part in ast.walk(value)):
            return None
        parts = (part.value for part in ast.walk(value) if isinstance(part, ast.Constant))
        names += [part for part in parts if isinstance(part, str) and is_text(part)]
        found = True
    return tuple(names) if found else None


def _statements(block: list[ast.stmt]) -> Iterator[ast.stmt]:
    """Yield the statements that run when the module does, in their order."""
    left = block[::-1]
    while left:
        statement = left.pop()
        yield statement
        if isinstance(statement, ast.If | ast.Try | ast.With | ast.For | ast.While):
            handled = [inner for handler in getattr(statement, "handlers", ()) for inner in handler.body]
            after = [*getattr(statement, "orelse", ()), *getattr(statement, "finalbody", ())]
            left += [*statement.body, *handled, *after][::-1]


def _added_exports(statement: ast.stmt) -> ast.expr | None:
    """Return what a statement puts into ``__all__``, None when it does not."""
    match statement:
        case ast.Assign(targets=[target, *_], value=value) if _is_all(target):
            return value
        case ast.AnnAssign(target=target, value=ast.expr() as value) if _is_all(target):
            return value
        case ast.AugAssign(target=target, value=value) if _is_all(target):
            return value
        case ast.Expr(
            value=ast.Call(func=ast.Attribute(value=target, attr="extend" | "append"), args=[ast.expr() as value])
        ) if _is_all(target):
            return value
    return None


def _is_all(target: ast.expr) -> bool:
    return isinstance(target, ast.Name) and target.id == "__all__"
