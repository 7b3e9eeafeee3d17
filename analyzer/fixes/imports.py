"""Names of the SDK in a file: those it has, and the imports of those it needs."""

from __future__ import annotations

import ast
from dataclasses import dataclass
from typing import TYPE_CHECKING, Final

from analyzer.fixes.bindings import STAR, bound_within

if TYPE_CHECKING:
    from analyzer.fixes.source import Source
    from analyzer.model import Edit

SDK: Final = "trigger_sdk"


@dataclass(frozen=True, slots=True)
class SdkName:
    """How a name of the SDK is written in a place.

    Attributes:
        text: ``task``, ``t.task``.
        edits: the import it needs; empty when it is there.
    """

    text: str
    edits: tuple[Edit, ...] = ()


def sdk_name(source: Source, name: str, inside: ast.AST) -> SdkName:
    """Return how to write ``name`` of the SDK within one of the module's statements.

    What is imported is used, however it is called, if nothing can have bound it anew. Otherwise the import from the SDK
    is extended, or one is added; under another name (``durable_sleep``) where the name is taken.

    Args:
        source: the file.
        name: the name, ``task``.
        inside: the statement of the module in which it will stand: what is bound in it counts as shadowing.
    """
    level = source.bound
    local = bound_within(inside)
    from_imports = [
        statement
        for statement in source.tree.body
        if isinstance(statement, ast.ImportFrom) and statement.module == SDK and not statement.level
    ]
    for alias in (alias for statement in from_imports for alias in statement.names):
        known = alias.asname or alias.name
        if alias.name == name and level[known] == 1 and known not in local and not level[STAR]:
            return SdkName(known)
    has_all = any(alias.name == STAR for each in from_imports for alias in each.names)
    if has_all and level[STAR] == 1 and not level[name] and name not in local:
        return SdkName(name)
    module = _module_name(source.tree, level, local)
    listed = next((each for each in reversed(from_imports) if each.names[0].name != STAR), None)
    if module and listed is None:
        return SdkName(f"{module}.{name}")
    alias_name = _free_name(source, name, taken=bool(level[name] or level[STAR]) or name in local)
    spelling = name if alias_name == name else f"{name} as {alias_name}"
    if listed is not None:
        return SdkName(alias_name, (_extended(source, listed, name, spelling),))
    return SdkName(alias_name, (_added(source, f"from {SDK} import {spelling}"),))


def _module_name(tree: ast.Module, level: dict[str, int], local: frozenset[str]) -> str:
    for statement in tree.body:
        for alias in statement.names if isinstance(statement, ast.Import) else ():
            known = alias.asname or alias.name
            if alias.name == SDK and level[known] == 1 and known not in local and not level[STAR]:
                return known
    return ""


def _free_name(source: Source, name: str, *, taken: bool) -> str:
    if not taken:
        return name
    candidate, number = f"durable_{name}", 2
    while candidate in source.words:
        candidate, number = f"durable_{name}_{number}", number + 1
    return candidate


def _extended(source: Source, statement: ast.ImportFrom, name: str, spelling: str) -> Edit:
    """Put a name into an import, in its place when the names are sorted, else at the end."""
    names = [alias.name for alias in statement.names]
    if names == sorted(names, key=_order):
        for alias in statement.names:
            if _order(alias.name) > _order(name):
                return _before(source, alias, spelling)
    return _after(source, statement, spelling)


def _order(name: str) -> tuple[int, str]:
    """Sort as import sorters do: constants, classes, the rest."""
    return (0 if name.isupper() else 1 if name[:1].isupper() else 2), name


def _before(source: Source, alias: ast.alias, spelling: str) -> Edit:
    place = source.place(alias)
    indent = source.lines[place.row - 1][: place.column - 1]
    separator = f"\n{indent}" if indent.strip() == "" and place.row > 1 else " "
    return source.insert(place.row, place.column, f"{spelling},{separator}")


def _after(source: Source, statement: ast.ImportFrom, spelling: str) -> Edit:
    last = source.place(statement.names[-1])
    end = source.place(statement)
    rest = source.slice(source.between((last.end_row, last.end_column), (end.end_row, end.end_column)))
    indent = source.lines[last.row - 1][: last.column - 1]
    on_its_own = not indent.strip() and last.row > statement.lineno
    if on_its_own and rest.lstrip().startswith(",") and end.end_row > last.end_row:
        row = last.end_row  # the comma, and a comment perhaps, end this line
        while "," not in _code(source.lines[row - 1][last.end_column - 1 if row == last.end_row else 0 :]):
            row += 1
        if row < end.end_row:
            return source.insert(row, len(source.lines[row - 1]) + 1, f"\n{indent}{spelling},")
    separator = f"\n{indent}" if on_its_own else " "
    return source.insert(last.end_row, last.end_column, f",{separator}{spelling}")


def _code(line: str) -> str:
    return line.partition("#")[0]


def _added(source: Source, statement: str) -> Edit:
    """Put an import behind the imports with which the file begins, or before its first statement."""
    body = source.tree.body
    index = 1 if body and isinstance(body[0], ast.Expr) and isinstance(body[0].value, ast.Constant) else 0
    last: ast.stmt | None = body[0] if index else None
    while index < len(body) and isinstance(body[index], ast.Import | ast.ImportFrom):
        last = body[index]
        index += 1
    following = body[index] if index < len(body) else None
    if last is not None and following is not None and following.lineno == last.end_lineno:
        place = source.place(following)  # on one line: `import os; X = 1`
        return source.insert(place.row, place.column, f"{statement}; ")
    if last is not None:
        row = last.end_lineno or last.lineno
        blank = "\n" if isinstance(last, ast.Expr) else ""
        return source.insert(row, len(source.lines[row - 1]) + 1, f"\n{blank}{statement}")
    row = following.lineno if following is not None else 1
    if isinstance(following, ast.FunctionDef | ast.AsyncFunctionDef | ast.ClassDef) and following.decorator_list:
        row = min(row, following.decorator_list[0].lineno)
    return source.insert(row, 1, f"{statement}\n")
