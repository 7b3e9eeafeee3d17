"""The functions of one open text: names, decorators, which of them declare tasks of the SDK."""

from __future__ import annotations

import ast
import warnings
from dataclasses import dataclass
from typing import TYPE_CHECKING, Final

from analyzer.facts.read import normalized
from analyzer.graph.sdk_names import SDK

if TYPE_CHECKING:
    from collections.abc import Iterator

TASK: Final = "task"


@dataclass(frozen=True, slots=True, kw_only=True)
class Function:
    """A function of a text. Rows count from 1.

    Attributes:
        name: its name.
        first_row: the line of its first decorator, else of its ``def``.
        def_row: the line of its ``def``.
        last_row: its last line.
        indent: what stands before its first line.
        sdk: the names of the SDK that decorate it: ``job``, ``task``.
        declaration: its decorators as written.
    """

    name: str
    first_row: int
    def_row: int
    last_row: int
    indent: str
    sdk: tuple[str, ...]
    declaration: str


def outline(text: str) -> list[Function]:
    """Return the functions of a text, the outer ones first; none of one that is no valid Python."""
    plain = normalized(text)
    try:
        with warnings.catch_warnings():
            warnings.simplefilter("ignore")
            tree = ast.parse(plain)
    except (SyntaxError, ValueError, RecursionError, MemoryError):
        return []
    lines = plain.split("\n")
    names = _sdk_names(tree)
    found = []
    for node in ast.walk(tree):
        if isinstance(node, ast.FunctionDef | ast.AsyncFunctionDef):
            first = min([node.lineno, *(decorator.lineno for decorator in node.decorator_list)])
            start = lines[first - 1]
            found.append(
                Function(
                    name=node.name,
                    first_row=first,
                    def_row=node.lineno,
                    last_row=node.end_lineno or node.lineno,
                    indent=start[: len(start) - len(start.lstrip())],
                    sdk=tuple(name for each in node.decorator_list if (name := _name(each, names)) is not None),
                    declaration="\n".join(f"@{ast.unparse(decorator)}" for decorator in node.decorator_list),
                )
            )
    return found


def enclosing(functions: list[Function], row: int) -> Function | None:
    """Return the innermost function that a line belongs to."""
    holding = [function for function in functions if function.first_row <= row <= function.last_row]
    return max(holding, key=lambda function: function.first_row, default=None)


def _sdk_names(tree: ast.Module) -> dict[str, str]:
    """Return what the text's names of the SDK stand for: ``{"task": "task", "t": "trigger_sdk"}``."""
    return dict(_bound(tree))


def _bound(tree: ast.Module) -> Iterator[tuple[str, str]]:
    for node in ast.walk(tree):
        if isinstance(node, ast.Import):
            for alias in node.names:
                if alias.name == SDK:
                    yield alias.asname or SDK, SDK
        elif isinstance(node, ast.ImportFrom) and node.module == SDK and not node.level:
            for alias in node.names:
                yield alias.asname or alias.name, alias.name


def _name(decorator: ast.expr, names: dict[str, str]) -> str | None:
    called = decorator.func if isinstance(decorator, ast.Call) else decorator
    if isinstance(called, ast.Name):
        return names.get(called.id)
    if isinstance(called, ast.Attribute) and isinstance(called.value, ast.Name):
        return called.attr if names.get(called.value.id) == SDK else None
    return None
