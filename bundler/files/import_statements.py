"""What one file imports, statement by statement, and where it imports by names that are made when it runs."""

from __future__ import annotations

import ast
from dataclasses import dataclass
from typing import Final

_IMPORT_ERRORS: Final = frozenset(("ImportError", "ModuleNotFoundError", "Exception", "BaseException"))
_PLATFORM: Final = frozenset(("sys.platform", "os.name", "sys.version_info", "sys.implementation", "sys.version"))
_ASKS: Final = frozenset(("platform.system", "platform.machine", "importlib.util.find_spec", "importlib.find_loader"))
_IMPORTS: Final = frozenset(("importlib.import_module", "__import__", "builtins.__import__", "runpy.run_module"))
_BY_TEXT: Final = frozenset(("pkgutil.resolve_name", "pydoc.locate"))
"""Functions that take ``module.name`` or ``module:name``."""
_LISTS: Final = {
    "pkgutil.iter_modules": "lists modules",
    "pkgutil.walk_packages": "lists modules",
    "importlib.metadata.entry_points": "asks for entry points",
    "importlib_metadata.entry_points": "asks for entry points",
    "pkg_resources.iter_entry_points": "asks for entry points",
    "importlib.util.spec_from_file_location": "imports a file",
    "runpy.run_path": "runs a file",
}


@dataclass(frozen=True, slots=True, kw_only=True)
class Import:
    """An import.

    Attributes:
        module: dotted name; empty in ``from . import x``.
        level: dots before it.
        names: what is taken from it; empty for ``import x``.
        row: its line.
        is_optional: the code goes on without it: a failure is caught, or it is for some platforms or versions.
    """

    module: str
    level: int = 0
    names: tuple[str, ...] = ()
    row: int
    is_optional: bool = False


@dataclass(frozen=True, slots=True, kw_only=True)
class DynamicImport:
    """A place where modules are found by names that are made when it runs.

    Attributes:
        what: what is done there: ``imports by a name that is made at run time``, ``lists modules``.
        prefix: the dotted name that the module's surely begins with; empty when nothing is known.
        row: its line.
    """

    what: str
    prefix: str
    row: int


@dataclass(frozen=True, slots=True, kw_only=True)
class Statements:
    """What a file imports."""

    imports: tuple[Import, ...]
    dynamic: tuple[DynamicImport, ...]


def import_statements(tree: ast.Module) -> Statements:
    """Return what a module imports, wherever in it; not what only type checkers do."""
    reader = _Reader(tree)
    reader.read_all(tree.body)
    return Statements(
        imports=tuple(sorted(reader.imports, key=lambda each: each.row)),
        dynamic=tuple(sorted(reader.dynamic, key=lambda each: each.row)),
    )


class _Reader:
    def __init__(self, tree: ast.Module) -> None:
        self.imports: list[Import] = []
        self.dynamic: list[DynamicImport] = []
        self._names = _qualified_names(tree)

    def read_all(self, body: list[ast.stmt]) -> None:
        """Read statements and all that is in them, however deep."""
        left: list[tuple[ast.AST, bool]] = [(statement, False) for statement in body]
        while left:
            node, is_optional = left.pop()
            if isinstance(node, ast.Import):
                self.imports += [Import(module=a.name, row=node.lineno, is_optional=is_optional) for a in node.names]
            elif isinstance(node, ast.ImportFrom):
                names = tuple(alias.name for alias in node.names if alias.name != "*")
                module = node.module or ""
                self.imports.append(
                    Import(module=module, level=node.level, names=names, row=node.lineno, is_optional=is_optional)
                )
            else:
                if isinstance(node, ast.Call):
                    self._call(node, is_optional=is_optional)
                left += self._inside(node, is_optional=is_optional)

    def _inside(self, node: ast.AST, *, is_optional: bool) -> list[tuple[ast.AST, bool]]:
        """Return what is in a node, and whether the code goes on when an import in it fails."""
        if isinstance(node, ast.Try | ast.TryStar) and any(self._catches(handler.type) for handler in node.handlers):
            caught = [*node.body, *(inner for handler in node.handlers for inner in handler.body)]
            after = [*node.orelse, *node.finalbody]
            return [*((each, True) for each in caught), *((each, is_optional) for each in after)]
        if isinstance(node, ast.With | ast.AsyncWith) and any(self._suppresses(each) for each in node.items):
            return [(each, True) for each in node.body]
        if isinstance(node, ast.If | ast.IfExp):
            return self._branches(node, is_optional=is_optional)
        return [(child, is_optional) for child in ast.iter_child_nodes(node)]

    def _branches(self, node: ast.If | ast.IfExp, *, is_optional: bool) -> list[tuple[ast.AST, bool]]:
        body: list[ast.AST] = [*node.body] if isinstance(node, ast.If) else [node.body]
        orelse: list[ast.AST] = [*node.orelse] if isinstance(node, ast.If) else [node.orelse]
        test, swapped = node.test, False
        if isinstance(test, ast.UnaryOp) and isinstance(test.op, ast.Not):
            test, swapped = test.operand, True
        name = self._name(test)
        if name.rpartition(".")[2] == "TYPE_CHECKING":
            return [(each, is_optional) for each in (body if swapped else orelse)]
        parts = {self._name(part) for part in ast.walk(node.test)}
        depends = bool(parts & _PLATFORM or parts & _ASKS) or _is_main(node.test)
        branches = [(each, is_optional or depends) for each in (*body, *orelse)]
        return [(node.test, is_optional), *branches]

    def _catches(self, kind: ast.expr | None) -> bool:
        if kind is None:
            return True
        kinds = kind.elts if isinstance(kind, ast.Tuple) else [kind]
        return any(self._name(each).rpartition(".")[2] in _IMPORT_ERRORS for each in kinds)

    def _suppresses(self, item: ast.withitem) -> bool:
        call = item.context_expr
        return (
            isinstance(call, ast.Call)
            and self._name(call.func) == "contextlib.suppress"
            and any(self._catches(argument) for argument in call.args)
        )

    def _name(self, node: ast.AST) -> str:
        """Return the qualified name that an expression reads, empty for any other."""
        parts: list[str] = []
        while isinstance(node, ast.Attribute):
            parts.append(node.attr)
            node = node.value
        if not isinstance(node, ast.Name):
            return ""
        return ".".join([self._names.get(node.id, node.id), *reversed(parts)])

    def _call(self, node: ast.Call, *, is_optional: bool) -> None:
        name = self._name(node.func)
        if name in _LISTS:
            self.dynamic.append(DynamicImport(what=_LISTS[name], prefix="", row=node.lineno))
            return
        is_by_text = name in _BY_TEXT or name.rpartition(".")[2] == "import_string"
        if name not in _IMPORTS and not is_by_text:
            return
        given = node.args[0] if node.args else next((each.value for each in node.keywords if each.arg == "name"), None)
        text, is_whole = _text(given)
        if not is_whole:
            prefix = text.rpartition(".")[0]
            what = "imports by a name that is made when it runs"
            self.dynamic.append(DynamicImport(what=what, prefix=prefix, row=node.lineno))
            return
        level = len(text) - len(text.lstrip("."))
        module = text.lstrip(".")
        names: tuple[str, ...] = ()
        if is_by_text:
            module, _, last = module.partition(":") if ":" in module else module.rpartition(".")
            names = (last.partition(".")[0],) if last else ()
        self.imports.append(Import(module=module, level=level, names=names, row=node.lineno, is_optional=is_optional))


def _is_main(test: ast.expr) -> bool:
    """Tell whether a test is of ``__name__``: what depends on it runs as a script, never in a worker."""
    return isinstance(test, ast.Compare) and isinstance(test.left, ast.Name) and test.left.id == "__name__"


def _text(node: ast.expr | None) -> tuple[str, bool]:
    """Return the text that an expression surely begins with, and whether that is all of it."""
    match node:
        case ast.Constant(value=str(value)):
            return value, True
        case ast.JoinedStr(values=[ast.Constant(value=str(value)), *_]):
            return value, False
        case ast.BinOp(left=left, op=ast.Add() | ast.Mod()):
            text = _text(left)[0]
            return text.partition("%")[0], False
        case ast.Call(func=ast.Attribute(value=ast.Constant(value=str(value)), attr="format")):
            return value.partition("{")[0], False
    return "", False


def _qualified_names(tree: ast.Module) -> dict[str, str]:
    """Return what the names that imports bind stand for, anywhere in the module."""
    names: dict[str, str] = {}
    for node in ast.walk(tree):
        if isinstance(node, ast.Import):
            for alias in node.names:
                top = alias.name.partition(".")[0]
                names[alias.asname or top] = alias.name if alias.asname else top
        elif isinstance(node, ast.ImportFrom) and not node.level:
            names.update({alias.asname or alias.name: f"{node.module}.{alias.name}" for alias in node.names})
    return names
